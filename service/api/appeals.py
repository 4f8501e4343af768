"""`/v1/appeals`: against a refusal, by whoever was refused, and what a moderator says to it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service import appealing, appeals, casework
from service.accounts import Principal, Role
from service.api import records
from service.api.errors import Forbidden
from service.api.fields import body_of, documented
from service.api.reviews import seen_json
from service.api.state import Asker, RoomsDep
from service.api.words import PRINTABLE, Id, Word
from service.appealing import Appealing, Done
from service.appeals import MAX_CHARACTERS, Appeal
from service.casework import Case, Kind
from service.request import checked_prompt
from service.rooms import Rooms
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/appeals", tags=["reviews"])

_TEXT = Field(min_length=1, max_length=MAX_CHARACTERS)


class AppealBody(BaseModel):
    """Which decision is wrong, and why; the reason stays out of the log but for a commitment."""

    model_config = ConfigDict(extra="forbid")
    decision: str = Field(max_length=80, pattern=PRINTABLE)
    why: str = _TEXT


class StatementBody(BaseModel):
    """What the appellant is answered; it stays out of the log but for a commitment."""

    model_config = ConfigDict(extra="forbid")
    statement: str = _TEXT


Wish = Annotated[AppealBody, Depends(body_of(AppealBody))]
Statement = Annotated[StatementBody, Depends(body_of(StatementBody))]


@router.post("", openapi_extra=documented(AppealBody))
def create_appeal(asker: Asker, rooms: RoomsDep, body: Wish) -> JSON:
    """Appeal against a decision that refused you: once, and within 180 days."""
    why = checked_prompt(body.why, param="why")
    return _done(_of(rooms, asker).open(body.decision, why))


@router.get("")
def list_appeals(
    asker: Asker,
    rooms: RoomsDep,
    queue: Literal["", "open"] = "",
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return one's own appeals; with `queue=open`, what waits for a moderator, longest first."""
    if queue and Role.MODERATOR not in asker.roles:
        raise Forbidden("This needs a key with the role moderator; ask your operator for one.")
    with rooms.database.reading() as conn:
        if queue:
            found = appeals.list_open(conn, project=asker.project, after=after, limit=limit + 1)
        else:
            found = appeals.list_own(conn, asker.project, asker.actor, after=after, limit=limit + 1)
    rooms.log.drain()
    shown = found[:limit]
    return {
        "object": "list",
        "data": [appeal_json(one) for one in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/{appeal}")
def get_appeal(asker: Asker, rooms: RoomsDep, appeal: Id) -> JSON:
    """Return one's own appeal; or any with what was asked, and that you looked is logged first."""
    mine = _of(rooms, asker)
    found = mine.of_project(appeal) if Role.MODERATOR in asker.roles else mine.own(appeal)
    if found.appellant == asker.actor:
        return {**appeal_json(found), **_words(rooms, found)}
    case = Case(Kind.APPEAL, found.id, found.decision_id)
    seen = casework.seen(rooms, asker.actor, asker.project, case)
    decision = records.decision_by_id(rooms, asker.project, found.decision_id)
    shown = {**seen_json(seen), **_words(rooms, found)}
    return {**appeal_json(found), "decision": decision, **shown}


@router.post("/{appeal}/uphold", openapi_extra=documented(StatementBody))
def uphold_appeal(asker: Asker, rooms: RoomsDep, appeal: Id, body: Statement) -> JSON:
    """Say that the decision was wrong: what may be lifted is lifted for this request, a while."""
    return _done(_of(rooms, asker).uphold(appeal, _statement(body)))


@router.post("/{appeal}/dismiss", openapi_extra=documented(StatementBody))
def dismiss_appeal(asker: Asker, rooms: RoomsDep, appeal: Id, body: Statement) -> JSON:
    """Let the decision stand, and tell the appellant why."""
    return _done(_of(rooms, asker).dismiss(appeal, _statement(body)))


def appeal_json(found: Appeal) -> JSON:
    """Return an appeal as lists show it, without anybody's words."""
    return {
        "id": found.id,
        "object": "appeal",
        "decision_id": found.decision_id,
        "stage": found.stage.value,
        "reasons": list(found.codes),
        "status": found.state.value,
        "opened_at": int(found.opened_at.timestamp()),
        "decided_at": _seconds(found.decided_at),
        "lifted": list(found.lifted),
        "lifted_until": _seconds(found.until),
        "not_lifted": list(found.remaining),
        "message": appeals.message(found),
    }


def _words(rooms: Rooms, found: Appeal) -> JSON:
    words = appealing.words_of(rooms, found)
    return {"why": words.why, "statement": words.statement, "erased": words.gone}


def _of(rooms: Rooms, asker: Principal) -> Appealing:
    return Appealing(rooms, asker.actor, asker.project)


def _statement(body: StatementBody) -> str:
    return checked_prompt(body.statement, param="statement")


def _done(done: Done) -> JSON:
    return {**appeal_json(done.appeal), "receipt": receipt_json(done.receipt)}


def _seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at else None
