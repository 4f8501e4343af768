"""`/v1/audit`: entries of the log, its checkpoint, and proofs that are checked offline."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from service.accounts import Principal
from service.api.state import Asker, RoomsDep
from service.api.words import After, Index, Word
from service.audit.errors import NoEntry
from service.audit.reading import EntryFilter, LoggedEntry, Order
from service.rooms import Rooms
from service.wire import JSON

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("/entries")
def list_entries(
    asker: Asker,
    rooms: RoomsDep,
    type: Word = "",  # noqa: A002 - the name in the address
    request: Word = "",
    actor: Word = "",
    decision: Word = "",
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    order: Literal["oldest", "newest"] = "newest",
) -> JSON:
    """Return a page of the project's entries."""
    wanted = EntryFilter(
        type=type,
        request=request,
        actor=actor,
        project=asker.project,
        decision=decision,
        after=after,
        # One more than is shown tells whether there is another page.
        limit=limit + 1,
        order=Order(order),
    )
    found = rooms.log.entries(wanted)
    shown = found[:limit]
    return {
        "object": "list",
        "data": [_entry(entry) for entry in shown],
        "first_index": shown[0].index if shown else None,
        "last_index": shown[-1].index if shown else None,
        "has_more": len(found) > len(shown),
    }


@router.get("/entries/{index}")
def get_entry(asker: Asker, rooms: RoomsDep, index: Index) -> JSON:
    """Return one entry."""
    return _entry(_own(rooms, asker, index))


@router.get("/checkpoint", response_class=PlainTextResponse)
def get_checkpoint(_asker: Asker, rooms: RoomsDep) -> PlainTextResponse:
    """Return the newest checkpoint, a signed note."""
    return PlainTextResponse(rooms.log.checkpoint())


@router.get("/proofs/{index}", response_class=PlainTextResponse)
def get_proof(asker: Asker, rooms: RoomsDep, index: Index) -> PlainTextResponse:
    """Return an entry with its proof, as one file for `service/audit/verify_file.py`."""
    _own(rooms, asker, index)
    return PlainTextResponse(rooms.log.proof_text(index))


def _own(rooms: Rooms, asker: Principal, index: int) -> LoggedEntry:
    entry = rooms.log.entry(index)
    # What belongs to no project, such as a change of policy, concerns everybody.
    if entry.project not in {"", asker.project}:
        raise NoEntry("another project's")
    return entry


def _entry(entry: LoggedEntry) -> JSON:
    return {
        "object": "audit.entry",
        "index": entry.index,
        "key": entry.key,
        "type": entry.type,
        "at": entry.at,
        "logged_at": entry.logged_at,
        "request_id": entry.request,
        "actor": entry.actor,
        "project": entry.project,
        "facts": entry.facts,
        "commitments": entry.commitments,
    }
