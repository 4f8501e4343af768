"""Both databases, empty and with the tables of `service`, for tests of what is durable."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.database import Database, DatabaseUnavailable, metadata

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


@contextmanager
def sqlite_in(folder: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder / 'service.sqlite3'}")
    with database.transaction() as conn:
        metadata.create_all(conn)
    yield database
    database.close()


@contextmanager
def postgres_schema(name: str) -> Iterator[Database]:
    """Skip the test where there is no server; drop the schema afterwards."""
    schema = f"{name}_{os.getpid()}"
    owner = Database(POSTGRES)
    try:
        with owner.transaction() as conn:
            conn.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            conn.exec_driver_sql(f"CREATE SCHEMA {schema}")
    except DatabaseUnavailable:
        pytest.skip("no PostgreSQL on 127.0.0.1:5432")
    database = Database(f"{POSTGRES}?options=-csearch_path%3D{schema}")
    try:
        with database.transaction() as conn:
            metadata.create_all(conn)
        yield database
    finally:
        database.close()
        with owner.transaction() as conn:
            conn.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        owner.close()


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)
