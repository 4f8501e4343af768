"""`/v1/erasures`: everything private about a person is destroyed; the log says that it was."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service.accounts import Principal, Role
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep, StateDep
from service.api.words import PRINTABLE, Id, Word
from service.records import erasures
from service.records.erasures import Erasure, Films, State
from service.records.words import Keeper
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/erasures", tags=["records"])

_OFFICERS = frozenset({Role.OPERATOR, Role.ADMIN})


class ErasureBody(BaseModel):
    """Whom: an actor or a likeness; an operator who asks for somebody else names the case."""

    model_config = ConfigDict(extra="forbid")
    subject: str = Field(min_length=1, max_length=200, pattern=PRINTABLE)
    case: str = Field(default="", max_length=200, pattern=PRINTABLE)
    films: bool = False


Wish = Annotated[ErasureBody, Depends(body_of(ErasureBody))]


@router.post("", openapi_extra=documented(ErasureBody))
def create_erasure(asker: Asker, state: StateDep, body: Wish) -> JSON:
    """Erase the asker, a likeness of theirs, or somebody whose case an operator has."""
    films = Films.REMOVE if body.films else Films.KEEP
    wished = state.house.erasing().ask(keeper(asker), body.subject, case=body.case, films=films)
    return {**_erasure(wished.erasure), "receipt": receipt_json(wished.receipt)}


@router.get("")
def list_erasures(
    asker: Asker,
    rooms: RoomsDep,
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return the project's erasures to an operator, and to others their own; oldest first."""
    who = keeper(asker)
    with rooms.database.reading() as conn:
        found = erasures.list_of(
            conn,
            project=asker.project,
            actor="" if who.is_officer else asker.actor,
            after=after,
            limit=limit + 1,
        )
    rooms.log.drain()
    shown = found[:limit]
    return {
        "object": "list",
        "data": [_erasure(one) for one in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/{erasure}")
def get_erasure(asker: Asker, state: StateDep, erasure: Id) -> JSON:
    """Return one erasure."""
    return _erasure(state.house.erasing().known(keeper(asker), erasure))


def keeper(asker: Principal) -> Keeper:
    """Return who asks, as the record keepers see them."""
    return Keeper(asker.actor, asker.project, bool(_OFFICERS & asker.roles))


def _erasure(one: Erasure) -> JSON:
    return {
        "id": one.id,
        "object": "erasure",
        "subject": one.subject,
        "status": one.state.value,
        # Not which: a hold may be a secret from whom it is about.
        "waits_for": "legal_hold" if one.state is State.QUEUED else None,
        "case": one.case or None,
        "films": one.films is Films.REMOVE,
        "asked_by": one.asked_by,
        "asked_at": int(one.asked_at.timestamp()),
        "done_at": int(one.done_at.timestamp()) if one.done_at else None,
        "destroyed": asdict(one.counts),
    }
