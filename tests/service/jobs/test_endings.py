from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from service import jobs
from service.database import Database
from service.decision import Stage
from service.jobs import (
    AlreadyEnded,
    CancelAsked,
    Fenced,
    Job,
    Lease,
    NotHeld,
    Progress,
    Signal,
    State,
    Step,
    UnknownJob,
)
from tests.service.jobs.builders import DIGEST, LEASE, NOON, admitted, claimed, queued, running

FREE = jobs.Usage(reserved=0, debited=0, returned=1)


def test_a_request_held_at_the_door_goes_on_at_the_door(database: Database) -> None:
    with database.transaction() as conn:
        came = admitted(conn)
        jobs.record_step(conn, came.lease, Step.DECIDE, {"verdict": "hold"}, NOON)
        held = jobs.hold(conn, came.lease, Stage.REQUEST, NOON)
        nobody = jobs.claim(conn, "worker", LEASE, NOON + timedelta(days=9))

        resumed = jobs.resume(conn, came.job.id, NOON)
        lease = claimed(conn)

        assert (held.state, held.held_stage) == (State.HELD, Stage.REQUEST)
        assert nobody is None
        assert (resumed.state, resumed.next_step) == (State.ADMITTED, Step.TICKET)
        assert lease.job == came.job.id


def test_a_film_held_at_the_exit_goes_on_at_the_seal_and_keeps_its_place(
    database: Database,
) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.INSPECT)
        jobs.hold(conn, lease, Stage.OUTPUT, NOON)
        queued(conn, NOON + timedelta(seconds=1))

        resumed = jobs.resume(conn, lease.job, NOON + timedelta(hours=1))
        again = claimed(conn, now=NOON + timedelta(hours=1))

        assert (resumed.state, resumed.next_step) == (State.QUEUED, Step.SEAL)
        assert again.job == lease.job


def test_whoever_held_a_job_has_lost_it(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)
        jobs.hold(conn, lease, Stage.HALF_WAY, NOON)

        with pytest.raises(Fenced):
            jobs.heartbeat(conn, lease, Progress("denoise", 50), NOON)


def test_a_held_job_that_a_person_refuses_is_over_and_free(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.INSPECT)
        jobs.hold(conn, lease, Stage.OUTPUT, NOON)

        job = jobs.refuse_held(conn, lease.job, "review.refused", "No.", NOON)

        assert (job.state, job.error_code, job.held_stage) == (
            State.REFUSED,
            "review.refused",
            None,
        )
        assert jobs.usage(conn, "proj_1", NOON) == FREE


def test_only_a_held_job_can_be_resumed_or_refused_by_a_person(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)

        with pytest.raises(NotHeld):
            jobs.resume(conn, job, NOON)
        with pytest.raises(NotHeld):
            jobs.refuse_held(conn, job, "x", "x", NOON)
        with pytest.raises(UnknownJob):
            jobs.resume(conn, "video_none", NOON)


@pytest.mark.parametrize("end", [jobs.refuse, jobs.fail])
def test_a_request_that_comes_to_nothing_is_never_billed(
    database: Database, end: Callable[[Connection, Lease, str, str, datetime], Job]
) -> None:
    with database.transaction() as conn:
        lease = running(conn)

        job = end(conn, lease, "filters.sexual", "Not made here.", NOON)

        assert (job.error_code, job.error_message) == ("filters.sexual", "Not made here.")
        assert job.ended_at == NOON
        assert jobs.usage(conn, "proj_1", NOON) == FREE


def test_a_queued_job_is_cancelled_at_once(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)

        cancelled = jobs.cancel(conn, job, NOON)

        assert cancelled.state is State.CANCELLED
        assert jobs.cancel(conn, job, NOON) == cancelled
        assert jobs.claim(conn, "worker", LEASE, NOON) is None
        assert jobs.usage(conn, "proj_1", NOON) == FREE


def test_a_held_job_is_cancelled_at_once(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.INSPECT)
        jobs.hold(conn, lease, Stage.OUTPUT, NOON)

        assert jobs.cancel(conn, lease.job, NOON).state is State.CANCELLED
        with pytest.raises(NotHeld):
            jobs.resume(conn, lease.job, NOON)


def test_a_running_job_learns_of_the_cancel_with_its_next_heartbeat(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)

        asked = jobs.cancel(conn, lease.job, NOON)
        signal = jobs.heartbeat(conn, lease, Progress("denoise", 50), NOON)
        stopped = jobs.confirm_cancel(conn, lease, NOON)

        assert (asked.state, asked.cancel_asked) == (State.RUNNING, True)
        assert signal is Signal.CANCEL
        assert stopped.state is State.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_made_by_another(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)
        jobs.cancel(conn, lease.job, NOON)

        assert jobs.claim(conn, "worker-2", LEASE, NOON + LEASE) is None
        assert jobs.get(conn, lease.job).state is State.CANCELLED


