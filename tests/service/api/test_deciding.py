"""Those who ask together are looked at together, and none of them pays for another."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from filters.finding import Category, FilterError, Finding, Surface
from service.api import arriving
from service.api.deciding import Sight, answer, looking, shared_looks
from service.decision import Mode, Verdict
from service.decision_cache import DecisionCache
from service.gates import Gates
from service.rooms import Rooms
from tests.builders import a_house, a_request

HARMLESS = ("a red ball", "a green hill", "rain on a roof")


def judging(rooms: Rooms, fault: Exception) -> Rooms:
    """Return rooms whose filters break on one word, and see nothing in all others."""

    def judge(text: str, surface: Surface) -> Sequence[Finding]:
        if "quokka" in text:
            raise fault
        return [Finding(Category.VIOLENCE, 0.01, surface, "filters.text@0")]

    gates: Gates = replace(rooms.gates, judge_text=judge)
    return replace(rooms, gates=gates)


def test_what_a_gate_cannot_look_at_holds_that_request_alone(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        rooms = judging(house.rooms, FilterError("no"))
        texts = ("a red ball", "a quokka", "a green hill")

        seen = looking(rooms)([a_request(text) for text in texts])

    unseen = [
        isinstance(one, Sight)
        and any(each.category == "policy.unavailable" for each in one.observations)
        for one in seen
    ]
    assert unseen == [False, True, False]


def test_a_fault_that_nobody_foresaw_is_one_requests_and_nobody_elses(tmp_path: Path) -> None:
    with a_house(tmp_path) as house, ThreadPoolExecutor(1) as executor:
        rooms = judging(house.rooms, ZeroDivisionError())

        async def look() -> list[Sight | BaseException]:
            looks = shared_looks(rooms, executor)
            asks = [looks.ask(a_request(text)) for text in (*HARMLESS, "a quokka")]
            return await asyncio.gather(*asks, return_exceptions=True)

        seen = asyncio.run(look())

    assert [type(one) for one in seen] == [Sight, Sight, Sight, ZeroDivisionError]


def test_more_than_a_gate_looks_at_in_one_go_come_back_in_order(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.filters.scores.clear()
        texts = [f"a red ball and @nobody_{number}" for number in range(20)]

        seen = looking(house.rooms)([a_request(text) for text in texts])

    places = [
        one.place
        for sight in seen
        if isinstance(sight, Sight)
        for one in sight.observations
        if one.category == "likeness.handle_unknown"
    ]
    assert [place.end for place in places if place is not None] == [  # type: ignore[union-attr]
        len(text) for text in texts
    ]


def test_what_comes_again_is_counted_once_as_known_whatever_the_verdict(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        cache = DecisionCache(b"k" * 32)
        rooms = replace(house.rooms, cache=cache)
        house.filters.scores[Category.VIOLENCE] = 0.9
        with rooms.database.reading() as conn:
            stands = arriving._stands(rooms, conn, "prj_test")

        async def ask() -> Verdict:
            looks = shared_looks(rooms, executor)
            given = await answer(rooms, looks, a_request(), stands, Mode.ENFORCE)
            return given.decision.verdict

        with ThreadPoolExecutor(1) as executor:
            verdicts = [asyncio.run(ask()) for _ in range(3)]

    assert verdicts == [Verdict.BLOCK] * 3
    assert cache.outcomes() == {"hit": 2, "miss": 1}
