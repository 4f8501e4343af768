"""One house for all tests of the command line, and a way to run commands in it."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from filters.minilm import GRAPH_SHA256
from service import cli

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Command:
    """Runs commands in this process, in the session's house or in one of the test's own."""

    def __init__(
        self,
        home: Path,
        cache: Path,
        patch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self._patch, self._capture, self.cache = patch, capture, cache
        self.move(home)
        patch.setenv("IMPRIMATUR_CACHE", str(cache))

    def move(self, home: Path) -> None:
        """Work in `home` from now on."""
        self.home = home
        self._patch.setenv("IMPRIMATUR_HOME", str(home))

    def __call__(self, *arguments: str | Path) -> Ran:
        self._capture.readouterr()
        code = cli.run([str(one) for one in arguments])
        seen = self._capture.readouterr()
        return Ran(code, seen.out, seen.err)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache into which `imprimatur models prepare` has exported the text encoder."""
    folder = tmp_path_factory.mktemp("cache")
    ran = child(folder / "no_home", folder, "models", "prepare", "--json")
    assert ran.code == 0, ran.err
    assert ran.answer["sha256"] == GRAPH_SHA256
    assert not (folder / "no_home").exists()
    return folder


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that all tests use which do not break it."""
    return tmp_path_factory.mktemp("shared") / "home"


@pytest.fixture
def command(
    shared_home: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Command]:
    before = list(logging.getLogger().handlers)
    yield Command(shared_home, cache, monkeypatch, capsys)
    # The commands log to the stderr of their test, which is closed by the next one.
    structlog.reset_defaults()
    logging.getLogger().handlers = before


@pytest.fixture(scope="session")
def film(shared_home: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that `imprimatur generate` made in the shared home."""
    target = tmp_path_factory.mktemp("films") / "film.mp4"
    ran = child(
        shared_home, cache, "generate", "a blue box bounces on a green floor", "-o", str(target),
        "--size", "256x256", "--seconds", "1", "--fps", "8",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return target


@pytest.fixture
def own_home(film: Path, shared_home: Path, tmp_path: Path) -> Path:
    """A copy of the shared home, with a film in its log, for tests that break it."""
    return Path(shutil.copytree(shared_home, tmp_path / "home"))


def child(
    home: Path, cache: Path, *arguments: str, before: str = "", stdin: bytes = b"", **env: str
) -> Ran:
    """Run a command as a process of its own; `before` is Python that runs in it first."""
    start = [sys.executable, "-m", "service.cli"]
    if before:
        start = [sys.executable, "-c", f"{before}\nfrom service.cli import main\nmain()"]
    done = subprocess.run(
        [*start, *arguments],
        cwd=ROOT,
        env=environment(home, cache, **env),
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def environment(home: Path, cache: Path, **more: str) -> dict[str, str]:
    """Return the environment of a child process: nobody's settings but these."""
    ours = {"IMPRIMATUR_HOME": str(home), "IMPRIMATUR_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return {"PATH": "/usr/bin:/bin", "HOME": str(home.parent), **ours, **more}
