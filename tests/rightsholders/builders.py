"""Drafts, claims and a normaliser as simple as one can be."""

import unicodedata
from datetime import UTC, datetime

from sqlalchemy import Connection

from rightsholders.claims import WORLDWIDE, Action, Basis, Claim, Draft, Kind
from rightsholders.register import Claims
from rightsholders.tiers import Tiers
from rightsholders.words import Words

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def normalise(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def a_draft(
    *aliases: str,
    action: Action = Action.BLOCK,
    territories: frozenset[str] = WORLDWIDE,
    valid_from_at: datetime = NOW,
    valid_until_at: datetime | None = None,
) -> Draft:
    return Draft(
        holder="hld_1",
        work="A work",
        kind=Kind.CHARACTER,
        action=action,
        basis=Basis.COPYRIGHT,
        aliases=aliases,
        valid_from_at=valid_from_at,
        valid_until_at=valid_until_at,
        territories=territories,
    )


def a_register(words: Words, *, background: tuple[str, ...] = ()) -> Claims:
    return Claims(Tiers(words, normalise, background=background), words)


def in_force(claims: Claims, conn: Connection, draft: Draft) -> Claim:
    return claims.activate(conn, claims.file(conn, draft, now=NOW).id, now=NOW)


def met(claims: Claims, conn: Connection, text: str, *, territory: str = "DE") -> list[str]:
    """Return what stands in `text` where a claim was met, longest first."""
    plain = normalise(text)
    matches = claims.match(conn, plain, territory=territory, now=NOW)
    return [plain[match.start : match.end] for match in matches]
