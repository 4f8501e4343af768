from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from service import jobs
from service.database import Database
from service.jobs import (
    STEPS,
    CancelAsked,
    Fenced,
    Lease,
    OutOfOrder,
    Progress,
    Signal,
    State,
    Step,
    UnknownJob,
)
from tests.service.jobs.builders import DIGEST, LEASE, NOON, admitted, claimed, queued, running

LATER = NOON + LEASE


def test_a_job_goes_through_all_eleven_steps(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)
        done = jobs.record_step(conn, lease, Step.TELL, {"told": ["act_a"]}, NOON)

        assert done.state is State.RELEASED
        assert done.next_step is None
        assert tuple(each.step for each in jobs.steps(conn, lease.job)) == STEPS
        assert jobs.steps(conn, lease.job)[-1].result == {"told": ["act_a"]}
        assert jobs.claim(conn, "worker-2", LEASE, NOON + timedelta(days=1)) is None


def test_a_step_that_is_not_due_is_refused(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)

        with pytest.raises(OutOfOrder) as wrong:
            jobs.record_step(conn, lease, Step.SEAL, {}, NOON)

        assert wrong.value.due is Step.GENERATE


def test_a_step_cannot_be_recorded_twice(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.GENERATE)

        with pytest.raises(OutOfOrder):
            jobs.record_step(conn, lease, Step.GENERATE, {}, NOON)


@pytest.mark.parametrize("step", [Step.ADMIT, Step.QUEUE, Step.RELEASE])
def test_a_step_with_effects_is_recorded_only_together_with_them(
    sqlite: Database, step: Step
) -> None:
    with sqlite.transaction() as conn:
        lease = admitted(conn).lease

        with pytest.raises(ValueError, match="recorded by the function"):
            jobs.record_step(conn, lease, step, {}, NOON)


def test_work_goes_on_after_the_last_recorded_step_when_a_worker_dies(database: Database) -> None:
    with database.transaction() as conn:
        dead = running(conn, upto=Step.GENERATE)

        too_early = jobs.claim(conn, "worker-2", LEASE, LATER - timedelta(microseconds=1))
        lease = claimed(conn, "worker-2", LATER)

        assert too_early is None
        assert lease.job == dead.job
        assert lease.fence == dead.fence + 1
        assert jobs.get(conn, lease.job).next_step is Step.INSPECT


def test_a_job_whose_front_end_died_is_admitted_by_another_process(database: Database) -> None:
    with database.transaction() as conn:
        dead = admitted(conn)
        jobs.record_step(conn, dead.lease, Step.DECIDE, {"decision": "dec_1"}, NOON)

        lease = claimed(conn, now=LATER)
        jobs.record_step(conn, lease, Step.TICKET, {}, LATER)
        job = jobs.queue(conn, lease, {}, LATER)

        assert job.state is State.QUEUED
        assert claimed(conn, now=LATER).fence == 3


def test_telling_goes_on_after_a_worker_died_behind_the_release(database: Database) -> None:
    with database.transaction() as conn:
        running(conn, upto=Step.RELEASE)

        lease = claimed(conn, "worker-2", LATER)
        job = jobs.record_step(conn, lease, Step.TELL, {}, LATER)

        assert job.state is State.RELEASED


@pytest.mark.parametrize(
    "act",
    [
        lambda conn, lease: jobs.heartbeat(conn, lease, Progress("denoise", 40), LATER),
        lambda conn, lease: jobs.record_step(conn, lease, Step.INSPECT, {}, LATER),
        lambda conn, lease: jobs.release(conn, lease, DIGEST, {}, LATER),
        lambda conn, lease: jobs.fail(conn, lease, "broken", "It broke.", LATER),
        lambda conn, lease: jobs.confirm_cancel(conn, lease, LATER),
        lambda conn, lease: jobs.hand_back(conn, lease, LATER),
    ],
    ids=["heartbeat", "record", "release", "fail", "cancel", "hand_back"],
)
def test_a_worker_that_only_slept_is_fenced(
    database: Database, act: Callable[[Connection, Lease], object]
) -> None:
    with database.transaction() as conn:
        zombie = running(conn, upto=Step.GENERATE)
        lease = claimed(conn, "worker-2", LATER)

        with pytest.raises(Fenced):
            act(conn, zombie)

        assert jobs.get(conn, lease.job).state is State.RUNNING
        assert jobs.get(conn, lease.job).next_step is Step.INSPECT


