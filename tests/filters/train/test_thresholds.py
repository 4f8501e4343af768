from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from filters.train.sources import Example, labels
from filters.train.split import Part
from filters.train.thresholds import (
    DRAFT_SLOPE,
    EVERY,
    SPENT,
    calibration,
    harmless_prompts,
    proposed,
    refused,
)
from filters.weights import BLOCK, HEADS, HOLD


def drafts(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return draft scores: of the first head as given, of the others far below, no minors."""
    table = np.full((len(logits), len(HEADS) + 1), 1e-4)
    table[:, 0] = 1 / (1 + np.exp(-DRAFT_SLOPE * logits))
    table[:, -1] = 0.0
    return table


def test_the_budget_is_spent_whole_and_not_exceeded() -> None:
    logits = np.random.default_rng(1).normal(-4, 2, 4000)

    slope, shift = calibration(drafts(logits))
    table = drafts(logits)
    table[:, 0] = 1 / (1 + np.exp(-(slope * logits + shift)))

    levels = proposed(table)
    for verdict, spent in SPENT.items():
        assert spent - 0.0005 <= refused(table, levels, verdict).mean() <= spent + 0.0001


def test_every_head_holds_and_blocks_at_the_same_scores() -> None:
    levels = proposed(drafts(np.zeros(10)))

    assert [levels[head] for head in HEADS] == [{"hold": HOLD, "block": BLOCK}] * len(HEADS)


@pytest.mark.parametrize("scores", [np.zeros(50), np.full(50, 0.004), np.full(50, 0.9)])
def test_a_child_and_a_hint_are_stopped_far_below_what_stops_adults(
    scores: NDArray[np.float64],
) -> None:
    table = drafts(np.zeros(50))
    table[:, -1] = scores

    assert 0.02 <= proposed(table)["minors"]["block"] <= 0.05


def test_where_all_harmless_prompts_score_alike_the_scale_is_still_a_number() -> None:
    slope, shift = calibration(drafts(np.zeros(100)))

    assert np.isfinite([slope, shift]).all()
    assert slope > 0


def test_the_operating_point_is_set_on_one_whole_text_of_each_harmless_line() -> None:
    def line(number: int, **more: object) -> Example:
        calm = Example(f"text {number}", "grammar", Part.CALIBRATE, labels(None), 0, harmless=True)
        return replace(calm, origin=f"line {number}", **more)  # type: ignore[arg-type]

    found = [
        line(1), line(1, text="the same line"), line(2, part=Part.TRAIN),
        line(3, context="cut out"), line(4, harmless=False), line(5, source="hatecheck"),
    ]  # fmt: skip

    assert harmless_prompts(found, Part.CALIBRATE) == ["text 1"]


def test_neighbours_of_harm_count_less_often_than_plain_lines() -> None:
    plain = [
        Example(f"text {number}", "grammar", Part.TEST, labels(None), 0, harmless=True)
        for number in range(300)
    ]
    near = [replace(each, near=True) for each in plain]

    assert len(harmless_prompts(plain, Part.TEST)) == 300
    assert 0.5 < len(harmless_prompts(near, Part.TEST)) * EVERY["near"] / 300 < 1.5
