"""Jobs at every point of their way, built through the public functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection

from service import jobs
from service.jobs import STEPS, Admitted, Lease, NewJob, Step

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEASE = timedelta(seconds=10)
DIGEST = "ab" * 32
_numbers = count(1)


def a_new_job(**changes: Any) -> NewJob:  # noqa: ANN401 - any field of NewJob
    number = next(_numbers)
    new = NewJob(
        id=f"video_{number:08d}",
        request_id=f"req_{number:08d}",
        project="proj_1",
        actor="act_maker",
        fingerprint=f"{number:064x}",
        parameters={"seconds": 4, "size": "256x256"},
        sealed_request=b"sealed",
    )
    return replace(new, **changes)


def admitted(conn: Connection, now: datetime = NOON, **changes: Any) -> Admitted:  # noqa: ANN401 - any field of NewJob
    came = jobs.admit(conn, a_new_job(**changes), "api", LEASE, now)
    assert isinstance(came, Admitted)
    return came


def queued(conn: Connection, now: datetime = NOON, **changes: Any) -> str:  # noqa: ANN401 - any field of NewJob
    came = admitted(conn, now, **changes)
    for step in (Step.DECIDE, Step.TICKET):
        jobs.record_step(conn, came.lease, step, {}, now)
    jobs.queue(conn, came.lease, {}, now)
    return came.job.id


def claimed(conn: Connection, owner: str = "worker-1", now: datetime = NOON) -> Lease:
    lease = jobs.claim(conn, owner, LEASE, now)
    assert lease is not None
    return lease


def running(conn: Connection, *, upto: Step = Step.CLAIM, now: datetime = NOON) -> Lease:
    """Return the lease of a job whose last recorded step is `upto`."""
    queued(conn, now)
    lease = claimed(conn, now=now)
    for step in STEPS[STEPS.index(Step.CLAIM) : STEPS.index(upto) + 1]:
        if step is Step.RELEASE:
            jobs.release(conn, lease, DIGEST, {}, now)
        else:
            jobs.record_step(conn, lease, step, {}, now)
    return lease