def test_the_same_owner_is_fenced_by_its_own_later_claim(database: Database) -> None:
    with database.transaction() as conn:
        first = running(conn)
        claimed(conn, first.owner, LATER)

        with pytest.raises(Fenced):
            jobs.heartbeat(conn, first, Progress("denoise", 1), LATER)


def test_a_heartbeat_keeps_the_lease_and_shows_the_progress(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)

        signal = jobs.heartbeat(conn, lease, Progress("denoise", 40), LATER)

        assert signal is Signal.GO
        assert jobs.claim(conn, "worker-2", LEASE, LATER + LEASE / 2) is None
        assert (jobs.get(conn, lease.job).stage, jobs.get(conn, lease.job).percent) == (
            "denoise",
            40,
        )


def test_a_job_that_kills_three_workers_is_poison_and_costs_nothing(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)
        for attempt in range(3):
            assert claimed(conn, f"worker-{attempt}", NOON + attempt * LEASE).job == job

        nothing = jobs.claim(conn, "worker-4", LEASE, NOON + 3 * LEASE)

        assert nothing is None
        assert jobs.get(conn, job).state is State.FAILED
        assert jobs.get(conn, job).error_code == "poison"
        assert jobs.usage(conn, "proj_1", NOON).debited == 0
        assert jobs.usage(conn, "proj_1", NOON).returned == 1


def test_poison_does_not_keep_the_next_job_from_being_claimed(database: Database) -> None:
    with database.transaction() as conn:
        queued(conn)
        for attempt in range(3):
            claimed(conn, f"worker-{attempt}", NOON + attempt * LEASE)
        healthy = queued(conn)

        assert claimed(conn, "worker-4", NOON + 3 * LEASE).job == healthy


def test_every_new_step_gives_three_more_attempts(database: Database) -> None:
    with database.transaction() as conn:
        queued(conn)
        now = NOON
        for step in (Step.CLAIM, Step.GENERATE, Step.INSPECT):
            for _ in range(2):
                claimed(conn, now=now)
                now += LEASE
            jobs.record_step(conn, claimed(conn, now=now), step, {}, now)
            now += LEASE

        assert claimed(conn, now=now).fence == 11


def test_a_film_that_is_out_stays_released_when_telling_is_poison(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)
        for attempt in range(1, 4):
            claimed(conn, now=NOON + attempt * LEASE)

        assert jobs.claim(conn, "worker", LEASE, NOON + 4 * LEASE) is None

        assert jobs.get(conn, lease.job).state is State.RELEASED
        assert jobs.usage(conn, "proj_1", NOON).debited == 1


def test_a_job_that_is_handed_back_is_taken_at_once_and_loses_no_attempt(
    database: Database,
) -> None:
    with database.transaction() as conn:
        queued(conn)
        for _ in range(10):
            jobs.hand_back(conn, claimed(conn), NOON)

        assert jobs.get(conn, claimed(conn).job).attempts == 1


def test_a_job_handed_back_after_a_step_has_as_many_attempts_as_any(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.GENERATE)

        assert jobs.hand_back(conn, lease, NOON).attempts == 0
        assert jobs.get(conn, claimed(conn).job).attempts == 1


def test_a_film_is_released_once(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)

        with pytest.raises(OutOfOrder):
            jobs.release(conn, lease, "cd" * 32, {}, NOON)

        assert jobs.get(conn, lease.job).blob_sha256 == DIGEST
        assert jobs.blob_owners(conn, DIGEST) == (lease.job,)


def test_a_cancelled_job_is_never_released(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.LOG)
        jobs.cancel(conn, lease.job, NOON)

        with pytest.raises(CancelAsked):
            jobs.release(conn, lease, DIGEST, {}, NOON)

        assert jobs.confirm_cancel(conn, lease, NOON).blob_sha256 is None


def test_a_lease_on_a_job_that_never_was_is_unknown_or_fenced(sqlite: Database) -> None:
    with sqlite.transaction() as conn:
        lease = jobs.Lease("video_none", "worker", 1, LEASE)

        with pytest.raises(Fenced):
            jobs.heartbeat(conn, lease, Progress("x", 0), NOON)
        with pytest.raises(UnknownJob):
            jobs.get(conn, "video_none")
