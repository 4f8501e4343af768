"""Who may depict whom, and who tried: grants and uses as stored. Nothing here commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Case,
    ColumnElement,
    Connection,
    RowMapping,
    case,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from likeness.consent import Grant, State, Use
from likeness.faces import LikenessError
from likeness.store import grants, likenesses, microseconds, moment, uses

VERDICTS = ("allow", "hold", "block")
"""What can come of a request, the least strict first."""


class NoSuchVerdict(LikenessError):
    """A word that is none of `VERDICTS`; how strict it is cannot be told."""


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """That a request asked for a likeness, and what came of it; refused attempts too.

    Attributes:
        verdict: the strictest that the request met, one of `VERDICTS`.
        at: when it first met one.
    """

    id: str
    likeness: str
    request_id: str
    verdict: str
    at: datetime


def add_grant(conn: Connection, grant: Grant) -> None:
    """Write a new grant."""
    conn.execute(
        insert(grants).values(
            id=grant.id,
            likeness=grant.likeness,
            to_actor=grant.to,
            uses=",".join(sorted(use.value for use in grant.uses)),
            from_at=microseconds(grant.from_at),
            until_at=microseconds(grant.until_at),
        )
    )


def mark_grant_revoked(conn: Connection, grant: str, now: datetime) -> None:
    """End a grant; the first revocation stands."""
    conn.execute(
        update(grants)
        .where(grants.c.id == grant, grants.c.revoked_at.is_(None))
        .values(revoked_at=microseconds(now))
    )


def grants_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, Grant]:
    """Return those of `ids` that exist, by id, ended or not."""
    query = _GRANTS.where(grants.c.id.in_(sorted(set(ids))))
    return {row["id"]: _grant(row) for row in conn.execute(query).mappings()}


def grants_of(conn: Connection, likeness: str) -> list[Grant]:
    """Return every grant of a likeness, ended or not, by id."""
    query = _GRANTS.where(grants.c.likeness == likeness).order_by(grants.c.id)
    return [_grant(row) for row in conn.execute(query).mappings()]


def grants_to(conn: Connection, actors: Iterable[str]) -> list[Grant]:
    """Return every grant of an active likeness to one of `actors`, ended or not, by id."""
    query = (
        _GRANTS.join(likenesses, likenesses.c.id == grants.c.likeness)
        .where(grants.c.to_actor.in_(sorted(set(actors))))
        .where(likenesses.c.state == State.ACTIVE.value)
        .order_by(grants.c.id)
    )
    return [_grant(row) for row in conn.execute(query).mappings()]


def record_use(conn: Connection, use: RecordedUse) -> RecordedUse:
    """Return what is known of this likeness in this request, `use` included; one row for both.

    The strictest verdict and the earliest moment stay, whoever comes first.

    Raises:
        NoSuchVerdict: nothing is written.
    """
    if use.verdict not in VERDICTS:
        raise NoSuchVerdict(f"{use.verdict!r} is none of {', '.join(VERDICTS)}")
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    offered = dialect.insert(uses).values(
        id=use.id,
        likeness=use.likeness,
        request_id=use.request_id,
        verdict=use.verdict,
        at=microseconds(use.at),
    )
    new = offered.excluded
    stricter = _strictness(new.verdict) > _strictness(uses.c.verdict)
    upsert = offered.on_conflict_do_update(
        index_elements=[uses.c.likeness, uses.c.request_id],
        set_={
            "verdict": case((stricter, new.verdict), else_=uses.c.verdict),
            "at": case((new.at < uses.c.at, new.at), else_=uses.c.at),
        },
    )
    return _use(conn.execute(upsert.returning(*_USES)).mappings().one())


def uses_of(conn: Connection, likeness: str, *, before: datetime, limit: int) -> list[RecordedUse]:
    """Return the last `limit` uses of a likeness before a moment, newest first."""
    query = (
        select(*_USES)
        .where(uses.c.likeness == likeness, uses.c.at < microseconds(before))
        .order_by(uses.c.at.desc(), uses.c.id)
        .limit(limit)
    )
    return [_use(row) for row in conn.execute(query).mappings()]


_USES = (uses.c.id, uses.c.likeness, uses.c.request_id, uses.c.verdict, uses.c.at)
_GRANTS = select(
    grants.c.id,
    grants.c.likeness,
    grants.c.to_actor,
    grants.c.uses,
    grants.c.from_at,
    grants.c.until_at,
    grants.c.revoked_at,
)


def _grant(row: RowMapping) -> Grant:
    return Grant(
        row["id"],
        row["likeness"],
        row["to_actor"],
        frozenset(Use(use) for use in row["uses"].split(",")),
        moment(row["from_at"]),
        moment(row["until_at"]),
        None if row["revoked_at"] is None else moment(row["revoked_at"]),
    )


def _use(row: RowMapping) -> RecordedUse:
    return RecordedUse(
        row["id"], row["likeness"], row["request_id"], row["verdict"], moment(row["at"])
    )


def _strictness(verdict: ColumnElement[str]) -> Case[int]:
    # A word that somebody else wrote is taken for the strictest, so that nothing weakens it.
    return case(
        *((verdict == word, literal(rank)) for rank, word in enumerate(VERDICTS)),
        else_=literal(len(VERDICTS)),
    )
