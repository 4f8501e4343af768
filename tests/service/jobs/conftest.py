"""Both databases, each empty and with the tables of `service`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database import Database, DatabaseUnavailable, metadata

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
    with database.transaction() as conn:
        metadata.create_all(conn)
    yield database
    database.close()


@pytest.fixture
def postgres() -> Iterator[Database]:
    schema = f"jobs_{os.getpid()}"
    owner = Database(POSTGRES)
    try:
        with owner.transaction() as conn:
            conn.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            conn.exec_driver_sql(f"CREATE SCHEMA {schema}")
    except DatabaseUnavailable:
        pytest.skip("no PostgreSQL on 127.0.0.1:5432")
    database = Database(f"{POSTGRES}?options=-csearch_path%3D{schema}")
    with database.transaction() as conn:
        metadata.create_all(conn)
    yield database
    database.close()
    with owner.transaction() as conn:
        conn.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    owner.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    made = request.getfixturevalue(request.param)
    assert isinstance(made, Database)
    return made
