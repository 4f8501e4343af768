"""`/v1/audit/log`: the log as C2SP tlog-tiles, and `/v1/audit/consistency`.

Checkpoint and hashes are open: whoever watches the log from outside has no key, and a hash of an
entry with an id of 80 random bits in it says nothing. Entries are for the operator alone, since a
bundle holds those of every project.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.state import Asker, RoomsDep
from service.api.words import MAX_INDEX
from service.audit import checkpoint as notes
from service.audit import tiles
from service.audit.errors import NoTile
from service.audit.merkle import TILE_WIDTH
from service.audit.tiles import EntryBundle
from service.request import BadRequest
from service.wire import JSON

router = APIRouter(prefix="/v1/audit", tags=["audit"])

# What is full never changes; what is not is soon replaced by a wider one, and not kept at all.
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_OCTETS = "application/octet-stream"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Annotated[int, Field(ge=0, le=MAX_INDEX)]
    new: Annotated[int | None, Field(ge=0, le=MAX_INDEX)] = None
    format: Literal["json", "text"] = "json"


_OPEN: dict[int | str, dict[str, Any]] = {
    404: {"description": "No such tile."},
    503: {"description": "The log cannot be read now."},
}


@router.get("/log/checkpoint", response_class=PlainTextResponse, responses=_OPEN)
def get_log_checkpoint(rooms: RoomsDep) -> PlainTextResponse:
    """Return the checkpoint that most witnesses cosigned; the newest where none did."""
    return PlainTextResponse(rooms.log.published())


@router.get("/log/tile/entries/{path:path}", response_class=Response)
def get_log_entries(_asker: Asker, rooms: RoomsDep, path: str) -> Response:
    """Return a bundle of entries of all projects, each behind its length in two bytes."""
    bundle = tiles.parsed(f"entries/{path}")
    # Whatever stands between must not keep what needs a key.
    return Response(rooms.log.tile(bundle), media_type=_OCTETS)


@router.get("/log/tile/{path:path}", response_class=Response, responses=_OPEN)
def get_log_tile(rooms: RoomsDep, path: str) -> Response:
    """Return a tile of hashes, 32 bytes each, such as `0/x001/234` or `1/000.p/17`."""
    tile = tiles.parsed(path)
    if isinstance(tile, EntryBundle):
        raise NoTile("entries need a key")
    return Response(
        rooms.log.tile(tile),
        media_type=_OCTETS,
        headers=_FOR_EVER if tile.width == TILE_WIDTH else None,
    )


@router.get("/consistency", response_model=None)
def get_consistency(
    _asker: Asker, rooms: RoomsDep, asked: Annotated[_Asked, Query()]
) -> JSON | PlainTextResponse:
    """Return the proof that the first `old` entries are still the first ones among `new`.

    As `text` it is the hashes, a line each, as a witness wants them.
    """
    new = rooms.log.head()[1].size if asked.new is None else asked.new
    if asked.old > new:
        raise BadRequest(
            "old", "too_large", f"the newer tree has {new} entries.", "Ask for fewer, or as many."
        )
    hashes = [notes.base64_of(one) for one in rooms.log.consistency_proof(asked.old, new)]
    if asked.format == "text":
        return PlainTextResponse("".join(f"{one}\n" for one in hashes))
    return {"object": "audit.consistency", "old": asked.old, "new": new, "hashes": hashes}
