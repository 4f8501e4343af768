"""Processes that die, and processes that share a log. The work is in `crash.py`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.database import Database

ROOT = Path(__file__).parents[3]


def outcome(work: str, database: Database, count: int) -> dict[str, Any]:
    url = str(database.engine.url)
    command = [sys.executable, "-m", "tests.service.audit.crash", work, url, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_no_acknowledged_entry_is_lost_when_the_writer_is_killed(database: Database) -> None:
    found = outcome("kill", database, 20)

    assert found["acknowledged"] > 20
    assert found["lost"] == []
    assert found["unsound"] == []


@pytest.mark.slow
def test_processes_that_append_at_once_lose_and_reorder_nothing(database: Database) -> None:
    found = outcome("together", database, 3)

    assert found["statuses"] == [0, 0, 0]
    assert found["acknowledged"] == 3 * 4 * 50
    assert found["lost"] == []
    assert found["unsound"] == []
    assert found["out_of_order"] == []
