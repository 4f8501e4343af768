"""A hold without a job: it goes before a person, and what they cleared is remembered."""

from sqlalchemy import Connection

from service import clearances, judge
from service.clearances import HeldRequest
from service.decision import Decision, Mode, Stage, Verdict
from service.keys import Purpose
from service.policy_book import UNAVAILABLE, overrides
from service.request import GenerationRequest
from service.reviews import Review, Ruling
from service.rooms import Rooms


def waits(decision: Decision) -> bool:
    """Whether a person can clear what holds this decision, and something comes of it.

    A check that could not be made is asked for again, and needs nobody.
    """
    is_held = decision.mode is Mode.ENFORCE and decision.verdict is Verdict.HOLD
    return is_held and bool(judge.standings(decision))


def review_of(
    rooms: Rooms, conn: Connection, decision: Decision, request: GenerationRequest
) -> Review | None:
    """Return the review that a decision without a job waits for; None where it `waits` for none.

    Call it in the transaction that stages the decision's entry.
    """
    if not waits(decision):
        return None
    held = HeldRequest(
        project=request.requester.project,
        requester=request.requester.actor,
        decision_id=decision.id,
        codes=tuple(sorted({reason.code for reason in decision.reasons})),
        standings=judge.standings(decision),
        sign=_sign(rooms, request),
    )
    return clearances.waiting(conn, held, rooms.clock())


def appeals_at(rooms: Rooms, decision: Decision, review: Review | None) -> str:
    """Return where one can appeal against `decision` now; empty where one cannot.

    While a person is about to look at a hold, there is nothing to appeal against, nor where
    nothing could be looked at.
    """
    seen = any(reason.code != UNAVAILABLE for reason in decision.reasons)
    if decision.mode is not Mode.ENFORCE or decision.verdict is Verdict.ALLOW or not seen:
        return ""
    return rooms.appeals if review is None or review.ruling is Ruling.REFUSED else ""


def cleared_before(rooms: Rooms, request: GenerationRequest, decision: Decision) -> frozenset[str]:
    """Return the standings that a person has cleared for this very request, if `decision` holds."""
    if decision.verdict is not Verdict.HOLD or decision.stage is not Stage.REQUEST:
        return frozenset()
    asker = request.requester
    with rooms.database.reading() as conn:
        return clearances.cleared(
            conn, asker.project, asker.actor, _sign(rooms, request), rooms.clock()
        )


def _sign(rooms: Rooms, request: GenerationRequest) -> str:
    key = rooms.keys.secrets(Purpose.VAULT)[-1].secret
    return overrides.sign_of(request, Stage.REQUEST, key)
