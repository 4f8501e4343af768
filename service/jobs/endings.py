"""How a job stops: held for a person, refused, failed, cancelled, deleted; and how it goes on.

Each writes the state, the quota and what must be told in the caller's transaction.
"""

from datetime import datetime

from sqlalchemy import Connection, case, delete, literal, update

from service.decision import Stage
from service.jobs import quota, tables
from service.jobs.outbox import announce
from service.jobs.states import (
    ENDS,
    STEPS,
    AlreadyEnded,
    CancelAsked,
    Job,
    Lease,
    NotHeld,
    State,
    Step,
    UnknownJob,
)
from service.jobs.views import get_for

_IDLE: dict[str, object] = {"owner": None, "available_at": None}


def hold(conn: Connection, lease: Lease, stage: Stage, now: datetime) -> Job:
    """Stop and wait for a person; the lease is over.

    It goes on with the first step that has no record. A step that is done although its decision
    is to hold is therefore recorded first, in the same transaction.

    Raises:
        Fenced: it is no longer ours.
        CancelAsked: it was cancelled meanwhile; nobody needs to look at it.
        AlreadyEnded: it is released.
    """
    c = tables.job.c
    job = tables.change_leased(
        conn,
        lease,
        c.cancel_asked.is_(False),
        c.state != State.RELEASED,
        state=State.HELD,
        held_stage=stage,
        **_IDLE,
    )
    if job is None:
        stands = tables.get(conn, lease.job)
        if stands.cancel_asked:
            raise CancelAsked(lease.job)
        raise AlreadyEnded(lease.job, stands.state)
    announce(conn, "job.held", job, now)
    return job


def resume(conn: Connection, job_id: str, now: datetime) -> Job:
    """Let a held job go on where it stopped, in its old place in line.

    Raises:
        UnknownJob: there is none.
        NotHeld: it does not wait for a person.
    """
    queued = tables.job.c.steps_done > STEPS.index(Step.QUEUE)
    job = _from_held(
        conn,
        job_id,
        state=case(
            (queued, literal(State.QUEUED, tables.job.c.state.type)),
            else_=literal(State.ADMITTED, tables.job.c.state.type),
        ),
        available_at=now,
        attempts=0,
    )
    announce(conn, "job.resumed", job, now)
    return job


def refuse_held(conn: Connection, job_id: str, code: str, message: str, now: datetime) -> Job:
    """End a held job as refused, because a person said so.

    Raises:
        UnknownJob: there is none.
        NotHeld: it does not wait for a person.
    """
    job = _from_held(
        conn,
        job_id,
        state=State.REFUSED,
        error_code=code,
        error_message=message,
        ended_at=now,
    )
    return _settled(conn, job, now)


def refuse(conn: Connection, lease: Lease, code: str, message: str, now: datetime) -> Job:
    """End the job because a decision blocks it; it is not billed.

    Raises:
        Fenced: it is no longer ours.
        AlreadyEnded: it is released.
    """
    return _ended(conn, lease, State.REFUSED, now, error_code=code, error_message=message)


def fail(conn: Connection, lease: Lease, code: str, message: str, now: datetime) -> Job:
    """End the job because it could not be done; it is not billed.

    Raises:
        Fenced: it is no longer ours.
        AlreadyEnded: it is released.
    """
    return _ended(conn, lease, State.FAILED, now, error_code=code, error_message=message)


def confirm_cancel(conn: Connection, lease: Lease, now: datetime) -> Job:
    """End the job as cancelled: the device is free again.

    Raises:
        Fenced: it is no longer ours.
        AlreadyEnded: it is released.
    """
    return _ended(conn, lease, State.CANCELLED, now)


def cancel(conn: Connection, job_id: str, now: datetime) -> Job:
    """Cancel at once what nobody works on; ask whoever works on the rest to stop.

    The job that comes back is `cancelled`, or has `cancel_asked`. Again changes nothing.

    Raises:
        UnknownJob: there is none.
        AlreadyEnded: it was refused, failed or released before.
    """
    job = tables.get(conn, job_id, locked=True)
    if job.state is State.CANCELLED:
        return job
    if job.state in ENDS:
        raise AlreadyEnded(job_id, job.state)
    c = tables.job.c
    idle = tables.change(
        conn,
        c.seq == job.seq,
        c.owner.is_(None) | (c.available_at <= now),
        state=State.CANCELLED,
        held_stage=None,
        ended_at=now,
        **_IDLE,
    )
    if idle is not None:
        return _settled(conn, idle, now)
    conn.execute(update(tables.job).where(c.seq == job.seq).values(cancel_asked=True))
    return tables.get(conn, job_id)


def remove(conn: Connection, project: str, job_id: str, now: datetime) -> Job:
    """Take the job from its project's sight, cancel it if it is alive, and drop the request.

    What its steps left goes as well: it names people, and has hashes that can be guessed. Only
    where the people in a released film are still to be told, it stays until they were.

    Raises:
        UnknownJob: there is none in `project`, or it was deleted before.
    """
    get_for(conn, project, job_id)
    # Locked, so that it cannot come to an end between the question and the cancelling.
    job = tables.get(conn, job_id, locked=True)
    if job.state not in ENDS:
        cancel(conn, job_id, now)
    c = tables.job.c
    deleted = tables.change(conn, c.seq == job.seq, c.deleted_at.is_(None), deleted_at=now)
    if deleted is None:
        raise UnknownJob(job_id)
    conn.execute(delete(tables.sealed_request).where(tables.sealed_request.c.job == job_id))
    if deleted.next_step is not Step.TELL:
        tables.forget_results(conn, job_id)
    announce(conn, "job.deleted", deleted, now)
    return deleted


def quarantine(conn: Connection, lease: Lease, now: datetime) -> None:
    """Stop trying a job that no process survives.

    A released one stays released, because the file is out; only the telling is given up, and
    `job.quarantined` says so.

    Raises:
        Fenced: it is no longer ours.
    """
    job = tables.get(conn, lease.job, locked=True)
    announce(conn, "job.quarantined", job, now)
    if job.state is State.RELEASED:
        tables.change_owned(conn, lease, error_code="poison", **_IDLE)
        if job.deleted_at is not None:
            tables.forget_results(conn, job.id)
        return
    fail(conn, lease, "poison", "It could not be made after several attempts.", now)


def _from_held(conn: Connection, job_id: str, **values: object) -> Job:
    c = tables.job.c
    job = tables.change(conn, c.id == job_id, c.state == State.HELD, held_stage=None, **values)
    if job is None:
        raise NotHeld(job_id, tables.get(conn, job_id).state)
    return job


def _ended(conn: Connection, lease: Lease, state: State, now: datetime, **values: object) -> Job:
    job = tables.change_leased(
        conn,
        lease,
        tables.job.c.state != State.RELEASED,
        state=state,
        ended_at=now,
        **_IDLE,
        **values,
    )
    if job is None:
        raise AlreadyEnded(lease.job, State.RELEASED)
    return _settled(conn, job, now)


def _settled(conn: Connection, job: Job, now: datetime) -> Job:
    quota.settle(conn, job, quota.Use.RETURNED, now)
    announce(conn, f"job.{job.state}", job, now)
    return job
