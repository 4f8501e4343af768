"""Group commit: whoever asks while a batch is being written shares the next one.

A batch is answered once, after its commit, for everybody in it. A batch that failed is answered
with the error: nobody in it is told that an entry is in the log.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.audit.entries import Prepared
from service.audit.errors import AuditError, LogClosed, NotAcknowledged
from service.database import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Settle:
    """A question: where is the entry that was staged under this key?"""

    key: str


@dataclass(frozen=True, slots=True)
class Landed:
    """The entry is in the log at `index`, under the signed `checkpoint` of `size` entries."""

    index: int
    size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class StillStaged:
    """The batch was full before the intake was empty: ask again."""


Job = Prepared | Settle
Outcome = Landed | StillStaged | AuditError | DatabaseUnavailable
Commit = Callable[[Sequence[Job]], Sequence[Outcome]]
Idle = Callable[[], bool]
"""Does a little of what can wait; says whether there is more."""

# One that writes in a closed loop leaves no such pause, and is not slowed.
_PAUSE_S = 0.05
# How many entries may be written without a pause before the search index gets a turn.
_MOST_OWED = 200_000


class Batch:
    """Jobs that are written together, and what became of them."""

    __slots__ = ("_answered", "_failed", "_lock", "_outcomes", "_waiting", "jobs")

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self._answered = threading.Event()
        self._outcomes: Sequence[Outcome] = ()
        self._failed: Exception | None = None
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, _Waiting] = {}

    def answer(self, outcomes: Sequence[Outcome]) -> None:
        """Release everybody with their outcome."""
        self._outcomes = outcomes
        self._release()

    def fail(self, error: Exception) -> None:
        """Release everybody with the error."""
        self._failed = error
        self._release()

    def outcome(self, place: int, timeout_s: float) -> Landed | StillStaged:
        """Return what became of job `place`, once the batch is committed.

        Raises:
            DatabaseUnavailable: it was not written.
            AuditError: it was not written for another reason.
            NotAcknowledged: no answer within `timeout_s`.
        """
        if not self._answered.is_set() and not self._answered.wait(timeout_s):
            raise NotAcknowledged(f"no answer from the log in {timeout_s} s: ask again")
        if self._failed is not None:
            raise _own(self._failed) from self._failed
        outcome = self._outcomes[place]
        if isinstance(outcome, (AuditError, DatabaseUnavailable)):
            raise outcome
        return outcome

    def answered(self, timeout_s: float) -> asyncio.Future[None]:
        """Return what is done once `outcome` will not wait.

        All who wait on one event loop share one alarm, so that whoever came later than the first
        waits shorter by that: never by more than the commit before took.

        Raises:
            NotAcknowledged: no answer within `timeout_s`.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._lock:
            if self._answered.is_set():
                future.set_result(None)
                return future
            waiting = self._waiting.get(loop)
            if waiting is None:
                alarm = loop.call_later(timeout_s, self._give_up, loop, timeout_s)
                waiting = self._waiting[loop] = _Waiting([], alarm)
            waiting.futures.append(future)
        return future

    def _release(self) -> None:
        with self._lock:
            self._answered.set()
        # One wake-up for each event loop, not for each that waits: it is a write to a socket.
        for loop, waiting in self._waiting.items():
            try:
                loop.call_soon_threadsafe(_resolve, waiting)
            except RuntimeError:  # the loop was closed, and nobody waits there any more
                continue

    def _give_up(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        with self._lock:
            if self._answered.is_set():
                return  # they are being released
            waiting = self._waiting.pop(loop)
        for future in waiting.futures:
            if not future.done():
                late = f"no answer from the log in {timeout_s} s: ask again"
                future.set_exception(NotAcknowledged(late))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who waits for a batch on one event loop, and when they give up."""

    futures: list[asyncio.Future[None]]
    alarm: asyncio.TimerHandle


def _resolve(waiting: _Waiting) -> None:
    waiting.alarm.cancel()
    for future in waiting.futures:
        if not future.done():
            future.set_result(None)


class Sequencer:
    """The one thread of this process that writes to the log.

    Args:
        commit: writes jobs in one transaction and returns an outcome for each; any exception
            means that nothing was written.
        idle: called while there is nothing to write, until it says that it is done.
    """

    def __init__(self, commit: Commit, idle: Idle = lambda: False) -> None:
        self._commit = commit
        self._idle = idle
        self._owed = 0
        self._gathering = Batch()
        self._closing = False
        self._work = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="audit-sequencer", daemon=True)
        self._thread.start()

    def submit(self, jobs: Sequence[Job]) -> tuple[Batch, int]:
        """Put jobs into the next batch; return it and the place of the first.

        Raises:
            LogClosed: nothing more is written.
        """
        with self._work:
            if self._closing:
                raise LogClosed("the log is closed")
            batch = self._gathering
            place = len(batch.jobs)
            batch.jobs.extend(jobs)
            if not place:  # the thread sleeps only while there is nothing to do
                self._work.notify()
        return batch, place

    def close(self) -> None:
        """Write what was submitted, then stop."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                outcomes = self._commit(batch.jobs)
            except Exception as failed:  # every waiter is told, whatever it was
                if len(batch.jobs) == 1 or _is_everybodys(failed):
                    batch.fail(failed)
                    continue
                outcomes = [self._alone(job) for job in batch.jobs]
            batch.answer(outcomes)

    def _alone(self, job: Job) -> Outcome:
        """Write one job of a batch that one of its jobs spoiled for the others."""
        try:
            return self._commit([job])[0]
        except Exception as failed:  # it is told to whoever asked for this one
            return _own(failed)

    def _next(self) -> Batch | None:
        while True:
            with self._work:
                if not self._gathering.jobs and not self._closing:
                    self._work.wait(_PAUSE_S if self._owed else None)
                if self._gathering.jobs and self._owed < _MOST_OWED:
                    batch, self._gathering = self._gathering, Batch()
                    self._owed += len(batch.jobs)
                    return batch
                if self._closing and not self._gathering.jobs:
                    return None
            self._use_pause()

    def _use_pause(self) -> None:
        """Do a little of what can wait."""
        if self._owed and not self._idle():
            self._owed = 0
        else:
            self._owed = min(self._owed, _MOST_OWED - 1)


def _is_everybodys(failed: Exception) -> bool:
    """Whether no job of the batch can be written now, rather than one that spoils it."""
    if isinstance(failed, DatabaseUnavailable):
        return failed.cause != "error"
    return isinstance(failed, AuditError)


def _own(failed: Exception) -> AuditError | DatabaseUnavailable:
    """Return a copy for one waiter: a raised exception gathers the traceback of its thread."""
    if isinstance(failed, DatabaseUnavailable):
        return DatabaseUnavailable(failed.cause, failed.remedy)
    if isinstance(failed, AuditError):
        return type(failed)(str(failed))
    return AuditError(f"the batch was not written: {type(failed).__name__}")
