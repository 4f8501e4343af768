"""Erasures as stored: asked for, perhaps waiting for a hold, done. Nothing here commits."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    RowMapping,
    String,
    Table,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from service.database import metadata
from service.jobs import Instant
from service.jobs.tables import word
from service.records.words import NoSuchErasure


class State(StrEnum):
    """Where an erasure stands."""

    REQUESTED = "requested"
    QUEUED = "queued"
    DONE = "done"


class Films(StrEnum):
    """What becomes of the released films of an actor who is erased."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Counts:
    """What one erasure destroyed or emptied. `running` jobs were told to stop."""

    keys: int = 0
    likenesses: int = 0
    requests: int = 0
    cancelled: int = 0
    running: int = 0
    notices: int = 0
    notes: int = 0
    films: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """A wish that everything private about a subject be destroyed, `ers_…`.

    Attributes:
        asked_by: the subject, or an operator on their behalf, who names the `case`.
        state: `queued` while a legal hold keeps what it would destroy.
        has_left: jobs were still stopping when it was done, and have rows to drop.
    """

    id: str
    subject: str
    project: str
    asked_by: str
    case: str
    films: Films
    state: State
    asked_at: datetime
    done_at: datetime | None
    has_left: bool
    counts: Counts


erasure = Table(
    "erasure",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("project", String(80), nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("case_id", String(200), nullable=False),
    Column("films", word(Films, "erasure_films"), nullable=False),
    Column("state", word(State, "erasure_state"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("has_left", Boolean, nullable=False, server_default=false()),
    Column("counts", JSON, nullable=False),
)


def add(conn: Connection, new: Erasure) -> None:
    """Write an erasure before anything is destroyed."""
    conn.execute(
        insert(erasure).values(
            id=new.id,
            subject=new.subject,
            project=new.project,
            asked_by=new.asked_by,
            case_id=new.case,
            films=new.films,
            state=new.state,
            asked_at=new.asked_at,
            counts={},
        )
    )


def get(conn: Connection, erasure_id: str) -> Erasure:
    """Return the erasure.

    Raises:
        NoSuchErasure: there is none.
    """
    found = known(conn, erasure_id)
    if found is None:
        raise NoSuchErasure(f"there is no erasure {erasure_id}")
    return found


def known(conn: Connection, erasure_id: str) -> Erasure | None:
    """Return the erasure if there is one."""
    row = conn.execute(select(erasure).where(erasure.c.id == erasure_id)).mappings().first()
    return None if row is None else _erasure(row)


def list_of(
    conn: Connection,
    *,
    project: str | None = None,
    actor: str = "",
    after: str = "",
    limit: int = 50,
) -> list[Erasure]:
    """Return erasures, oldest first; with `project` or `actor`, only those of it."""
    c = erasure.c
    query = select(erasure).where(c.id > after)
    if project is not None:
        query = query.where(c.project == project)
    if actor:
        query = query.where(or_(c.asked_by == actor, c.subject == actor))
    return [_erasure(row) for row in conn.execute(query.order_by(c.id).limit(limit)).mappings()]


def undone(conn: Connection) -> tuple[Erasure, ...]:
    """Return the erasures that are not done, in the order in which they were asked for."""
    query = select(erasure).where(erasure.c.state != State.DONE).order_by(erasure.c.id)
    return tuple(_erasure(row) for row in conn.execute(query).mappings())


def count_done(conn: Connection) -> int:
    """Return how many erasures are done."""
    query = select(func.count()).select_from(erasure).where(erasure.c.state == State.DONE)
    return int(conn.execute(query).scalar_one())


def with_left(conn: Connection) -> tuple[Erasure, ...]:
    """Return the erasures that are done but for the rows of jobs that were still stopping."""
    query = select(erasure).where(erasure.c.has_left)
    return tuple(_erasure(row) for row in conn.execute(query).mappings())


def queue(conn: Connection, erasure_id: str) -> None:
    """Let an erasure wait for a hold."""
    conn.execute(
        update(erasure)
        .where(erasure.c.id == erasure_id, erasure.c.state != State.DONE)
        .values(state=State.QUEUED)
    )


def finish(conn: Connection, erasure_id: str, counts: Counts, now: datetime) -> None:
    """Write that an erasure is done, in the transaction that destroys."""
    conn.execute(
        update(erasure)
        .where(erasure.c.id == erasure_id)
        .values(
            state=State.DONE,
            done_at=now,
            has_left=bool(counts.running),
            counts={name: getattr(counts, name) for name in Counts.__slots__},
        )
    )


def settle_left(conn: Connection, erasure_id: str) -> None:
    """Write that nothing is left of the jobs that were still stopping."""
    conn.execute(update(erasure).where(erasure.c.id == erasure_id).values(has_left=False))


def _erasure(row: RowMapping) -> Erasure:
    return Erasure(
        row["id"],
        row["subject"],
        row["project"],
        row["asked_by"],
        row["case_id"],
        row["films"],
        row["state"],
        row["asked_at"],
        row["done_at"],
        row["has_left"],
        Counts(**row["counts"]),
    )
