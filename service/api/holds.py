"""`/v1/holds`: what must not be erased, asked for by one person and confirmed by another."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api.erasures import keeper
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep, StateDep
from service.api.words import PRINTABLE, Id, Word
from service.records import holds
from service.records.holding import Held
from service.records.holds import Hold, Kind, Target
from service.request import checked_prompt
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/holds", tags=["records"])


class HoldBody(BaseModel):
    """What to keep, one of three, and why; the reason stays out of the log but for a commitment."""

    model_config = ConfigDict(extra="forbid")
    subject: str = Field(default="", max_length=200, pattern=PRINTABLE)
    case: str = Field(default="", max_length=200, pattern=PRINTABLE)
    project: str = Field(default="", max_length=80, pattern=PRINTABLE)
    why: str

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(bool(one) for one in (self.subject, self.case, self.project)) != 1:
            raise ValueError("name one of subject, case and project")
        return self

    def target(self) -> Target:
        """Return what is to be kept."""
        if self.subject:
            return Target(Kind.SUBJECT, self.subject)
        if self.case:
            return Target(Kind.CASE, self.case)
        return Target(Kind.PROJECT, self.project)


class StepBody(BaseModel):
    """What there is to say about it; it stays out of the log but for a commitment."""

    model_config = ConfigDict(extra="forbid")
    note: str = ""


Step = Annotated[StepBody, Depends(body_of(StepBody))]
Wish = Annotated[HoldBody, Depends(body_of(HoldBody))]


@router.post("", openapi_extra=documented(HoldBody))
def create_hold(asker: Asker, state: StateDep, body: Wish) -> JSON:
    """Ask for a hold; it keeps nothing until somebody else confirms it."""
    why = checked_prompt(body.why, param="why")
    return _held(state.house.holding().ask(keeper(asker), body.target(), why))


@router.get("")
def list_holds(
    asker: Asker,
    rooms: RoomsDep,
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return the project's holds, ended ones too, oldest first."""
    with rooms.database.reading() as conn:
        found = holds.list_of(conn, project=asker.project, after=after, limit=limit + 1)
    rooms.log.drain()
    shown = found[:limit]
    return {
        "object": "list",
        "data": [_hold(one) for one in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/{hold}")
def get_hold(asker: Asker, state: StateDep, hold: Id) -> JSON:
    """Return one hold with the reason that was given for it."""
    holding = state.house.holding()
    found = holding.known(keeper(asker), hold)
    return {**_hold(found), "why": holding.why(keeper(asker), found)}


@router.post("/{hold}/confirm", openapi_extra=documented(StepBody))
def confirm_hold(asker: Asker, state: StateDep, hold: Id, body: Step) -> JSON:
    """Put a hold in force that somebody else has asked for."""
    return _held(state.house.holding().confirm(keeper(asker), hold, _note(body)))


@router.post("/{hold}/release", openapi_extra=documented(StepBody))
def release_hold(asker: Asker, state: StateDep, hold: Id, body: Step) -> JSON:
    """Ask for the end of a hold, or end it where somebody else has asked for that."""
    return _held(state.house.holding().release(keeper(asker), hold, _note(body)))


def _note(body: StepBody) -> str:
    return checked_prompt(body.note, param="note") if body.note else ""


def _held(done: Held) -> JSON:
    erased = [one.erasure.id for one in done.erased]
    return {**_hold(done.hold), "erasures": erased, "receipt": receipt_json(done.receipt)}


def _hold(hold: Hold) -> JSON:
    return {
        "id": hold.id,
        "object": "hold",
        "kind": hold.target.kind.value,
        "target": hold.target.id,
        "status": hold.state.value,
        "asked_by": hold.asked_by,
        "asked_at": int(hold.asked_at.timestamp()),
        "confirmed_by": hold.confirmed_by or None,
        "confirmed_at": int(hold.confirmed_at.timestamp()) if hold.confirmed_at else None,
        "release_asked_by": hold.release_by or None,
        "released_by": hold.released_by or None,
        "released_at": int(hold.released_at.timestamp()) if hold.released_at else None,
    }
