from datetime import timedelta

import pytest

from service import jobs
from service.database import Database
from service.decision import Stage
from service.jobs import NotAnId, Step
from tests.service.jobs.builders import DIGEST, LEASE, NOON, claimed, queued, running


def topics(database: Database) -> list[str]:
    with database.transaction() as conn:
        return [item.topic for item in jobs.next_outbox(conn, 99, LEASE, NOON)]


def test_what_a_job_goes_through_is_told_in_order(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.INSPECT)
        jobs.hold(conn, lease, Stage.OUTPUT, NOON)
        jobs.resume(conn, lease.job, NOON)
        lease = claimed(conn)
        for step in (Step.SEAL, Step.LOG):
            jobs.record_step(conn, lease, step, {}, NOON)
        jobs.release(conn, lease, DIGEST, {}, NOON)

    assert topics(database) == ["job.queued", "job.held", "job.resumed", "job.released"]


def test_nothing_is_told_of_a_transaction_that_was_rolled_back(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as conn:
        queued(conn)
        raise RuntimeError("the process fell over here")

    assert topics(database) == []


def test_a_second_hold_of_one_job_is_told_too(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn)
        for stage in (Stage.HALF_WAY, Stage.OUTPUT):
            jobs.hold(conn, lease, stage, NOON)
            jobs.resume(conn, lease.job, NOON)
            lease = claimed(conn)

    assert topics(database).count("job.held") == 2


def test_an_item_is_given_to_one_sender_until_its_lease_is_over(database: Database) -> None:
    with database.transaction() as conn:
        jobs.put(conn, "likeness.used", "k", {"job": "video_1"}, NOON)

        first = jobs.next_outbox(conn, 9, LEASE, NOON)
        meanwhile = jobs.next_outbox(conn, 9, LEASE, NOON)
        later = jobs.next_outbox(conn, 9, LEASE, NOON + LEASE)

        assert (len(first), len(meanwhile), len(later)) == (1, 0, 1)
        assert later[0].attempts == 2


def test_a_sent_item_is_never_given_out_again(database: Database) -> None:
    with database.transaction() as conn:
        jobs.put(conn, "likeness.used", "k", {"job": "video_1"}, NOON)
        (item,) = jobs.next_outbox(conn, 9, LEASE, NOON)

        jobs.mark_sent(conn, item, NOON)
        jobs.postpone(conn, item, NOON)
        jobs.put(conn, "likeness.used", "k", {"job": "video_1"}, NOON)

        assert jobs.next_outbox(conn, 9, LEASE, NOON + timedelta(days=1)) == ()


def test_a_postponed_item_waits(database: Database) -> None:
    with database.transaction() as conn:
        jobs.put(conn, "likeness.used", "k", {"job": "video_1"}, NOON)
        (item,) = jobs.next_outbox(conn, 9, LEASE, NOON)

        jobs.postpone(conn, item, NOON + timedelta(minutes=5))

        assert jobs.next_outbox(conn, 9, LEASE, NOON + timedelta(minutes=4)) == ()
        assert len(jobs.next_outbox(conn, 9, LEASE, NOON + timedelta(minutes=5))) == 1


@pytest.mark.parametrize("value", ["a cat on a mat", "", "Ada Ünal", "x" * 129, "a\n"])
def test_a_payload_holds_ids_and_nothing_that_a_person_wrote(sqlite: Database, value: str) -> None:
    with sqlite.transaction() as conn, pytest.raises(NotAnId) as refused:
        jobs.put(conn, "likeness.used", "k", {"prompt": value}, NOON)

    assert not value.strip() or value not in str(refused.value)
