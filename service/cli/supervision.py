"""Keeps worker processes alive: started, started again when they die, drained in the end."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

_LOOK_S = 0.2
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
# A worker that ran this long had a reason of its own to die, and is not held to its past.
_STEADY_S = 60.0


@dataclass(slots=True)
class _Place:
    """One worker's place: who sits there, since when, and when somebody may again."""

    process: "subprocess.Popen[bytes] | None" = None
    since: float = 0.0
    wait_s: float = _FIRST_WAIT_S
    not_before: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Runs `command` in `count` processes.

    Attributes:
        drain_s: how long a worker may take to give its job back before it is killed; its lease
            then brings the job to another one.
    """

    command: Sequence[str]
    count: int
    drain_s: float
    clock: Callable[[], float] = time.monotonic
    _places: list[_Place] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the workers and watch over them from a thread."""
        self._places = [_Place() for _ in range(self.count)]
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell every worker to give its job back, wait, and kill what is left."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            process.terminate()
        until = self.clock() + self.drain_s
        for process in running:
            try:
                process.wait(timeout=max(0.0, until - self.clock()))
            except subprocess.TimeoutExpired:
                log.warning("worker.killed")
                process.kill()
                process.wait()
            _close(process)

    def pids(self) -> list[int]:
        """Return the process ids of the workers that run now."""
        return [
            place.process.pid
            for place in self._places
            if place.process is not None and place.process.poll() is None
        ]

    def _watch(self) -> None:
        while not self._stopping.is_set():
            for place in self._places:
                self._look(place)
            self._stopping.wait(_LOOK_S)

    def _look(self, place: _Place) -> None:
        now = self.clock()
        if place.process is None:
            if now >= place.not_before:
                place.process, place.since = self._started(), now
            return
        code = place.process.poll()
        if code is None:
            return
        _close(place.process)
        if now - place.since >= _STEADY_S:
            place.wait_s = _FIRST_WAIT_S
        log.error("worker.died", status=code, retry=place.wait_s)
        place.process, place.not_before = None, now + place.wait_s
        place.wait_s = min(2 * place.wait_s, _LONGEST_WAIT_S)

    def _started(self) -> "subprocess.Popen[bytes]":
        # Its stdin is ours to hold: when we are gone, however we went, it ends and so do they.
        # A session of its own keeps a terminal's Ctrl-C from reaching it before we drain it.
        return subprocess.Popen(  # noqa: S603 - our own program
            list(self.command), stdin=subprocess.PIPE, start_new_session=True
        )


def command_line() -> list[str]:
    """Return how a worker of this installation is started."""
    return [sys.executable, "-m", "service.cli", "worker", "--supervised"]


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
