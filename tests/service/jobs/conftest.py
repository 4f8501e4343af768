"""Each test of jobs runs on SQLite and on PostgreSQL, unless it asks for one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database import Database
from tests.service.jobs.databases import postgres_schema, sqlite_in


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with sqlite_in(tmp_path) as database:
        yield database


@pytest.fixture
def postgres() -> Iterator[Database]:
    with postgres_schema("jobs") as database:
        yield database


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    made = request.getfixturevalue(request.param)
    assert isinstance(made, Database)
    return made
