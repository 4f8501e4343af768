from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from service.database import Database
from service.migrations import HEAD, DatabaseTooNew, all_tables, bring_up_to_date


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    made = Database(url)
    yield made
    made.close()


def differences(conn: Connection) -> list[Any]:
    together = MetaData()
    for tables in all_tables():
        for table in tables.sorted_tables:
            table.to_metadata(together)

    context = MigrationContext.configure(conn)
    found = compare_metadata(context, together)
    return [one for one in found if "alembic_version" not in str(one)]


def test_the_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    bring_up_to_date(database)

    with database.reading() as conn:
        assert differences(conn) == []
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_migrating_again_changes_nothing(database: Database) -> None:
    bring_up_to_date(database)
    with database.transaction() as conn:
        conn.execute(text("INSERT INTO log_head VALUES (1, 'kept')"))

    bring_up_to_date(database)

    with database.reading() as conn:
        assert conn.execute(text("SELECT checkpoint FROM log_head")).scalar() == "kept"


def test_a_database_of_a_later_version_is_refused(database: Database) -> None:
    bring_up_to_date(database)
    with database.transaction() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseTooNew, match="9999"):
        bring_up_to_date(database)


def test_head_is_the_last_file() -> None:
    files = sorted(Path("service/migrations/versions").glob("[0-9]*.py"))

    assert files[-1].name.startswith(HEAD)
