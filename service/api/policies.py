"""`/v1/policy/documents`: the policy book, from draft to live, and back in one call."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.accounts import Principal
from service.api.fields import body_of, documented, object_of
from service.api.state import Asker, RoomsDep
from service.api.words import MAX_INDEX
from service.decision import PolicyRef
from service.policy_book import Policy, store
from service.policy_book.changes import MAX_DOCUMENT_BYTES, Changed, Changes
from service.policy_book.difference import difference
from service.policy_book.states import (
    Document,
    DocumentNotWhole,
    NoSuchDocument,
    State,
    Why,
    short,
)
from service.request import BadRequest
from service.rooms import Rooms
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/policy", tags=["policy"])

_SHA256 = r"^[0-9a-f]{64}$"
Name = Annotated[str, Path(pattern=_SHA256)]
"""A document's SHA-256. What has not the shape of one is a 404."""

Seen = Annotated[int | None, Field(ge=0, le=MAX_INDEX)]
"""The `moves` of the book as the client saw it; a change by somebody else since is a 409."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("this holds a NUL")
    return text


class DraftBody(BaseModel):
    """A document, as JSON carries it; or send the YAML itself as `application/yaml`."""

    model_config = ConfigDict(extra="forbid")
    document: Annotated[str, AfterValidator(_without_nul)]


class ActBody(BaseModel):
    """Nothing more than that it is to be done."""

    model_config = ConfigDict(extra="forbid")
    seen: Seen = None


class PromoteBody(ActBody):
    """Where to."""

    to: Literal["shadow", "canary", "live"]
    percent: Annotated[float | None, Field(strict=True)] = None


class RollbackBody(ActBody):
    """Why, in a word that may stand in the log."""

    why: Literal["unstated", "false_refusals", "missed_harm", "mistake", "outage"] = "unstated"


async def _draft_of(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"application/yaml", "application/x-yaml", "text/yaml", "text/plain"}:
        text = await request.body()
    else:
        text = DraftBody.model_validate(await object_of(request)).document.encode()
    if len(text) > MAX_DOCUMENT_BYTES:
        raise BadRequest(
            "document", "too_large", f"it has {len(text)} bytes.",
            f"A policy has at most {MAX_DOCUMENT_BYTES >> 10} KiB.",
        )  # fmt: skip
    return text


def _documented_draft() -> dict[str, Any]:
    body = documented(DraftBody)
    body["requestBody"]["content"]["application/yaml"] = {"schema": {"type": "string"}}
    return body


Draft = Annotated[bytes, Depends(_draft_of)]


@router.post("/documents", status_code=201, openapi_extra=_documented_draft())
def create_policy(asker: Asker, rooms: RoomsDep, text: Draft) -> JSON:
    """Store a document that loads, as a draft. It decides nothing yet."""
    return _changed(_changes(rooms, asker).draft(text))


@router.get("/documents")
def list_policies(
    _asker: Asker,
    rooms: RoomsDep,
    state: Literal["", "draft", "shadow", "canary", "live", "retired"] = "",
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return the book's documents, newest first, without their text."""
    with rooms.database.reading() as conn:
        last = store.document(conn, after) if after else None
        if after and last is None:
            raise NoSuchDocument(after)
        found = store.page(
            conn, State(state) if state else None, last.number if last else None, limit + 1
        )
        moves = store.moves(conn)
    rooms.log.drain()
    shown = found[:limit]
    return {
        "object": "list",
        "moves": moves,
        "data": [_document(one) for one in shown],
        "first_id": shown[0].ref.sha256 if shown else None,
        "last_id": shown[-1].ref.sha256 if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/documents/{document}")
def get_policy(_asker: Asker, rooms: RoomsDep, document: Name) -> JSON:
    """Return one document with its text, its history and whose approvals count."""
    with rooms.database.reading() as conn:
        found = store.document(conn, document)
        history = store.history(conn, document)
        approvers = store.approvers(conn, document)
        moves = store.moves(conn)
    rooms.log.drain()
    if found is None:
        raise NoSuchDocument(document)
    return {
        **_document(found),
        "moves": moves,
        "approved_by": sorted(approvers),
        "history": [
            {
                "act": one.act.value,
                "actor": one.actor or None,
                "at": int(one.at.timestamp()),
                **({"percent": one.share / 100} if one.share else {}),
            }
            for one in history
        ],
        "document": found.text.decode("utf-8", "replace"),
    }


@router.post("/documents/{document}/promote", openapi_extra=documented(PromoteBody))
def promote_policy(
    asker: Asker,
    rooms: RoomsDep,
    document: Name,
    body: Annotated[PromoteBody, Depends(body_of(PromoteBody))],
) -> JSON:
    """Let it say what it would (`shadow`), decide for a few (`canary`), or be `live`."""
    done = _changes(rooms, asker).promote(
        document, State(body.to), percent=body.percent, seen=body.seen
    )
    return _changed(done)


@router.post("/documents/{document}/approve", openapi_extra=documented(ActBody))
def approve_policy(
    asker: Asker,
    rooms: RoomsDep,
    document: Name,
    _body: Annotated[ActBody, Depends(body_of(ActBody))],
) -> JSON:
    """Approve a document that somebody else wrote."""
    return _changed(_changes(rooms, asker).approve(document))


@router.post("/documents/{document}/retire", openapi_extra=documented(ActBody))
def retire_policy(
    asker: Asker,
    rooms: RoomsDep,
    document: Name,
    body: Annotated[ActBody, Depends(body_of(ActBody))],
) -> JSON:
    """Let a document that is not live say nothing any more."""
    return _changed(_changes(rooms, asker).retire(document, seen=body.seen))


@router.get("/documents/{document}/diff")
def diff_policy(
    _asker: Asker,
    rooms: RoomsDep,
    document: Name,
    against: Annotated[str, Query(pattern=r"^(live|[0-9a-f]{64})$")] = "live",
) -> JSON:
    """Say in meanings what this document changes against another one."""
    new = _loaded(rooms, document)
    old = rooms.book.standing().live if against == "live" else _loaded(rooms, against)
    return {
        "object": "policy.difference",
        "old": _ref(old.ref),
        "new": _ref(new.ref),
        "changes": [
            {"sentence": one.sentence, "direction": one.direction.value}
            for one in difference(old, new)
        ],
    }


@router.post("/rollback", openapi_extra=documented(RollbackBody))
def rollback_policy(
    asker: Asker, rooms: RoomsDep, body: Annotated[RollbackBody, Depends(body_of(RollbackBody))]
) -> JSON:
    """Make live again what was live before."""
    return _changed(_changes(rooms, asker).rollback(Why(body.why), seen=body.seen))


def _loaded(rooms: Rooms, sha256: str) -> Policy:
    document = rooms.book.document(sha256)
    found = rooms.book.policy(sha256)
    if found is None:
        raise DocumentNotWhole(f"{short(document.ref)} does not load in this version")
    return found


def _changes(rooms: Rooms, asker: Principal) -> Changes:
    return Changes(rooms.book, rooms.log, rooms.clock, asker.actor, asker.project)


def _changed(done: Changed) -> JSON:
    return {**_document(done.document), "receipt": receipt_json(done.receipt)}


def _document(document: Document) -> JSON:
    return {
        "object": "policy.document",
        **_ref(document.ref),
        "state": document.state.value,
        "percent": document.percent if document.share else None,
        "author": document.author or None,
        "origin": document.origin.value,
        "drafted_at": int(document.drafted_at.timestamp()),
        "changed_at": int(document.changed_at.timestamp()),
    }


def _ref(ref: PolicyRef) -> JSON:
    return {"sha256": ref.sha256, "id": ref.id, "version": ref.version}
