"""Taking out of jobs what their requesters wrote; the jobs themselves, their ids and ends stay."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from service.jobs import tables
from service.jobs.states import ENDS, Job, State, Step


def of_actor(conn: Connection, actor: str) -> tuple[Job, ...]:
    """Return every job that `actor` asked for, in every project, deleted ones too; oldest first."""
    c = tables.job.c
    rows = conn.execute(select(tables.job).where(c.actor == actor).order_by(c.seq)).mappings()
    return tuple(tables.as_job(row) for row in rows)


def ended_before(
    conn: Connection, before: datetime, *, after: int = 0, limit: int = 500
) -> tuple[Job, ...]:
    """Return jobs that ended before a moment and still have their request, by `seq`."""
    c = tables.job.c
    query = (
        select(tables.job)
        .join(tables.sealed_request, tables.sealed_request.c.job == c.id)
        .where(c.state.in_(ENDS), c.ended_at < before, c.seq > after)
        .order_by(c.seq)
        .limit(limit)
    )
    return tuple(tables.as_job(row) for row in conn.execute(query).mappings())


def forget_words(conn: Connection, job: Job) -> bool:
    """Drop the request of a job that has ended, and what its steps left; True if it had one.

    Where the people in a released film are still to be told, what they are told from stays.
    """
    request = tables.sealed_request
    gone = conn.execute(delete(request).where(request.c.job == job.id)).rowcount
    if not (job.state is State.RELEASED and job.next_step is Step.TELL):
        tables.forget_results(conn, job.id)
    return bool(gone)
