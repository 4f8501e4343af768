import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.arrivals import Arrivals


class Counter:
    """Answers each question with the number of the read; each read waits for the test."""

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.may_go = threading.Semaphore(0)
        self.started = threading.Semaphore(0)
        self.fails: Exception | None = None

    def __call__(self, questions: Sequence[str]) -> list[int | Exception]:
        self.reads.append(list(questions))
        number = len(self.reads)
        self.started.release()
        assert self.may_go.acquire(timeout=10)
        if self.fails is not None:
            raise self.fails
        return [KeyError(one) if one == "bad" else number for one in questions]


async def _started(counter: Counter) -> None:
    assert await asyncio.to_thread(counter.started.acquire, timeout=10)


def test_whoever_asks_while_a_read_runs_is_answered_by_the_next_one() -> None:
    counter = Counter()

    async def ask() -> tuple[int, int, int]:
        arrivals: Arrivals[str, int] = Arrivals(counter, executor)
        first = asyncio.ensure_future(arrivals.ask("a"))
        await _started(counter)
        later = [asyncio.ensure_future(arrivals.ask(name)) for name in "bc"]
        await asyncio.sleep(0)
        counter.may_go.release(2)
        return await first, await later[0], await later[1]

    with ThreadPoolExecutor(1) as executor:
        answers = asyncio.run(ask())

    assert answers == (1, 2, 2)
    assert counter.reads == [["a"], ["b", "c"]]


def test_one_bad_question_spoils_no_other_and_a_failed_read_spoils_only_its_own() -> None:
    counter = Counter()

    async def ask() -> None:
        arrivals: Arrivals[str, int] = Arrivals(counter, executor)
        bad, good = (asyncio.ensure_future(arrivals.ask(name)) for name in ("bad", "good"))
        counter.may_go.release()
        with pytest.raises(KeyError):
            await bad
        assert await good == 1
        counter.fails = OSError("gone")
        counter.may_go.release()
        with pytest.raises(OSError, match="gone"):
            await arrivals.ask("x")
        counter.fails = None
        counter.may_go.release()
        assert await arrivals.ask("y") == 3

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(ask())


def test_somebody_who_goes_away_does_not_disturb_the_others() -> None:
    counter = Counter()

    async def ask() -> int:
        arrivals: Arrivals[str, int] = Arrivals(counter, executor)
        gone = asyncio.ensure_future(arrivals.ask("gone"))
        stays = asyncio.ensure_future(arrivals.ask("stays"))
        await _started(counter)
        gone.cancel()
        counter.may_go.release()
        return await stays

    with ThreadPoolExecutor(1) as executor:
        assert asyncio.run(ask()) == 1


def test_a_slow_read_keeps_nobody_waiting_who_came_after_it_began() -> None:
    counter = Counter()

    async def ask() -> tuple[int, int]:
        arrivals: Arrivals[str, int] = Arrivals(counter, executor, patience_s=0.01)
        stuck = asyncio.ensure_future(arrivals.ask("stuck"))
        await _started(counter)
        later = asyncio.ensure_future(arrivals.ask("later"))
        await _started(counter)  # beside the first, which has not ended
        assert not stuck.done()
        counter.may_go.release(2)
        return await stuck, await later

    with ThreadPoolExecutor(2) as executor:
        asyncio.run(ask())

    assert counter.reads == [["stuck"], ["later"]]
