"""What must be told to others, written in the transaction that made it true.

A sender takes items under a short lease, tells, and marks them sent; one that dies in between
leaves the item to the next. So everything is told at least once and each telling must bear
being repeated; `key` says whether it is the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.database import metadata
from service.jobs.instants import Instant
from service.jobs.states import Job, JobError
from service.jobs.tables import Serial

# Ids, codes and hashes have no spaces, so a prompt or a name cannot slip in unseen.
_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")


class NotAnId(JobError):
    """A payload holds something other than ids; the message names the field, not the value."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One thing to tell.

    Attributes:
        topic: such as `job.released`.
        key: the same for the same event, for ever.
        payload: ids by name.
        attempts: how often it has been taken, this time included.
    """

    seq: int
    topic: str
    key: str
    payload: Mapping[str, str]
    at: datetime
    attempts: int


outbox = Table(
    "outbox",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("topic", String(80), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("payload", JSON, nullable=False),
    Column("at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("available_at", Instant),
    Column("sent_at", Instant),
)
_UNSENT = outbox.c.available_at.is_not(None)
Index("outbox_unsent", outbox.c.seq, sqlite_where=_UNSENT, postgresql_where=_UNSENT)
_VIEW = tuple(outbox.c[name] for name in ("seq", "topic", "key", "payload", "at", "attempts"))


def put(conn: Connection, topic: str, key: str, payload: Mapping[str, str], now: datetime) -> None:
    """Add one thing to tell; the same `key` again changes nothing.

    Raises:
        NotAnId: a value of `payload` is not an id.
    """
    for name, value in payload.items():
        if not _ID.fullmatch(value):
            raise NotAnId(f"{topic}: {name} is not an id")
    rows = {
        "topic": topic,
        "key": key,
        "payload": dict(payload),
        "at": now,
        "attempts": 0,
        "available_at": now,
    }
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    conn.execute(dialect.insert(outbox).values(rows).on_conflict_do_nothing(index_elements=["key"]))


def announce(conn: Connection, topic: str, job: Job, now: datetime) -> None:
    """Add an event of `job` itself; the fence keeps its second hold apart from its first."""
    payload = {"job": job.id, "project": job.project, "actor": job.actor}
    if job.blob_sha256 is not None:
        payload["blob"] = job.blob_sha256
    put(conn, topic, f"{topic}:{job.id}:{job.fence}", payload, now)


def next_outbox(
    conn: Connection, limit: int, lease: timedelta, now: datetime
) -> tuple[OutboxItem, ...]:
    """Take up to `limit` unsent items, oldest first; nobody else gets them during `lease`."""
    due = (
        select(outbox.c.seq)
        .where(outbox.c.available_at <= now)
        .order_by(outbox.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = [row.seq for row in conn.execute(due)]
    if not taken:
        return ()
    rows = conn.execute(
        update(outbox)
        .where(outbox.c.seq.in_(taken))
        .values(available_at=now + lease, attempts=outbox.c.attempts + 1)
        .returning(*_VIEW)
    )
    return tuple(sorted((OutboxItem(*row) for row in rows), key=lambda item: item.seq))


def mark_sent(conn: Connection, item: OutboxItem, now: datetime) -> None:
    """Never give `item` out again."""
    conn.execute(
        update(outbox)
        .where(outbox.c.seq == item.seq, outbox.c.sent_at.is_(None))
        .values(sent_at=now, available_at=None)
    )


def postpone(conn: Connection, item: OutboxItem, until_at: datetime) -> None:
    """Give `item` out again from `until_at` on, unless it has been sent meanwhile."""
    conn.execute(
        update(outbox)
        .where(outbox.c.seq == item.seq, outbox.c.sent_at.is_(None))
        .values(available_at=until_at)
    )
