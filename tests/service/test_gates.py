import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from filters.finding import FilterError, Finding, Surface
from likeness.faces import LikenessError
from rightsholders.claims import RightsError
from service.decision import Gate, Observation
from service.gates import ALL, Gates
from service.steps.run import asked
from tests.builders import SmallHouse, a_house, a_request

pytestmark = pytest.mark.usefixtures("unfiltered_log")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        yield made


def looked(house: SmallHouse, gates: Gates, prompt: str = "a red ball") -> tuple[Observation, ...]:
    return gates.look(asked(house.rooms, a_request(prompt)), now=house.clock())


def test_every_gate_says_something_even_of_a_harmless_prompt(house: SmallHouse) -> None:
    seen = looked(house, house.rooms.gates)

    assert {observation.gate for observation in seen} == set(ALL)
    assert len({observation.id for observation in seen}) == len(seen)


@pytest.mark.parametrize(
    ("gate", "broken"),
    [
        (Gate.FILTERS, FilterError("x")),
        (Gate.LIKENESS, LikenessError("x")),
        (Gate.RIGHTS, RightsError("x")),
    ],
)
def test_a_broken_gate_is_reported_and_the_others_still_look(
    gate: Gate, broken: Exception, house: SmallHouse
) -> None:
    class Broken:
        def __getattr__(self, _name: str) -> object:
            raise broken

    if gate is Gate.FILTERS:
        house.filters.broken = broken
        gates = house.rooms.gates
    elif gate is Gate.LIKENESS:
        gates = replace(house.rooms.gates, registry=Broken())  # type: ignore[arg-type]
    else:
        gates = replace(house.rooms.gates, claims=Broken())  # type: ignore[arg-type]

    seen = looked(house, gates)

    by_gate = {observation.gate: observation.category for observation in seen}
    assert by_gate[gate] == "policy.unavailable"
    assert {one for one, category in by_gate.items() if category == "policy.unavailable"} == {gate}


def test_a_late_gate_is_unavailable(house: SmallHouse) -> None:
    def late(_text: str, _surface: Surface) -> list[Finding]:
        time.sleep(0.3)
        return []

    gates = replace(house.rooms.gates, judge_text=late, timeout_s=0.05)

    seen = looked(house, gates)

    assert [one.category for one in seen if one.gate is Gate.FILTERS] == ["policy.unavailable"]


@pytest.mark.parametrize(
    ("width", "height", "looks"), [(64, 64, 1), (3840, 2160, 1), (4032, 3024, 2), (8660, 5773, 7)]
)
def test_a_gate_is_given_more_time_for_a_picture_that_is_read_in_parts(
    width: int, height: int, looks: int, house: SmallHouse
) -> None:
    gates = replace(house.rooms.gates, timeout_s=8.0)
    plain = asked(house.rooms, a_request("a red ball"))
    # Nothing is in memory of it but its size.
    picture = np.broadcast_to(np.zeros(3, np.uint8), (height, width, 3))

    assert gates._patience_s(plain) == 8.0
    assert gates._patience_s(replace(plain, pictures=(picture,))) == 8.0 + looks


def test_late_gates_do_not_pile_up(house: SmallHouse) -> None:
    begun: list[float] = []

    def slow(_text: str, _surface: Surface) -> list[Finding]:
        begun.append(time.monotonic())
        time.sleep(0.2)
        return []

    with ThreadPoolExecutor(1) as one_thread:
        gates = replace(
            house.rooms.gates,
            judge_text=slow,
            timeout_s=0.02,
            executor=one_thread,
        )
        for _ in range(6):
            looked(house, gates)

    assert len(begun) < 3


def test_a_fault_that_nobody_foresaw_is_no_decision(house: SmallHouse) -> None:
    def faulty(_text: str, _surface: Surface) -> list[Finding]:
        raise ZeroDivisionError

    gates = replace(house.rooms.gates, judge_text=faulty)

    with pytest.raises(ZeroDivisionError):
        looked(house, gates)


def test_a_broken_gate_writes_no_prompt_into_the_log(house: SmallHouse) -> None:
    house.filters.broken = FilterError("could not read: xylophonic quokkas")

    with capture_logs() as said:
        looked(house, house.rooms.gates, "xylophonic quokkas")

    assert [line["event"] for line in said] == ["gate.unavailable"]
    assert "quokka" not in str(said)


def test_spans_point_at_what_was_typed(house: SmallHouse) -> None:
    prompt = "a red ball bounces past ＠ｍａｒａ"

    seen = looked(house, house.rooms.gates, prompt)

    (mention,) = [one for one in seen if one.category == "likeness.handle_unknown"]
    assert mention.place is not None
    assert prompt[mention.place.start : mention.place.end] == "＠ｍａｒａ"  # type: ignore[union-attr]
