"""A model that hangs costs whoever asks it no more than its time, and the next hardly anything."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from filters.finding import FilterError
from filters.turn import LET_GO_S, ModelLate, Turn

DETECTOR = "filters.guard.test@1"
# More than a loaded machine needs to wake a thread.
LITTLE_S = 2.0


class Stuck:
    """A call that hangs until a test lets it go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, _until: float) -> str:
        self.begun.set()
        self.go.wait(60)
        return "too late"


def quick(_until: float) -> str:
    return "here"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.go.set()


def test_who_asks_a_model_that_hangs_is_answered_in_its_time(stuck: Stuck) -> None:
    turn = Turn(DETECTOR, 0.2)

    with within(0.2 + LITTLE_S), pytest.raises(ModelLate) as late:
        turn.ask(stuck)

    assert late.value.detector == DETECTOR


def test_while_it_hangs_everybody_else_is_turned_away_at_once(stuck: Stuck) -> None:
    turn = Turn(DETECTOR, 0.05)
    with pytest.raises(ModelLate):
        turn.ask(stuck)
    time.sleep(LET_GO_S)

    for _ in range(50):
        with within(LITTLE_S), pytest.raises(ModelLate, match="hangs"):
            turn.ask(quick)


def test_who_asks_too_late_begins_nothing_and_keeps_nobody_waiting(stuck: Stuck) -> None:
    turn = Turn(DETECTOR, 30.0)

    with pytest.raises(ModelLate, match="too late"):
        turn.ask(stuck, time.monotonic() - 1)

    assert turn.ask(quick) == "here"
    assert not stuck.begun.is_set()


def test_who_waits_behind_a_call_that_hangs_does_not_wait_for_the_whole_of_his_own_time(
    stuck: Stuck,
) -> None:
    turn = Turn(DETECTOR, 30.0)
    turn._timeout_s = 0.1
    with ThreadPoolExecutor(1) as other:
        first = other.submit(turn.ask, stuck)
        stuck.begun.wait(10)
        turn._timeout_s = 30.0

        with within(LET_GO_S + LITTLE_S), pytest.raises(ModelLate, match="hangs"):
            turn.ask(quick)
        assert isinstance(first.exception(), ModelLate)


def test_a_model_that_comes_back_is_asked_again_and_its_late_answer_is_nobodys(
    stuck: Stuck,
) -> None:
    turn = Turn(DETECTOR, 0.1)
    with pytest.raises(ModelLate):
        turn.ask(stuck)

    stuck.go.set()
    turn._timeout_s = 30.0

    assert turn.ask(quick) == "here"


def test_one_question_at_a_time_and_all_on_one_thread() -> None:
    turn = Turn(DETECTOR, 30.0)
    inside: list[int] = []

    def counted(_until: float) -> tuple[int, int]:
        inside.append(1)
        time.sleep(0.01)
        return len(inside) - (inside.pop() - 1), threading.get_ident()

    with ThreadPoolExecutor(8) as many:
        said = list(many.map(lambda _: turn.ask(counted), range(16)))

    assert {count for count, _ in said} == {1}
    assert len({thread for _, thread in said}) == 1


@pytest.mark.parametrize("fault", [FilterError("x"), ZeroDivisionError("x"), SystemExit(3)])
def test_whatever_breaks_a_call_is_raised_where_it_was_asked_for(fault: BaseException) -> None:
    turn = Turn(DETECTOR, 30.0)

    def broken(_until: float) -> None:
        raise fault

    with pytest.raises(type(fault)):
        turn.ask(broken)
    assert turn.ask(quick) == "here"


def test_a_call_is_told_when_it_has_to_be_done() -> None:
    until = Turn(DETECTOR, 30.0).ask(lambda until: until)

    assert 20.0 < until - time.monotonic() <= 30.0


def named(name: str) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == f"turn {name}"]


@pytest.mark.parametrize("work", [quick, lambda _until: 1 / 0])
def test_its_thread_ends_with_it(work: Callable[[float], object]) -> None:
    turn = Turn("gone@1", 30.0)
    with pytest.raises(ZeroDivisionError) if work is not quick else within(30.0):
        turn.ask(work)
    (thread,) = named("gone@1")

    del turn
    gc.collect()

    thread.join(10)
    assert not thread.is_alive()


def test_a_call_that_hangs_does_not_keep_the_process_from_ending() -> None:
    program = (
        "import time\n"
        "from filters.turn import ModelLate, Turn\n"
        "turn = Turn('stuck', 0.1)\n"
        "try: turn.ask(lambda _until: time.sleep(600))\n"
        "except ModelLate as late: print(late.detector)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )

    assert (said.stdout.strip(), said.stderr) == (b"stuck", b"")
