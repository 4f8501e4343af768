"""Many questions at once, on both databases: one look, one commit, an answer each."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from filters.finding import Category
from service import batch
from service.batch import Question
from service.decision import Mode, Verdict
from service.decision_cache import DecisionCache
from service.desk import Answer
from service.request import BadRequest
from tests.builders import SmallHouse, a_house, a_request


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url) as opened:
        opened.rooms = replace(opened.rooms, cache=DecisionCache(b"k" * 32))
        yield opened


def answered(house: SmallHouse, *prompts: str) -> list[Answer]:
    asked = [Question(a_request(prompt), Mode.ENFORCE) for prompt in prompts]
    found = batch.answers(house.rooms, asked)
    assert not any(isinstance(one, BadRequest) for one in found)
    return [one for one in found if not isinstance(one, BadRequest)]


def test_more_than_a_gate_looks_at_in_one_go_are_answered_in_order(house: SmallHouse) -> None:
    prompts = [f"a red ball and @nobody_{number}" for number in range(19)]

    found = answered(house, "a red ball", *prompts)

    assert [one.decision.verdict for one in found] == [Verdict.ALLOW, *[Verdict.HOLD] * 19]
    entries = [house.rooms.log.entry(one.receipt.index) for one in found]
    assert [entry.facts["decision"] for entry in entries] == [one.decision.id for one in found]
    assert len({one.review.id for one in found if one.review is not None}) == 19
    assert house.rooms.log.verify().sound


def test_what_is_known_from_a_moment_ago_is_judged_again_beside_what_is_new(
    house: SmallHouse,
) -> None:
    answered(house, "a red ball")
    house.filters.scores[Category.VIOLENCE] = 0.9  # of whatever is looked at from now on

    known, new = answered(house, "a red ball", "a green ball")

    assert (known.decision.verdict, new.decision.verdict) == (Verdict.ALLOW, Verdict.BLOCK)
    assert house.rooms.cache is not None
    assert house.rooms.cache.outcomes() == {"hit": 1, "miss": 2}
