"""A process dies in the middle of an erasure; the next one finishes it, once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.audit.reading import EntryFilter
from tests.service.records.house import an_office

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("point", "is_listed", "is_destroyed"),
    [("before_line", False, False), ("after_line", True, False), ("after_commit", True, True)],
)
def test_a_killed_erasure_is_finished_by_the_next_start_and_logged_once(
    tmp_path: Path, point: str, *, is_listed: bool, is_destroyed: bool
) -> None:
    with an_office(tmp_path) as office:
        mara = office.people["mara"]
        index = office.log(mara)

    dead = subprocess.run(
        [sys.executable, "-m", "tests.service.records.eraser", str(tmp_path), point, mara],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert dead.returncode == -signal.SIGKILL, dead.stderr[-2000:]
    with an_office(tmp_path) as office:
        assert bool(office.ledger.lines()) == is_listed
        assert office.has_key(mara) is not is_destroyed
        finished = office.erasing.go_on()
        assert len(finished) == (not is_destroyed)
        assert office.erasing.go_on() == ()

        log = office.house.rooms.log
        assert not office.is_readable(index)
        assert len(office.ledger.lines()) == 1
        for kind in ("erasure.requested", "erasure.done"):
            assert len(log.entries(EntryFilter(type=kind))) == 1
        assert log.verify().sound
