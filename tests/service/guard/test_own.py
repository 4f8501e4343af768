"""A program that only imports `guard`, with nothing open beforehand."""

from pathlib import Path

import pytest

from tests.service.cli.conftest import ROOT, cache, child, environment

__all__ = ["cache"]
import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from service.guard import Refused, guard

film = np.random.default_rng(7).integers(90, 110, (8, 256, 256, 3)).astype("uint8")
same = dict(seconds=1, fps=8, size="256x256")
try:
    with guard("two naked people having sex on a beach", **same):
        print("generated")
except Refused as refused:
    print(refused.verdict)
with guard("a red ball bounces on a green floor", **same) as g:
    print(g.publish(film, to=Path(sys.argv[1])).receipt["log"])
"""


@pytest.mark.slow
def test_a_program_needs_nothing_but_its_settings(cache: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "film.mp4")],
        cwd=ROOT,
        env=environment(tmp_path / "home", cache),
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    # structlog's lines are between them: how a program logs is its own business.
    first, *_, last = done.stdout.decode().split()
    assert (first, last) == ("block", "imprimatur.local/log")
    seen = child(tmp_path / "home", cache, "verify", str(tmp_path / "film.mp4"), "--json")
    assert seen.answer["log"]["released"] is True
    assert seen.answer["log"]["job"].startswith("req_")
    assert seen.answer["log"]["proof"]["type"] == "release.sealed"
