"""`/v1/likenesses` and `/v1/grants`: a person's own face, who may depict it, and who tried."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from likeness import records, store
from likeness.consent import EVERYONE, HANDLE, Grant, Likeness
from likeness.enrolment import MAX_PHOTOGRAPHS
from likeness.records import RecordedUse
from service import accounts
from service.accounts import NoSuchAccount, Principal
from service.acts import Acts
from service.api.fields import (
    Fields,
    body_of,
    documented,
    documented_fields,
    documented_pictures,
    fields_of,
)
from service.api.state import Asker, RoomsDep
from service.api.words import PRINTABLE, Id, Moment
from service.request import BadRequest
from service.rooms import Rooms
from service.wire import JSON, receipt_json

router = APIRouter(tags=["likenesses"])


class GrantBody(BaseModel):
    """A permission to be given. Times are RFC 3339 with a zone, or Unix seconds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    likeness: str = Field(max_length=80, pattern=PRINTABLE)
    to: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)
    from_at: Moment | None = Field(default=None, alias="from")
    until_at: Moment = Field(alias="until")


@router.post(
    "/v1/likenesses",
    status_code=201,
    openapi_extra=documented_fields(
        {"handle", "photographs"},
        handle={"type": "string", "pattern": f"^@?(?:{HANDLE.pattern})$"},
        photographs=documented_pictures(MAX_PHOTOGRAPHS),
    ),
)
def create_likeness(
    asker: Asker, rooms: RoomsDep, fields: Annotated[Fields, Depends(fields_of)]
) -> JSON:
    """Enrol the asker's own face from photographs, which are not kept."""
    fields.only({"handle", "photographs", "photographs[image_url]"})
    handle = fields.text("handle").removeprefix("@")
    photographs = fields.sent("photographs", MAX_PHOTOGRAPHS)
    if not photographs:
        raise BadRequest("photographs", "missing", "there is none.", "Send five or more.")
    done = _acts(rooms, asker).enrol(handle, photographs)
    return {**_likeness(done.made), "receipt": receipt_json(done.receipt)}


@router.get("/v1/likenesses")
def list_likenesses(asker: Asker, rooms: RoomsDep) -> JSON:
    """Return the asker's own likenesses that are in use."""
    with rooms.database.reading() as conn:
        own = store.active_owned(conn, asker.actor)
    rooms.log.drain()
    return {"object": "list", "data": [_likeness(one) for one in own], "has_more": False}


@router.delete("/v1/likenesses/{likeness}")
def revoke_likeness(asker: Asker, rooms: RoomsDep, likeness: Id) -> JSON:
    """Take a likeness out of use for good; it holds from the reply on."""
    done = _acts(rooms, asker).revoke(likeness)
    return {
        "id": likeness,
        "object": "likeness.revoked",
        "deleted": True,
        "revoked_at": int(done.made.at.timestamp()),
        "keys_destroyed": done.made.keys_destroyed,
        "receipt": receipt_json(done.receipt),
    }


@router.get("/v1/likenesses/{likeness}/uses")
def list_uses(
    asker: Asker,
    rooms: RoomsDep,
    likeness: Id,
    before: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return who asked for the likeness and what came of it, newest first; refusals too."""
    registry = rooms.gates.registry
    with rooms.database.reading() as conn:
        registry.require_owner(conn, likeness, asker.actor)
        found = registry.uses_of(conn, likeness, before=before or rooms.clock(), limit=limit + 1)
    # An attempt is listed with its decision in the log, also where who decided has died.
    rooms.log.drain()
    return {
        "object": "list",
        "data": [_use(use) for use in found[:limit]],
        "has_more": len(found) > limit,
    }


@router.post("/v1/grants", status_code=201, openapi_extra=documented(GrantBody))
def create_grant(
    asker: Asker, rooms: RoomsDep, body: Annotated[GrantBody, Depends(body_of(GrantBody))]
) -> JSON:
    """Permit somebody to depict a likeness of the asker's own, until a day that is named."""
    _require_known(rooms, body.to)
    done = _acts(rooms, asker).grant(
        body.likeness, body.to, from_at=body.from_at or rooms.clock(), until_at=body.until_at
    )
    return {**_grant(done.made), "receipt": receipt_json(done.receipt)}


@router.get("/v1/grants")
def list_grants(
    asker: Asker, rooms: RoomsDep, direction: Literal["given", "received"] = "given"
) -> JSON:
    """Return the grants that the asker gave, ended ones too, or received."""
    with rooms.database.reading() as conn:
        if direction == "received":
            found = records.grants_to(conn, (asker.actor, EVERYONE))
        else:
            own = store.active_owned(conn, asker.actor)
            found = [grant for one in own for grant in records.grants_of(conn, one.id)]
    rooms.log.drain()
    return {"object": "list", "data": [_grant(grant) for grant in found], "has_more": False}


@router.delete("/v1/grants/{grant}")
def revoke_grant(asker: Asker, rooms: RoomsDep, grant: Id) -> JSON:
    """End a grant; it holds from the reply on."""
    done = _acts(rooms, asker).revoke_grant(grant)
    return {
        "id": done.made,
        "object": "grant.revoked",
        "deleted": True,
        "receipt": receipt_json(done.receipt),
    }


def _acts(rooms: Rooms, asker: Principal) -> Acts:
    return Acts(rooms, asker.actor, asker.project)


def _require_known(rooms: Rooms, to: str) -> None:
    if to == EVERYONE:
        return
    try:
        with rooms.database.reading() as conn:
            accounts.actor(conn, to)
    except NoSuchAccount as unknown:
        raise BadRequest(
            "to", "unknown_actor", "there is no such person.", "Ask them for their id, act_…."
        ) from unknown


def _likeness(likeness: Likeness) -> JSON:
    return {
        "id": likeness.id,
        "object": "likeness",
        "handle": likeness.handle,
        "state": likeness.state.value,
        "photographs": likeness.depth,
        "created_at": int(likeness.created_at.timestamp()),
    }


def _grant(grant: Grant) -> JSON:
    return {
        "id": grant.id,
        "object": "grant",
        "likeness": grant.likeness,
        "to": grant.to,
        "uses": sorted(use.value for use in grant.uses),
        "from": _seconds(grant.from_at),
        "until": _seconds(grant.until_at),
        "revoked_at": _seconds(grant.revoked_at) if grant.revoked_at else None,
    }


def _use(use: RecordedUse) -> JSON:
    return {
        "id": use.id,
        "object": "likeness.use",
        "request_id": use.request_id,
        "verdict": use.verdict,
        "at": _seconds(use.at),
    }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
