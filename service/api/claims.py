"""`/v1/claims`: what a rights holder asks us not to make."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from rightsholders.claims import WORLDWIDE, Action, Basis, Claim, Draft, Kind
from rightsholders.register import Preview
from rightsholders.store import claims_by_id
from service.acts import Acts
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep
from service.api.words import After, Id, Moment
from service.audit.reading import EntryFilter
from service.request import BadRequest, checked_prompt
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/claims", tags=["claims"])

MAX_ALIASES = 200
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class AliasesBody(BaseModel):
    """Names to try out."""

    model_config = ConfigDict(extra="forbid")
    aliases: list[_Name] = Field(min_length=1, max_length=MAX_ALIASES)


class ClaimBody(AliasesBody):
    """A claim to be filed. Times are RFC 3339 with a zone, or Unix seconds."""

    work: _Name
    kind: Literal["character", "title", "mark", "logo", "style", "person"]
    action: Literal["hold", "block"]
    basis: Literal["copyright", "trade_mark", "contract", "publicity"]
    territories: list[str] = Field(default_factory=lambda: sorted(WORLDWIDE), max_length=300)
    valid_from: Moment | None = None
    valid_until: Moment | None = None


@router.post("", status_code=201, openapi_extra=documented(ClaimBody))
def create_claim(
    asker: Asker, rooms: RoomsDep, body: Annotated[ClaimBody, Depends(body_of(ClaimBody))]
) -> JSON:
    """File a claim; it is in force from the reply on."""
    _check(body.aliases, "aliases")
    _check([body.work], "work")
    draft = Draft(
        holder=asker.actor,
        work=body.work,
        kind=Kind(body.kind),
        action=Action(body.action),
        basis=Basis(body.basis),
        aliases=tuple(body.aliases),
        valid_from_at=body.valid_from or rooms.clock(),
        valid_until_at=body.valid_until,
        territories=frozenset(body.territories),
    )
    done = Acts(rooms, asker.actor, asker.project).claim(draft)
    return {**_claim(done.made), "receipt": receipt_json(done.receipt)}


@router.post("/preview", openapi_extra=documented(AliasesBody))
def preview_claim(
    _asker: Asker, rooms: RoomsDep, body: Annotated[AliasesBody, Depends(body_of(AliasesBody))]
) -> JSON:
    """Return what each name would do, before anything is filed."""
    _check(body.aliases, "aliases")
    with rooms.database.reading() as conn:
        found = rooms.gates.claims.preview(conn, body.aliases)
    return {"object": "claim.preview", "aliases": [_preview(one) for one in found]}


@router.get("")
def list_claims(
    asker: Asker,
    rooms: RoomsDep,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSON:
    """Return the asker's own claims, newest first, in whatever state."""
    # The log knows who filed what; the register is asked by id.
    wanted = EntryFilter(type="claim.in_force", actor=asker.actor, after=after, limit=limit + 1)
    found = rooms.log.entries(wanted)
    ids = [str(entry.facts["claim"]) for entry in found[:limit]]
    with rooms.database.reading() as conn:
        claims = claims_by_id(conn, ids)
    return {
        "object": "list",
        "data": [_claim(claims[one]) for one in ids if one in claims],
        "last_index": found[:limit][-1].index if found else None,
        "has_more": len(found) > limit,
    }


@router.delete("/{claim}")
def withdraw_claim(asker: Asker, rooms: RoomsDep, claim: Id) -> JSON:
    """Withdraw a claim; it matches nothing from the reply on."""
    done = Acts(rooms, asker.actor, asker.project).withdraw(claim)
    return {
        "id": done.made.id,
        "object": "claim.withdrawn",
        "deleted": True,
        "receipt": receipt_json(done.receipt),
    }


def _check(texts: list[str], param: str) -> None:
    for text in texts:
        checked_prompt(text, param=param)
        if any(character in text for character in "\r\n\t"):
            raise BadRequest(param, "control_character", "a name has one line.", "Remove it.")


def _claim(claim: Claim) -> JSON:
    until = claim.valid_until_at
    return {
        "id": claim.id,
        "object": "claim",
        "work": claim.work,
        "kind": claim.kind.value,
        "action": claim.action.value,
        "basis": claim.basis.value,
        "territories": sorted(claim.territories),
        "state": claim.state.value,
        "valid_from": int(claim.valid_from_at.timestamp()),
        "valid_until": int(until.timestamp()) if until else None,
        "aliases": [
            {"id": alias.id, "text": alias.text, "tier": alias.tier.value}
            for alias in claim.aliases
        ],
    }


def _preview(preview: Preview) -> JSON:
    judged = preview.alias
    return {
        "text": judged.text,
        "key": judged.key,
        "tier": judged.tier.value,
        "why": judged.why,
        "collisions": len(preview.collisions),
    }
