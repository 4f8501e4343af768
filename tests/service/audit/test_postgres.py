"""The log's promises on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, event

from service.database import Database, DatabaseUnavailable, metadata
from tests.service.audit.builders import a_log, an_entry
from tests.service.audit.test_crash import outcome

pytestmark = pytest.mark.postgres


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    metadata.create_all(database.engine)
    yield database
    database.close()


def test_the_connection_that_commits_is_durable(postgres: Database) -> None:
    promised: list[tuple[str, ...]] = []

    @event.listens_for(postgres.engine, "commit")
    def _commit(conn: Connection) -> None:
        raw = conn.connection.dbapi_connection
        assert raw is not None
        cursor = raw.cursor()
        for name in ("synchronous_commit", "fsync"):
            cursor.execute(f"SHOW {name}")
            promised.append((name, *(cursor.fetchone() or ())))

    with a_log(postgres) as log:
        promised.clear()
        log.append(an_entry("dec_1"))

    assert promised == [("synchronous_commit", "on"), ("fsync", "on")]


@pytest.mark.slow
def test_no_acknowledged_entry_is_lost_when_the_writer_is_killed(postgres: Database) -> None:
    found = outcome("kill", postgres, 6)

    assert found["acknowledged"] > 6
    assert found["lost"] == []
    assert found["unsound"] == []


@pytest.mark.slow
def test_processes_that_append_at_once_lose_and_reorder_nothing(postgres: Database) -> None:
    found = outcome("together", postgres, 3)

    assert found["statuses"] == [0, 0, 0]
    assert found["acknowledged"] == 3 * 4 * 50
    assert found["lost"] == []
    assert found["out_of_order"] == []


def test_a_decision_id_that_is_none_spoils_nobodys_batch(postgres: Database) -> None:
    entries = [
        an_entry("dec_1"),
        an_entry("dec_2", facts={"decision": "a\0b"}),
        an_entry("dec_3", facts={"decision": "é" * 150}),
    ]

    with a_log(postgres) as log:
        indexes = [receipt.index for receipt in log.append_many(entries)]

        assert indexes == [0, 1, 2]
        assert log.verify().sound


def test_a_process_that_stopped_with_the_head_locked_stops_the_others_for_a_moment_only(
    postgres_url: str, postgres: Database
) -> None:
    hasty = Database(postgres_url, busy_timeout_s=0.2)
    with a_log(hasty) as log, postgres.transaction() as stopped:
        stopped.exec_driver_sql("SELECT 1 FROM log_head FOR UPDATE")

        with pytest.raises(DatabaseUnavailable) as refused:
            log.append(an_entry("dec_1"))

        stopped.rollback()
        assert refused.value.cause == "locked"
        assert log.append(an_entry("dec_1")).index == 0
    hasty.close()
