"""Two people, or two processes, at the same moment, on PostgreSQL: one of them is first."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, func, select

from service import accounts, jobs, reviews
from service.accounts import NewKey, NotAuthenticated, Role
from service.accounts.api_keys import key_table
from service.database import Database
from service.decision import Stage
from service.jobs import State, Step
from service.jobs.outbox import outbox
from service.jobs.quota import Use, quota_use
from tests.service.jobs.builders import LEASE, NOON, admitted, queued, running
from tests.service.jobs.databases import postgres_schema

pytestmark = pytest.mark.postgres


@pytest.fixture
def database() -> Iterator[Database]:
    with postgres_schema("races") as made:
        yield made


def while_uncommitted(
    database: Database,
    first: Callable[[Connection], object],
    second: Callable[[Connection], object],
) -> object:
    """Do `first`, let `second` run into it, commit `first`; return what `second` came to."""
    came: list[object] = []

    def later() -> None:
        try:
            with database.transaction() as conn:
                came.append(second(conn))
        except Exception as refused:  # noqa: BLE001 - the test looks at it
            came.append(refused)

    thread = Thread(target=later)
    with database.transaction() as conn:
        first(conn)
        thread.start()
        wait_until_blocked(database)
    thread.join()
    return came[0]


def wait_until_blocked(database: Database) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    until = datetime.now(UTC) + timedelta(seconds=5)
    while datetime.now(UTC) < until:
        with database.reading() as conn:
            if conn.exec_driver_sql(waiting).scalar():
                return


def test_a_key_that_is_revoked_at_this_moment_is_not_rotated_back_to_life(
    database: Database,
) -> None:
    with database.transaction() as conn:
        actor = accounts.create_actor(conn, "Ada", NOON)
        project = accounts.create_project(conn, "Films", NOON)
        new = NewKey(actor.id, project.id, frozenset({Role.ADMIN}))
        key = accounts.create_key(conn, new, NOON).key

    came = while_uncommitted(
        database,
        lambda conn: accounts.revoke(conn, project.id, key.id, NOON),
        lambda conn: accounts.rotate(conn, project.id, key.id, timedelta(hours=1), NOON),
    )

    assert isinstance(came, NotAuthenticated)
    with database.reading() as conn:
        assert conn.execute(select(func.count()).select_from(key_table)).scalar() == 1


def test_a_film_released_at_this_moment_is_deleted_all_the_same(database: Database) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.LOG)

    came = while_uncommitted(
        database,
        lambda conn: jobs.release(conn, lease, "ab" * 32, {}, NOON),
        lambda conn: jobs.remove(conn, "proj_1", lease.job, NOON),
    )

    assert isinstance(came, jobs.Job)
    assert came.state is State.RELEASED
    assert came.deleted_at == NOON


@pytest.mark.parametrize("ruled", [reviews.clear, reviews.refuse])
def test_a_review_is_decided_by_the_first_of_two(
    database: Database, ruled: Callable[..., reviews.Outcome]
) -> None:
    with database.transaction() as conn:
        came = admitted(conn)
        held = jobs.hold(conn, came.lease, Stage.REQUEST, NOON)
        review = reviews.open_review(conn, held, "dec_1", ["filters.sexual"], NOON)

    second = while_uncommitted(
        database,
        lambda conn: ruled(conn, review.id, "act_a", "", NOON),
        lambda conn: reviews.refuse(conn, review.id, "act_b", "", NOON),
    )

    assert isinstance(second, reviews.AlreadyDecided)
    with database.reading() as conn:
        assert reviews.get(conn, review.id).reviewer == "act_a"


def test_of_many_claims_at_once_each_job_goes_to_one_and_is_told_and_counted_once(
    database: Database,
) -> None:
    with database.transaction() as conn:
        ids = {queued(conn) for _ in range(12)}
    start, claimed = Barrier(4), []

    def work(number: int) -> None:
        start.wait()
        while True:
            with database.transaction() as conn:
                lease = jobs.claim(conn, f"worker-{number}", LEASE, NOON)
            if lease is None:
                return
            claimed.append(lease.job)
            with database.transaction() as conn:
                jobs.fail(conn, lease, "broken", "It broke.", NOON)

    workers = [Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(claimed) == sorted(ids)
    with database.reading() as conn:
        uses = conn.execute(select(quota_use.c.use)).scalars().all()
        failed = select(outbox.c.key).where(outbox.c.topic == "job.failed")
        told = conn.execute(failed).scalars().all()
    assert set(uses) == {Use.RETURNED}
    assert len(told) == len(ids)
