"""A database and a log that are closed again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.audit.log import AuditLog
from service.database import Database
from tests.service.audit.builders import Clock, a_database, a_log


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = a_database(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(database: Database, clock: Clock) -> Iterator[AuditLog]:
    with a_log(database, clock=clock) as made:
        yield made
