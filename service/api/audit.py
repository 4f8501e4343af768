"""`/v1/audit`: entries of the log, its checkpoint, and proofs that are checked offline."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from service.accounts import Principal
from service.api.searching import documented, searched
from service.api.state import Asker, RoomsDep
from service.api.words import Index
from service.audit.errors import NoEntry
from service.audit.reading import LoggedEntry
from service.audit.search.finding import Facet
from service.audit.search.language import printed
from service.inquiries import Reader, answered
from service.rooms import Rooms
from service.wire import JSON

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("/entries", openapi_extra=documented())
def list_entries(request: Request, asker: Asker, rooms: RoomsDep) -> JSON:
    """Return a page of the entries that meet a query and every filter.

    A filter that is there several times lets one of its values do. Who asks about a person, by
    `actor`, `holder` or `subject`, is named in the log first, as `audit.read`.
    """
    now = rooms.clock()
    search = searched(request, asker, rooms.keys, now)
    reader = None if search.is_continued else Reader(asker.actor, asker.project, now)
    found = answered(rooms.log, search.inquiry, reader)
    shown = found.entries
    return {
        "object": "list",
        "query": printed(search.inquiry.query),
        "data": [_entry(entry) for entry in shown],
        "first_index": shown[0].index if shown else None,
        "last_index": shown[-1].index if shown else None,
        "has_more": found.has_more,
        "next": search.next(found, rooms.keys),
        "tree_size": found.tree_size,
        "count": found.count,
        "facets": {name: _facet(facet) for name, facet in found.facets.items()},
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


def _facet(facet: Facet) -> JSON:
    return {
        "values": [{"value": value, "count": many} for value, many in facet.values],
        "other_values": facet.others,
    }
