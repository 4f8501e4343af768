"""A model's own thread, on which it is asked one question at a time: in time, or not at all.

Nobody can stop a call that hangs in Python, in torch or on a device. So whoever asks waits until
the time is over and goes; the call is left to itself, and what it may still say is dropped. While
it hangs, everybody else who asks this model is turned away at once instead of joining the queue,
and once it has come back, the model is asked again. Only a new process ends one that never does.

A call that keeps the interpreter's lock for ever would stop every thread of the process, ours too:
then nothing is decided, so nothing is allowed. Torch lets go of it while it counts.
"""

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

from filters.finding import FilterError

# A call that is over its time by so much hangs; by less, it may be about to return.
LET_GO_S = 0.5
_Answer = TypeVar("_Answer")
_Calls = SimpleQueue[Callable[[], None] | None]


class ModelLate(FilterError):
    """A model did not answer in time.

    Attributes:
        detector: which.
    """

    def __init__(self, detector: str, why: str) -> None:
        super().__init__(f"{detector} {why}")
        self.detector = detector


class Turn:
    """Asks one model.

    The thread is a daemon, so that a call that hangs does not keep the process from ending; it ends
    with this object.

    Args:
        detector: name and version of the model, for errors.
        timeout_s: for waiting and answering together, where whoever asks does not say until when.
    """

    def __init__(self, detector: str, timeout_s: float) -> None:
        self._detector, self._timeout_s = detector, timeout_s
        self._free = threading.Condition()
        # When the call that runs has to be done, of `time.monotonic`; None while none does.
        self._due: float | None = None
        self._calls: _Calls = SimpleQueue()
        threading.Thread(
            target=_serve, args=(self._calls,), name=f"turn {detector}", daemon=True
        ).start()
        weakref.finalize(self, self._calls.put, None)

    def ask(self, work: Callable[[float], _Answer], until: float | None = None) -> _Answer:
        """Return what `work` returns.

        Args:
            work: is given the time, of `time.monotonic`, by which it has to be done.
            until: that time, if it is not in `timeout_s`.

        Raises:
            ModelLate: it is not done in time, or another call is not, or one hangs.
            Exception: whatever `work` raises.
        """
        begun = time.monotonic()
        until = begun + self._timeout_s if until is None else until
        if until <= begun:
            # Not begun, or it would seem to hang to whoever comes next.
            raise ModelLate(self._detector, "was asked too late")
        self._begin(begun, until)
        answer: Future[_Answer] = Future()
        self._calls.put(partial(self._call, work, until, answer))
        try:
            return answer.result(timeout=max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise ModelLate(self._detector, f"took over {until - begun:.3g} s") from None

    def _begin(self, begun: float, until: float) -> None:
        with self._free:
            while self._due is not None:
                hangs_at = self._due + LET_GO_S
                left = min(until, hangs_at) - time.monotonic()
                if left <= 0:
                    why = "hangs" if hangs_at <= until else f"was busy for {until - begun:.3g} s"
                    raise ModelLate(self._detector, why)
                self._free.wait(left)
            self._due = until

    def _call(
        self, work: Callable[[float], _Answer], until: float, answer: "Future[_Answer]"
    ) -> None:
        with _Told(answer):
            answer.set_result(work(until))
        with self._free:
            self._due = None
            self._free.notify_all()


class _Told:
    """Whoever asked hears of whatever broke the call, as if it had been made there."""

    def __init__(self, answer: "Future[_Answer]") -> None:
        self._answer: Future[_Answer] = answer

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        broken: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        if broken is not None:
            self._answer.set_exception(broken)
        return True


def _serve(calls: _Calls) -> None:
    while (call := calls.get()) is not None:
        call()
        # Or the last call would keep its `Turn`, and with it this thread, for ever.
        del call
