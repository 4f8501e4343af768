from datetime import timedelta, timezone

import pytest

from service import jobs
from service.database import Database, DatabaseUnavailable
from service.jobs import Order, Step, UnknownJob
from service.jobs.admission import AGEING
from tests.service.jobs.builders import DIGEST, NOON, admitted, claimed, queued, running


def test_pages_show_every_job_once_in_either_order(database: Database) -> None:
    with database.transaction() as conn:
        ids = [admitted(conn).job.id for _ in range(5)]
        admitted(conn, project="proj_2")

        for order, expected in ((Order.OLDEST_FIRST, ids), (Order.NEWEST_FIRST, ids[::-1])):
            seen: list[str] = []
            page = jobs.list_for(conn, "proj_1", limit=2, order=order)
            seen += [job.id for job in page.jobs]
            while page.has_more:
                page = jobs.list_for(conn, "proj_1", after=seen[-1], limit=2, order=order)
                seen += [job.id for job in page.jobs]

            assert seen == expected


def test_another_projects_job_is_unknown_also_as_a_cursor(database: Database) -> None:
    with database.transaction() as conn:
        other = admitted(conn, project="proj_2").job.id

        with pytest.raises(UnknownJob):
            jobs.get_for(conn, "proj_1", other)
        with pytest.raises(UnknownJob):
            jobs.list_for(conn, "proj_1", after=other)


def test_a_deleted_job_is_not_listed(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)
        jobs.remove(conn, "proj_1", job, NOON)

        assert jobs.list_for(conn, "proj_1").jobs == ()


def test_the_place_in_line_is_the_order_of_claims(database: Database) -> None:
    with database.transaction() as conn:
        made = [queued(conn, priority=priority) for priority in (5, 0, 5, 9, 1)]
        places = {jobs.queue_position(conn, job): job for job in made}

        order = [claimed(conn).job for _ in made]

        assert order == [places[place] for place in (1, 2, 3, 4, 5)]
        assert order == [made[at] for at in (1, 4, 0, 2, 3)]
        assert jobs.queue_position(conn, made[0]) is None


def test_a_job_that_waits_long_overtakes_a_newer_one_of_higher_priority(
    database: Database,
) -> None:
    with database.transaction() as conn:
        old = queued(conn, priority=9)
        before = queued(conn, NOON + 8 * AGEING, priority=0)
        after = queued(conn, NOON + 9 * AGEING + timedelta(microseconds=1), priority=0)

        order = [claimed(conn, now=NOON + 10 * AGEING).job for _ in range(3)]

        assert order == [before, old, after]


def test_the_living_are_those_whose_frames_are_still_wanted(database: Database) -> None:
    with database.transaction() as conn:
        alive = queued(conn)
        dead = queued(conn)
        jobs.cancel(conn, dead, NOON)

        assert jobs.alive(conn) == {alive}


def test_a_time_without_a_zone_is_refused(sqlite: Database) -> None:
    with pytest.raises(DatabaseUnavailable), sqlite.transaction() as conn:
        admitted(conn, NOON.replace(tzinfo=None))


def test_a_time_comes_back_as_the_same_moment_in_utc(sqlite: Database) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=45))) + timedelta(microseconds=7)
    with sqlite.transaction() as conn:
        job = admitted(conn, there).job

        assert job.admitted_at == there
        assert job.admitted_at.utcoffset() == timedelta(0)


def test_a_film_is_shown_while_a_job_that_was_not_deleted_has_it(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)
        asked = (DIGEST, "cd" * 32)

        before = jobs.shown(conn, asked)
        jobs.remove(conn, "proj_1", lease.job, NOON)

        assert before == {DIGEST}
        assert jobs.shown(conn, asked) == frozenset()
        assert jobs.shown(conn, ()) == frozenset()