def test_a_cancelled_job_is_neither_queued_nor_held(database: Database) -> None:
    with database.transaction() as conn:
        came = admitted(conn)
        for step in (Step.DECIDE, Step.TICKET):
            jobs.record_step(conn, came.lease, step, {}, NOON)
        jobs.cancel(conn, came.job.id, NOON)

        with pytest.raises(CancelAsked):
            jobs.queue(conn, came.lease, {}, NOON)
        with pytest.raises(CancelAsked):
            jobs.hold(conn, came.lease, Stage.REQUEST, NOON)

        assert jobs.confirm_cancel(conn, came.lease, NOON).state is State.CANCELLED


def test_what_is_released_can_no_longer_be_stopped(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)

        with pytest.raises(AlreadyEnded):
            jobs.cancel(conn, lease.job, NOON)
        with pytest.raises(AlreadyEnded):
            jobs.fail(conn, lease, "late", "Late.", NOON)
        with pytest.raises(AlreadyEnded):
            jobs.hold(conn, lease, Stage.RELEASE, NOON)

        assert jobs.get(conn, lease.job).state is State.RELEASED


def test_deleting_a_running_job_stops_it_and_hides_it_at_once(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)

        jobs.remove(conn, "proj_1", lease.job, NOON)

        assert jobs.heartbeat(conn, lease, Progress("denoise", 50), NOON) is Signal.CANCEL
        with pytest.raises(UnknownJob):
            jobs.get_for(conn, "proj_1", lease.job)
        with pytest.raises(UnknownJob):
            jobs.sealed_request(conn, lease.job)
        with pytest.raises(UnknownJob):
            jobs.remove(conn, "proj_1", lease.job, NOON)


def test_deleting_a_released_job_frees_its_film_and_keeps_its_steps(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)
        digest = jobs.get(conn, lease.job).blob_sha256
        assert digest is not None

        jobs.remove(conn, "proj_1", lease.job, NOON)

        told = [
            item for item in jobs.next_outbox(conn, 9, LEASE, NOON) if item.topic == "job.deleted"
        ]
        assert told[0].payload["blob"] == digest
        assert jobs.blob_owners(conn, digest) == ()
        assert len(jobs.steps(conn, lease.job)) == 10


def test_nobody_deletes_another_projects_job(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)

        with pytest.raises(UnknownJob):
            jobs.remove(conn, "proj_2", job, NOON)

        assert jobs.get(conn, job).state is State.QUEUED


TOKEN = {"ticket": "v1.names @mara and hashes"}


def left(conn: Connection, job: str) -> set[str]:
    """Return the names of everything that the steps of a job have left."""
    return {name for record in jobs.steps(conn, job) for name in record.result}


def test_deleting_a_job_forgets_what_its_steps_left(database: Database) -> None:
    with database.transaction() as conn:
        came = admitted(conn)
        jobs.record_step(conn, came.lease, Step.DECIDE, {"granted": {"lik_1": "grt_1"}}, NOON)
        jobs.record_step(conn, came.lease, Step.TICKET, TOKEN, NOON)
        jobs.queue(conn, came.lease, {}, NOON)
        before = left(conn, came.job.id)

        jobs.remove(conn, "proj_1", came.job.id, NOON)

        assert before == {"granted", "ticket"}
        assert left(conn, came.job.id) == set()
        assert len(jobs.steps(conn, came.job.id)) == 4


def test_a_step_that_ends_after_the_deletion_leaves_nothing(database: Database) -> None:
    with database.transaction() as conn:
        came = admitted(conn)
        jobs.record_step(conn, came.lease, Step.DECIDE, {}, NOON)
        jobs.remove(conn, "proj_1", came.job.id, NOON)

        jobs.record_step(conn, came.lease, Step.TICKET, TOKEN, NOON)

        assert left(conn, came.job.id) == set()


def test_a_deleted_film_is_forgotten_once_the_people_in_it_were_told(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.LOG)
        jobs.release(conn, lease, DIGEST, {"granted": {"lik_1": "grt_1"}}, NOON)

        jobs.remove(conn, "proj_1", lease.job, NOON)
        to_tell = left(conn, lease.job)
        jobs.record_step(conn, lease, Step.TELL, {}, NOON)

        assert to_tell == {"granted"}
        assert left(conn, lease.job) == set()


def test_a_deleted_film_is_forgotten_when_nobody_survives_the_telling(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.LOG)
        jobs.release(conn, lease, DIGEST, {"granted": {"lik_1": "grt_1"}}, NOON)
        jobs.remove(conn, "proj_1", lease.job, NOON)

        for attempt in range(1, 4):
            claimed(conn, now=NOON + attempt * LEASE)
        nobody = jobs.claim(conn, "worker", LEASE, NOON + 4 * LEASE)

        assert nobody is None
        assert left(conn, lease.job) == set()
