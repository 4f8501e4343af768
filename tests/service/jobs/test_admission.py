from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from service import jobs
from service.database import Database
from service.jobs import (
    Admitted,
    IdempotencyConflict,
    Repeat,
    State,
    Step,
    UnknownJob,
)
from tests.service.jobs.builders import LEASE, NOON, a_new_job, admitted

SAME: dict[str, Any] = {"fingerprint": "f" * 64}


def test_a_new_request_is_one_row_with_its_first_step_done(database: Database) -> None:
    with database.transaction() as conn:
        came = admitted(conn, parameters={"seconds": 4}, sealed_request=b"\x00sealed")

        job = jobs.get(conn, came.job.id)

        assert (job.state, job.next_step) == (State.ADMITTED, Step.DECIDE)
        assert job.parameters == {"seconds": 4}
        assert job.admitted_at == NOON
        assert jobs.sealed_request(conn, job.id) == b"\x00sealed"
        assert jobs.usage(conn, "proj_1", NOON) == jobs.Usage(reserved=1, debited=0, returned=0)


def test_the_same_key_and_request_is_a_repeat_for_a_day(database: Database) -> None:
    with database.transaction() as conn:
        first = admitted(conn, idempotency_key="k", **SAME)
        again = a_new_job(idempotency_key="k", **SAME)
        day = NOON + timedelta(hours=24)

        within = jobs.admit(conn, again, "api", LEASE, day - timedelta(microseconds=1))
        after = jobs.admit(conn, again, "api", LEASE, day)

        assert isinstance(within, Repeat)
        assert within.job.id == first.job.id
        assert isinstance(after, Admitted)


def test_the_same_key_with_another_request_is_a_conflict(database: Database) -> None:
    with database.transaction() as conn:
        first = admitted(conn, idempotency_key="k")

        with pytest.raises(IdempotencyConflict) as conflict:
            jobs.admit(conn, a_new_job(idempotency_key="k"), "api", LEASE, NOON)

        assert conflict.value.job == first.job.id


def test_a_key_means_nothing_in_another_project(database: Database) -> None:
    with database.transaction() as conn:
        admitted(conn, idempotency_key="k")

        admitted(conn, idempotency_key="k", project="proj_2")


@pytest.mark.parametrize(
    ("is_retry", "minutes", "actor", "repeats"),
    [
        (True, 9, "act_maker", True),
        (True, 10, "act_maker", False),
        (False, 1, "act_maker", False),
        (True, 1, "act_other", False),
    ],
    ids=["retry", "late", "wanted twice", "somebody else"],
)
def test_without_a_key_only_a_clients_own_retry_within_ten_minutes_repeats(
    database: Database, is_retry: bool, minutes: int, actor: str, repeats: bool
) -> None:
    with database.transaction() as conn:
        admitted(conn, **SAME)
        again = a_new_job(is_retry=is_retry, actor=actor, **SAME)

        came = jobs.admit(conn, again, "api", LEASE, NOON + timedelta(minutes=minutes))

        assert isinstance(came, Repeat) is repeats


def test_a_retry_finds_the_latest_of_two_equal_requests(database: Database) -> None:
    with database.transaction() as conn:
        admitted(conn, **SAME)
        second = admitted(conn, NOON + timedelta(minutes=8), **SAME)
        again = a_new_job(is_retry=True, **SAME)

        came = jobs.admit(conn, again, "api", LEASE, NOON + timedelta(minutes=12))

        assert isinstance(came, Repeat)
        assert came.job.id == second.job.id


def test_a_retry_after_a_failure_is_tried_anew_and_then_repeats(database: Database) -> None:
    with database.transaction() as conn:
        failed = admitted(conn, **SAME)
        jobs.fail(conn, failed.lease, "index_stale", "Try again.", NOON)

        retry = jobs.admit(conn, a_new_job(is_retry=True, **SAME), "api", LEASE, NOON)
        second = jobs.admit(conn, a_new_job(is_retry=True, **SAME), "api", LEASE, NOON)

        assert isinstance(retry, Admitted)
        assert isinstance(second, Repeat)
        assert second.job.id == retry.job.id


def test_a_key_repeats_a_failure_too(database: Database) -> None:
    with database.transaction() as conn:
        failed = admitted(conn, idempotency_key="k", **SAME)
        jobs.fail(conn, failed.lease, "broken", "It broke.", NOON)

        came = jobs.admit(conn, a_new_job(idempotency_key="k", **SAME), "api", LEASE, NOON)

        assert isinstance(came, Repeat)
        assert came.job.error_code == "broken"


def test_a_repeat_costs_nothing_and_leaves_nothing(database: Database) -> None:
    with database.transaction() as conn:
        admitted(conn, idempotency_key="k", **SAME)
        again = a_new_job(idempotency_key="k", **SAME)

        jobs.admit(conn, again, "api", LEASE, NOON)

        assert jobs.usage(conn, "proj_1", NOON).reserved == 1
        with pytest.raises(UnknownJob):
            jobs.get(conn, again.id)


def test_of_eight_equal_requests_at_once_one_becomes_a_job(database: Database) -> None:
    start = Barrier(8)
    came: list[Admitted | Repeat] = []

    def send() -> None:
        new = a_new_job(idempotency_key="k", **SAME)
        start.wait()
        with database.transaction() as conn:
            came.append(jobs.admit(conn, new, "api", LEASE, NOON))

    senders = [Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert sum(isinstance(each, Admitted) for each in came) == 1
    assert len({each.job.id for each in came}) == 1
    assert len(came) == 8


def test_signs_of_old_requests_are_forgotten(database: Database) -> None:
    with database.transaction() as conn:
        admitted(conn, idempotency_key="k")

        assert jobs.forget_lapsed(conn, NOON + timedelta(minutes=10)) == 1
        assert jobs.forget_lapsed(conn, NOON + timedelta(hours=24)) == 1


def test_neither_repr_nor_str_of_a_request_shows_its_body() -> None:
    new = a_new_job(sealed_request=b"ciphertext")

    assert "ciphertext" not in f"{new!r} {new}"
