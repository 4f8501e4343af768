"""A request comes in: a new job with its first step done, or the job of an earlier sending."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.database import metadata
from service.jobs import quota, tables
from service.jobs.instants import Instant
from service.jobs.states import (
    Admitted,
    IdempotencyConflict,
    Job,
    Lease,
    NewJob,
    Repeat,
    State,
    Step,
)

KEY_LASTS = timedelta(hours=24)
# The official client retries by itself for some seconds, and sends no idempotency key.
FINGERPRINT_LASTS = timedelta(minutes=10)
AGEING = timedelta(minutes=10)
"""What one level of priority is worth in waiting time."""

repeat = Table(
    "job_repeat",
    metadata,
    Column("project", String(80), primary_key=True),
    # `key:` and the requester's idempotency key, or `fingerprint:`, the actor and the hash.
    Column("sign", String(400), primary_key=True),
    Column("job", String(80), nullable=False),
    Column("lapses_at", Instant, nullable=False, index=True),
)


def admit(
    conn: Connection, new: NewJob, owner: str, length: timedelta, now: datetime
) -> Admitted | Repeat:
    """Return a new job, leased to `owner` for `length`, or the job that this request already has.

    The first step is recorded and the quota reserved. A job that failed or was cancelled is no
    answer to a client's own retry, so that makes a new job; under an idempotency key it is one.

    Raises:
        IdempotencyConflict: the key was used in the last 24 hours for another request.
    """
    by_fingerprint = f"fingerprint:{new.actor}:{new.fingerprint}"
    if new.idempotency_key:
        earlier = _earlier(conn, new, f"key:{new.idempotency_key}", now + KEY_LASTS, now)
        if earlier is not None:
            if earlier.fingerprint != new.fingerprint:
                raise IdempotencyConflict(earlier.id)
            return Repeat(earlier)
    elif new.is_retry:
        earlier = _earlier(conn, new, by_fingerprint, now + FINGERPRINT_LASTS, now)
        if earlier is not None and earlier.state not in {State.FAILED, State.CANCELLED}:
            return Repeat(earlier)
    _point(conn, new, by_fingerprint, now + FINGERPRINT_LASTS)
    job = _written(conn, new, owner, now + length, now)
    quota.reserve(conn, job, now)
    return Admitted(job, Lease(job.id, owner, job.fence, length))


def forget_lapsed(conn: Connection, now: datetime) -> int:
    """Drop the signs of requests that are too old to be repeats; return how many."""
    return conn.execute(delete(repeat).where(repeat.c.lapses_at <= now)).rowcount


def _earlier(
    conn: Connection, new: NewJob, sign: str, lapses_at: datetime, now: datetime
) -> Job | None:
    """Return the job that `sign` stands for; None if it stands for `new` from now on.

    Two senders at once: the second waits at the insert for the first to commit, and then reads
    what the first wrote.
    """
    values = {"project": new.project, "sign": sign, "job": new.id, "lapses_at": lapses_at}
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    written = conn.execute(
        dialect.insert(repeat).values(values).on_conflict_do_nothing().returning(repeat.c.job)
    )
    if written.first() is not None:
        return None
    mine = (repeat.c.project == new.project, repeat.c.sign == sign)
    found = conn.execute(
        select(repeat.c.job, repeat.c.lapses_at).where(*mine).with_for_update()
    ).one()
    if found.lapses_at > now:
        return tables.get(conn, found.job)
    conn.execute(update(repeat).where(*mine).values(job=new.id, lapses_at=lapses_at))
    return None


def _point(conn: Connection, new: NewJob, sign: str, lapses_at: datetime) -> None:
    """Let `sign` stand for `new`, whatever it stood for."""
    values = {"project": new.project, "sign": sign, "job": new.id, "lapses_at": lapses_at}
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    conn.execute(
        dialect.insert(repeat)
        .values(values)
        .on_conflict_do_update(
            index_elements=["project", "sign"], set_={"job": new.id, "lapses_at": lapses_at}
        )
    )


def _written(conn: Connection, new: NewJob, owner: str, until_at: datetime, now: datetime) -> Job:
    conn.execute(
        insert(tables.job).values(
            id=new.id,
            request_id=new.request_id,
            project=new.project,
            actor=new.actor,
            fingerprint=new.fingerprint,
            parameters=new.parameters,
            priority=new.priority,
            state=State.ADMITTED,
            steps_done=1,
            owner=owner,
            fence=1,
            attempts=1,
            available_at=until_at,
            turn=now + new.priority * AGEING,
            admitted_at=now,
        )
    )
    conn.execute(insert(tables.sealed_request).values(job=new.id, sealed=new.sealed_request))
    conn.execute(
        insert(tables.job_step).values(job=new.id, step=Step.ADMIT, fence=1, result={}, at=now)
    )
    return tables.get(conn, new.id)
