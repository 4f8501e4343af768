"""What each project has used: reserved when admitted, debited when queued, returned otherwise.

It counts and limits nothing. A request that is refused, fails or is cancelled costs nothing,
also when that happens after it was queued.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, Index, String, Table, func, insert, select, update

from service.database import metadata
from service.jobs.instants import Instant
from service.jobs.states import Job
from service.jobs.tables import word


class Use(StrEnum):
    """What became of one request's share."""

    RESERVED = "reserved"
    DEBITED = "debited"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Usage:
    """How many requests of a project are reserved, debited and returned."""

    reserved: int
    debited: int
    returned: int


quota_use = Table(
    "quota_use",
    metadata,
    Column("job", String(80), primary_key=True),
    Column("project", String(80), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("use", word(Use, "quota_use_use"), nullable=False),
    Column("reserved_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
Index("quota_use_project", quota_use.c.project, quota_use.c.reserved_at)


def reserve(conn: Connection, job: Job, now: datetime) -> None:
    """Set aside one request's share."""
    conn.execute(
        insert(quota_use).values(
            job=job.id,
            project=job.project,
            actor=job.actor,
            use=Use.RESERVED,
            reserved_at=now,
            changed_at=now,
        )
    )


def settle(conn: Connection, job: Job, use: Use, now: datetime) -> None:
    """Debit the share, or return it."""
    conn.execute(update(quota_use).where(quota_use.c.job == job.id).values(use=use, changed_at=now))


def usage(conn: Connection, project: str, since_at: datetime) -> Usage:
    """Return what `project` has used by requests admitted from `since_at` on."""
    rows = conn.execute(
        select(quota_use.c.use, func.count())
        .where(quota_use.c.project == project, quota_use.c.reserved_at >= since_at)
        .group_by(quota_use.c.use)
    )
    counts: dict[Use, int] = {row[0]: row[1] for row in rows}
    return Usage(
        reserved=counts.get(Use.RESERVED, 0),
        debited=counts.get(Use.DEBITED, 0),
        returned=counts.get(Use.RETURNED, 0),
    )
