"""`/v1/reviews`: what waits for a person, and what that person says."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from service import casework, reviews
from service.accounts import Principal
from service.acts import Acts, Logged
from service.api import records
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep
from service.api.words import Id, Word
from service.casework import Case, Kind, Seen
from service.request import checked_prompt
from service.reviews import Outcome, Review, UnknownReview
from service.rooms import Rooms
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])


class RulingBody(BaseModel):
    """Why, in the moderator's words; it stays out of the log but for a commitment."""

    model_config = ConfigDict(extra="forbid")
    note: str = ""


Ruling = Annotated[RulingBody, Depends(body_of(RulingBody))]


@router.get("")
def list_reviews(
    asker: Asker,
    rooms: RoomsDep,
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return what waits in the project, longest first."""
    with rooms.database.reading() as conn:
        found = reviews.list_open(conn, project=asker.project, after=after or None, limit=limit + 1)
    rooms.log.drain()
    shown = found[:limit]
    return {
        "object": "list",
        "data": [_review(one) for one in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/{review}")
def get_review(asker: Asker, rooms: RoomsDep, review: Id) -> JSON:
    """Return one review with the decision and what was asked; that you looked is logged first."""
    found = _own(rooms, asker, review)
    case = Case(Kind.REVIEW, found.id, found.decision_id, found.job)
    seen = casework.seen(rooms, asker.actor, asker.project, case)
    decision = records.decision_by_id(rooms, asker.project, found.decision_id)
    return {**_review(found), "decision": decision, **seen_json(seen)}


@router.post("/{review}/clear", openapi_extra=documented(RulingBody))
def clear_review(asker: Asker, rooms: RoomsDep, review: Id, body: Ruling) -> JSON:
    """Let the job go on where it stopped, or the request be asked about again."""
    _own(rooms, asker, review)
    return _ruled(Acts(rooms, asker.actor, asker.project).clear(review, _note(body)))


@router.post("/{review}/refuse", openapi_extra=documented(RulingBody))
def refuse_review(asker: Asker, rooms: RoomsDep, review: Id, body: Ruling) -> JSON:
    """End the job as refused, or let the decision stand."""
    _own(rooms, asker, review)
    return _ruled(Acts(rooms, asker.actor, asker.project).refuse(review, _note(body)))


def _own(rooms: Rooms, asker: Principal, review: str) -> Review:
    with rooms.database.reading() as conn:
        found = reviews.get(conn, review)
    # Held, cleared or refused: it is in the log before anybody reads it here.
    rooms.log.drain()
    if found.project != asker.project:
        raise UnknownReview(review)
    return found


def _note(body: RulingBody) -> str:
    return checked_prompt(body.note, param="note") if body.note else ""


def _ruled(done: Logged[Outcome]) -> JSON:
    return {
        "id": done.made.review,
        "object": "review.decided",
        "ruling": done.made.ruling.value,
        "decision_id": done.made.decision_id,
        "stage": done.made.stage.value,
        "video": done.made.job.id if done.made.job else None,
        "cleared_until": _seconds(done.made.until_at),
        "at": int(done.made.at.timestamp()),
        "receipt": receipt_json(done.receipt),
    }


def seen_json(seen: Seen) -> JSON:
    """Return what was asked in a case, and the proof that its reading is in the log."""
    asked = seen.asked
    return {
        "prompt": asked.prompt,
        "shots": list(asked.shots),
        "pictures": asked.pictures,
        "erased": asked.prompt is None,
        "receipt": receipt_json(seen.receipt),
    }


def _review(review: Review) -> JSON:
    return {
        "id": review.id,
        "object": "review",
        "video": review.job or None,
        "stage": review.stage.value,
        "decision_id": review.decision_id,
        "reasons": list(review.reasons),
        "ruling": review.ruling.value,
        "opened_at": int(review.opened_at.timestamp()),
        "decided_at": _seconds(review.decided_at),
        "cleared_until": _seconds(review.until_at),
    }


def _seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at else None
