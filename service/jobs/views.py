"""Reading jobs: one, a page of a project's, the steps, the place in line."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select

from service.jobs import tables
from service.jobs.states import STEPS, Job, State, StepRecord, UnknownJob


class Order(StrEnum):
    """By time of admission."""

    OLDEST_FIRST = "asc"
    NEWEST_FIRST = "desc"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a project's jobs; `has_more` if there are others after the last."""

    jobs: tuple[Job, ...]
    has_more: bool


def get_for(conn: Connection, project: str, job_id: str) -> Job:
    """Return a job to its own project.

    Raises:
        UnknownJob: there is none, it is another project's, or it was deleted; all alike.
    """
    c = tables.job.c
    found = tables.jobs_where(
        conn,
        c.id == job_id,
        c.project == project,
        c.deleted_at.is_(None),
        order=c.seq.asc(),
        limit=1,
    )
    if not found:
        raise UnknownJob(job_id)
    return found[0]


def list_for(
    conn: Connection,
    project: str,
    *,
    after: str | None = None,
    limit: int = 20,
    order: Order = Order.NEWEST_FIRST,
) -> Page:
    """Return up to `limit` jobs of a project that come after `after`; deleted ones are left out.

    Raises:
        UnknownJob: `after` is not a job of this project.
    """
    c = tables.job.c
    ascending = order is Order.OLDEST_FIRST
    conditions = [c.project == project, c.deleted_at.is_(None)]
    if after is not None:
        last = get_for(conn, project, after).seq
        conditions.append(c.seq > last if ascending else c.seq < last)
    found = tables.jobs_where(
        conn, *conditions, order=c.seq.asc() if ascending else c.seq.desc(), limit=limit + 1
    )
    return Page(found[:limit], len(found) > limit)


def steps(conn: Connection, job_id: str) -> tuple[StepRecord, ...]:
    """Return the steps that are done, in order."""
    c = tables.job_step.c
    rows = conn.execute(select(c.step, c.fence, c.result, c.at).where(c.job == job_id))
    return tuple(
        sorted((StepRecord(*row) for row in rows), key=lambda each: STEPS.index(each.step))
    )


def sealed_request(conn: Connection, job_id: str) -> bytes:
    """Return the encrypted request.

    Raises:
        UnknownJob: there is none, or it was deleted.
    """
    c = tables.sealed_request.c
    sealed = conn.execute(select(c.sealed).where(c.job == job_id)).scalar()
    if sealed is None:
        raise UnknownJob(job_id)
    return bytes(sealed)


def queue_position(conn: Connection, job_id: str) -> int | None:
    """Return the place in line, 1 for the next; None if it does not stand in line."""
    c = tables.job.c
    own = select(c.turn, c.seq).where(c.id == job_id, c.state == State.QUEUED)
    place = conn.execute(own).first()
    if place is None:
        return None
    ahead = conn.execute(
        select(func.count())
        .select_from(tables.job)
        .where(
            c.state == State.QUEUED,
            # Implied, and said so that the index on `turn` answers.
            c.available_at.is_not(None),
            (c.turn < place.turn) | ((c.turn == place.turn) & (c.seq <= place.seq)),
        )
    )
    return ahead.scalar_one()


def alive(conn: Connection) -> frozenset[str]:
    """Return the ids of all jobs that may still need their unmarked frames."""
    c = tables.job.c
    waits = (State.ADMITTED, State.QUEUED, State.RUNNING, State.HELD)
    return frozenset(conn.execute(select(c.id).where(c.state.in_(waits))).scalars())


def blob_owners(conn: Connection, blob_sha256: str) -> tuple[str, ...]:
    """Return the jobs, not deleted, that show this file; while there is one the file stays."""
    c = tables.job.c
    query = select(c.id).where(c.blob_sha256 == blob_sha256, c.deleted_at.is_(None))
    return tuple(conn.execute(query.order_by(c.seq)).scalars())


def shown(conn: Connection, blobs: Collection[str]) -> frozenset[str]:
    """Return those of `blobs`, by SHA-256, that a job shows which was not deleted."""
    c = tables.job.c
    query = select(c.blob_sha256).where(c.blob_sha256.in_(blobs), c.deleted_at.is_(None))
    return frozenset(conn.execute(query).scalars())
