"""The pre-generation question on its own: a decision and its receipt, and no job."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from service import ticket
from service.decision import Decision, Mode, Observation, Receipt, Stage, Verdict
from service.gates import Asked
from service.keys import Purpose
from service.media.errors import MediaError
from service.request import BadRequest, GenerationRequest, ReferenceKind
from service.reviews import Review
from service.rooms import Rooms
from service.steps.run import asked, unopened
from service.steps.verdicts import (
    Ground,
    decided,
    entry_of,
    ground,
    likenesses_in,
    record_uses,
)
from service.steps.waiting import appeals_at, review_of, waits


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision that is in the log, and what it permits.

    Attributes:
        ticket: a permission for a gateway to present, on an enforced `allow` only.
        review: what an enforced hold waits for.
        appeals: where one can appeal against it now; empty where one cannot.
    """

    decision: Decision
    receipt: Receipt
    ticket: str | None = field(default=None, repr=False)
    review: Review | None = None
    appeals: str = ""


def answer(
    rooms: Rooms,
    request: GenerationRequest,
    *,
    mode: Mode,
    seen: tuple[Observation, ...] | None = None,
) -> Answer:
    """Ask the three gates about `request`, and return once the decision is in the log.

    Args:
        seen: by the gates, a moment ago; None to let them look.

    Raises:
        BadRequest: a reference cannot be opened.
        DatabaseUnavailable, AuditError: there is no decision.
    """
    return told(rooms, request, judged(rooms, request, mode, seen))


def told(rooms: Rooms, request: GenerationRequest, decision: Decision) -> Answer:
    """Return the answer once the decision is in the log."""
    receipt, review = logged(rooms, request, decision)
    given = permitted(rooms, request, decision, receipt)
    return replace(given, review=review, appeals=appeals_at(rooms, decision, review))


def judged(
    rooms: Rooms,
    request: GenerationRequest,
    mode: Mode,
    seen: tuple[Observation, ...] | None = None,
) -> Decision:
    """Return the decision about `request`, which nobody is told before it is in the log.

    Args:
        seen: as `answer`.

    Raises:
        BadRequest: a reference cannot be opened.
        BookBroken, DatabaseUnavailable: there is no decision.
    """
    if seen is not None:
        return _decided(rooms, request, mode, Observed(seen))
    (found,) = observed(rooms, [request])
    if isinstance(found, BadRequest):
        raise found
    return _decided(rooms, request, mode, found)


def judged_together(
    rooms: Rooms, asked_for: Sequence[tuple[GenerationRequest, Mode]]
) -> list[Decision | BadRequest]:
    """Return what `judged` does for each, in order; the gates look at all of them together.

    Raises:
        BookBroken, DatabaseUnavailable: there is no decision about any of them.
    """
    found = observed(rooms, [request for request, _ in asked_for])
    return [
        one if isinstance(one, BadRequest) else _decided(rooms, request, mode, one)
        for (request, mode), one in zip(asked_for, found, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen in a request.

    Attributes:
        ground: what to judge it on, where it was read at the same moment; None to read it now.
    """

    observations: tuple[Observation, ...]
    ground: Ground | None = None


def observed(rooms: Rooms, requests: Sequence[GenerationRequest]) -> list[Observed | BadRequest]:
    """Return what was seen in exactly each request a moment ago, or what the gates see in it now.

    One whose reference cannot be opened has the refusal in its place.

    Raises:
        DatabaseUnavailable: nothing can be said.
    """
    if rooms.cache is None:
        seen = looked_at(rooms, requests, rooms.clock())
        return [one if isinstance(one, BadRequest) else Observed(one) for one in seen]
    now = rooms.clock()
    known: dict[int, Observed | BadRequest] = {}
    with rooms.database.reading() as conn:
        # Read before the gates look: what they see is not older than the key says.
        registers = rooms.gates.registers(conn)
        keys = [rooms.cache.key(request, registers) for request in requests]
        for place, (key, request) in enumerate(zip(keys, requests, strict=True)):
            if (kept := rooms.cache.found(key, now)) is not None:
                known[place] = Observed(kept, ground(rooms, conn, request, Stage.REQUEST))
        begins = rooms.gates.claims.next_start(conn, now=now)
    new = [place for place in range(len(requests)) if place not in known]
    seen = looked_at(rooms, [requests[place] for place in new], now)
    for place, one in zip(new, seen, strict=True):
        if not isinstance(one, BadRequest):
            rooms.cache.keep(keys[place], one, now=now, until=begins)
        known[place] = one if isinstance(one, BadRequest) else Observed(one)
    return [known[place] for place in range(len(requests))]


def looked_at(
    rooms: Rooms, requests: Sequence[GenerationRequest], now: datetime
) -> list[tuple[Observation, ...] | BadRequest]:
    """Return what the gates see in each request now, whatever was seen before.

    Raises:
        DatabaseUnavailable: nothing can be said.
    """
    opened = [_opened(rooms, request) for request in requests]
    good = [one for one in opened if not isinstance(one, BadRequest)]
    seen = iter(rooms.gates.look_at_all(good, now=now))
    return [one if isinstance(one, BadRequest) else next(seen) for one in opened]


def permitted(
    rooms: Rooms, request: GenerationRequest, decision: Decision, receipt: Receipt
) -> Answer:
    """Return the answer; an enforced allow comes with a ticket."""
    if decision.verdict is not Verdict.ALLOW or decision.mode is not Mode.ENFORCE:
        return Answer(decision, receipt)
    token = ticket.issue(
        request,
        ticket.allowance(decision),
        rooms.keys.signing(Purpose.TICKET),
        now=rooms.clock(),
        lifetime=rooms.terms.ticket,
    )
    return Answer(decision, receipt, token)


def _decided(rooms: Rooms, request: GenerationRequest, mode: Mode, found: Observed) -> Decision:
    return decided(
        rooms, request, found.observations, stage=Stage.REQUEST, mode=mode, on=found.ground
    )


def _opened(rooms: Rooms, request: GenerationRequest) -> Asked | BadRequest:
    try:
        return asked(rooms, request)
    except BadRequest as refused:
        return refused
    except MediaError as refused:
        # A film or a sound that is wrong says its field itself.
        sent = request.of_kind(ReferenceKind.PICTURE) or request.references
        wrong = unopened(sent[0].param, refused)
        if isinstance(wrong, BadRequest):
            return wrong
        raise wrong from refused


def stands_alone(decision: Decision) -> bool:
    """Whether a decision changes nothing besides: no use of a likeness, and nothing to review."""
    return decision.mode is not Mode.ENFORCE or not (likenesses_in(decision) or waits(decision))


def logged(
    rooms: Rooms, request: GenerationRequest, decision: Decision
) -> tuple[Receipt, Review | None]:
    """Return once the decision is in the log; an enforced hold is before a person then."""
    entry = entry_of(rooms, decision, request)
    if stands_alone(decision):
        return rooms.log.append(entry), None
    # Who is depicted sees every attempt, and who moderates every hold, so that these and the
    # entry are one transaction.
    with rooms.database.transaction() as conn:
        review = review_of(rooms, conn, decision, request)
        if review is not None:
            entry = replace(entry, facts={**entry.facts, "review": review.id})
        rooms.log.stage(conn, entry)
        record_uses(rooms, conn, decision)
    return rooms.log.settle(entry.key), review
