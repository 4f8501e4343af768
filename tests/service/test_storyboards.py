"""Texts of one request are judged one by one, with their neighbours, and all together."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from filters.finding import Category, FilterError, Finding, Surface
from service.decision import Gate, Observation
from service.request import MAX_ANCESTORS, BadRequest, ShotAsked, checked_ancestors
from service.steps.run import asked
from tests.builders import SmallHouse, a_house, a_request


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        yield made


def filtered(
    house: SmallHouse, prompts: tuple[str, ...], forbidden: str, *, ancestors: tuple[str, ...] = ()
) -> list[Observation]:
    """Return what is found where a text that ends and begins with nothing else is forbidden."""

    def judge(text: str, surface: Surface) -> list[Finding]:
        score = 0.9 if text.replace("\n", " ") == forbidden else 0.1
        return [Finding(Category.VIOLENCE, score, surface, "filters.text@test")]

    request = a_request("" if len(prompts) > 1 else prompts[0])
    shots = tuple(map(ShotAsked, prompts)) if len(prompts) > 1 else ()
    request = replace(request, shots=shots, ancestors=ancestors)
    gates = replace(house.rooms.gates, judge_text=judge)
    seen = gates.look(asked(house.rooms, request), now=house.clock())
    return [one for one in seen if one.gate is Gate.FILTERS and one.score > 0.5]


def test_what_is_split_over_shots_is_met_as_if_it_stood_in_one(house: SmallHouse) -> None:
    (met,) = filtered(house, ("two men", "hit", "a third"), "two men hit a third")

    assert met.param == "shots"


def test_four_neighbours_of_a_long_storyboard_are_judged_without_the_rest(
    house: SmallHouse,
) -> None:
    shots = ("a", "b", "c", "d", "two men", "hit", "a third", "man", "e")

    (met,) = filtered(house, shots, "two men hit a third man")

    assert (met.param, met.place) == ("shots", None)


def test_a_remix_is_judged_with_what_it_remixes(house: SmallHouse) -> None:
    (met,) = filtered(house, ("now he hits him",), "two men now he hits him",
                      ancestors=("two men",))  # fmt: skip
    (alone,) = filtered(house, ("a calm lake",), "two men fight", ancestors=("two men fight",))

    assert met.param == "shots"
    assert alone.param == "ancestors[0]"


def test_a_line_that_is_spoken_over_two_shots_is_judged_as_speech(house: SmallHouse) -> None:
    shots = ('he says "you are"', 'she says "all vermin"')

    (met,) = filtered(house, shots, "you are all vermin")

    assert (met.surface, met.param) == ("speech", "shots")


def test_a_filter_that_fails_on_the_neighbours_alone_holds(house: SmallHouse) -> None:
    def judge(text: str, surface: Surface) -> list[Finding]:
        if text.count("\n") == 3:
            raise FilterError("x")
        return [Finding(Category.VIOLENCE, 0.0, surface, "filters.text@test")]

    request = replace(a_request(""), shots=tuple(map(ShotAsked, "abcdefg")))
    gates = replace(house.rooms.gates, judge_text=judge)

    seen = gates.look(asked(house.rooms, request), now=house.clock())

    assert "policy.unavailable" in {one.category for one in seen if one.gate is Gate.FILTERS}


@pytest.mark.parametrize(
    ("prompts", "written", "code"),
    [
        (("a",) * (MAX_ANCESTORS + 1), 1, "too_many"),
        (("",), 1, "empty"),
        (("a" * 20_000,), 20_000, "too_long"),
    ],
)
def test_ancestors_that_cannot_be_judged_are_refused(
    prompts: tuple[str, ...], written: int, code: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_ancestors(prompts, written)

    assert refused.value.code == code
