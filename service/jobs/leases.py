"""Working on a job: claim it, beat, record each step, give it back.

Whoever dies simply stops beating; the lease runs out, the next claim raises the fence, and the
work goes on after the last recorded step. Whoever was only asleep finds itself fenced.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, insert, literal, select

from service.jobs import endings, quota, tables
from service.jobs.outbox import announce
from service.jobs.states import (
    STEPS,
    CancelAsked,
    Fields,
    Job,
    Lease,
    OutOfOrder,
    Progress,
    Signal,
    State,
    Step,
)

MAX_ATTEMPTS = 3
# These steps change more than their own record; each has a function of its own.
_WITH_EFFECTS = frozenset({Step.ADMIT, Step.QUEUE, Step.RELEASE})


def claim(conn: Connection, owner: str, length: timedelta, now: datetime) -> Lease | None:
    """Lease the job whose turn it is: a queued one, or one that somebody stopped working on.

    On its way it cancels what was cancelled while nobody looked, and fails as `poison` what took
    `MAX_ATTEMPTS` leases without a new step. The next thing to do is `get(conn, job).next_step`.
    """
    while (job := _next(conn, owner, now + length, now)) is not None:
        lease = Lease(job.id, owner, job.fence, length)
        if job.cancel_asked and job.state is not State.RELEASED:
            endings.confirm_cancel(conn, lease, now)
        elif job.attempts > MAX_ATTEMPTS:
            endings.quarantine(conn, lease, now)
        else:
            return lease
    return None


def heartbeat(conn: Connection, lease: Lease, progress: Progress, now: datetime) -> Signal:
    """Keep the lease for another `lease.length`, show the progress, and learn whether to stop.

    Call it from the work itself, after each denoising step: a thread beside it would go on
    beating while the device hangs.

    Raises:
        Fenced: the job has gone to somebody else, or to its end.
    """
    job = tables.change_owned(
        conn,
        lease,
        available_at=now + lease.length,
        stage=progress.stage,
        percent=progress.percent,
    )
    return Signal.CANCEL if job.cancel_asked else Signal.GO


def record_step(conn: Connection, lease: Lease, step: Step, result: Fields, now: datetime) -> Job:
    """Write that `step` is done, in the transaction that holds the step's other effects.

    `Step.TELL`, the last, also ends the lease.

    Raises:
        Fenced: the job is no longer ours.
        OutOfOrder: another step is due, or this one is done.
        ValueError: `admit`, `queue` and `release` record their own steps.
    """
    if step in _WITH_EFFECTS:
        raise ValueError(f"{step} is recorded by the function of that name")
    if step is Step.CLAIM:
        return _recorded(conn, lease, step, result, now, started_at=now)
    if step is Step.TELL:
        return _recorded(conn, lease, step, result, now, owner=None, available_at=None)
    return _recorded(conn, lease, step, result, now)


def queue(conn: Connection, lease: Lease, result: Fields, now: datetime) -> Job:
    """Record the step `queue`, debit the quota and put the job in line; the lease is over.

    Raises:
        Fenced, OutOfOrder: as in `record_step`.
        CancelAsked: it was cancelled meanwhile.
    """
    job = _recorded(
        conn,
        lease,
        Step.QUEUE,
        result,
        now,
        state=State.QUEUED,
        queued_at=now,
        owner=None,
        available_at=now,
    )
    quota.settle(conn, job, quota.Use.DEBITED, now)
    announce(conn, "job.queued", job, now)
    return job


def release(conn: Connection, lease: Lease, blob_sha256: str, result: Fields, now: datetime) -> Job:
    """Make the file public, exactly once. What is left is to tell.

    The lease goes on, so that another process tells if this one dies.

    Raises:
        Fenced, OutOfOrder: as in `record_step`.
        CancelAsked: it was cancelled meanwhile; nothing is public.
    """
    if len(blob_sha256) != 64 or set(blob_sha256) - set("0123456789abcdef"):
        raise ValueError("a blob is named by the 64 lower-case hex digits of its SHA-256")
    # The point of no return: when this transaction commits, the file is out.
    job = _recorded(
        conn,
        lease,
        Step.RELEASE,
        result,
        now,
        state=State.RELEASED,
        blob_sha256=blob_sha256,
        percent=100,
        ended_at=now,
    )
    announce(conn, "job.released", job, now)
    return job


def hand_back(conn: Connection, lease: Lease, now: datetime) -> Job:
    """Give the job to the next claim at once, and do not count the attempt: we are shutting down.

    Raises:
        Fenced: it is no longer ours.
    """
    attempts = tables.job.c.attempts
    return tables.change_owned(
        conn,
        lease,
        owner=None,
        available_at=now,
        # A step recorded under this lease has set it to 0.
        attempts=case((attempts > 0, attempts - 1), else_=0),
    )


def _next(conn: Connection, owner: str, until_at: datetime, now: datetime) -> Job | None:
    job = tables.job
    turn = (
        select(job.c.seq)
        .where(job.c.available_at <= now)
        .order_by(job.c.turn, job.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return tables.change(
        conn,
        job.c.seq == turn,
        owner=owner,
        available_at=until_at,
        fence=job.c.fence + 1,
        attempts=job.c.attempts + 1,
        state=case(
            (job.c.state == State.QUEUED, literal(State.RUNNING, job.c.state.type)),
            else_=job.c.state,
        ),
    )


def _recorded(
    conn: Connection, lease: Lease, step: Step, result: Fields, now: datetime, **values: object
) -> Job:
    c = tables.job.c
    done = STEPS.index(step)
    due = [c.steps_done == done]
    if step in _WITH_EFFECTS:
        due.append(c.cancel_asked.is_(False))
    job = tables.change_leased(conn, lease, *due, steps_done=done + 1, attempts=0, **values)
    if job is None:
        stands = tables.get(conn, lease.job)
        if stands.next_step is step:
            raise CancelAsked(lease.job)
        raise OutOfOrder(lease.job, step, stands.next_step)
    conn.execute(
        insert(tables.job_step).values(
            job=job.id, step=step, fence=lease.fence, result=result, at=now
        )
    )
    if job.deleted_at is not None:
        tables.forget_results(conn, job.id)
    return job
