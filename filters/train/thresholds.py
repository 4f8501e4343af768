"""The operating point: the budget of false positives is spent whole, over all categories together.

What is calibrated is the decision. Every head uses the same scale, and the scale is moved so that
`HOLD` and `BLOCK` are where so many harmless prompts are reached by any head at all.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filters.finding import Category
from filters.text import PromptClassifier
from filters.train.sources import Example
from filters.train.split import Part, fingerprint
from filters.weights import BLOCK, HEADS, HOLD

# Of harmless video prompts: 1 % may be blocked and 5 % held or blocked, whatever the category.
BUDGET = {"block": 0.01, "hold": 0.05}
# Scores of a draft keep four decimals of `sigmoid(DRAFT_SLOPE * logit)`: logits to a hundredth.
DRAFT_SLOPE = 0.25
# An age word is no harm in itself: of harmless prompts with one, as many may be stopped.
MINORS_BUDGET = 0.01
# Below this even an age word makes nothing sexual, and above it it is no rule for doubt.
MINORS_FLOOR, MINORS_CEILING = 0.02, 0.05
# One harmless text of so many counts, by source. What the heads know no second text of stands for
# what people will write; of sources that they know, texts are hardly ever stopped, and would leave
# their budget to the others. Neighbours of harm are hard on purpose, and rarer among prompts.
PLAIN, NEAR = "grammar", "near"
EVERY = {PLAIN: 1, NEAR: 6, "coco": 10, "vbench_short": 3, "vbench2": 3, "vbench_long": 5}
# Of that mix, harder than what people ask for: about the budget of the ordinary prompts that
# somebody else wrote (benchmarks/blind/tuning).
SPENT = {"block": 0.015, "hold": 0.05}


def harmless_prompts(found: Sequence[Example], wanted: Part) -> list[str]:
    """Return harmless prompts of `wanted`, whole ones, in a fixed order; one of each line."""
    chosen: list[str] = []
    seen: set[str] = set()
    for example in found:
        kind = NEAR if example.near else example.source
        alone = example.harmless and not example.context
        if not alone or example.part is not wanted or kind not in EVERY:
            continue
        line = example.origin or example.text
        if line not in seen and fingerprint(line) % EVERY[kind] == 0:
            chosen.append(example.text)
            seen.add(line)
    return chosen


def scored(classifier: PromptClassifier, texts: list[str]) -> NDArray[np.float64]:
    """Return the scores of each text, shape (texts, heads and `minors`)."""
    columns = (*HEADS, Category.MINORS)
    table = np.zeros((len(texts), len(columns)))
    for row, text in enumerate(texts):
        scores = {finding.category: finding.score for finding in classifier.read(text)}
        table[row] = [scores[column] for column in columns]
    return table


def calibration(draft: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and shift that put at `HOLD` and `BLOCK` where `SPENT` of `draft` is reached.

    Args:
        draft: `scored` by weights with `DRAFT_SLOPE` and no shift, of harmless prompts.
    """
    worst = np.sort(draft[:, : len(HEADS)].max(axis=1))[::-1]
    points = {}
    for verdict, spent in SPENT.items():
        allowed = int(spent * len(worst))
        between = (worst[allowed] + worst[max(allowed - 1, 0)]) / 2
        points[verdict] = _log_odds(float(between)) / DRAFT_SLOPE
    wide = max(points["block"] - points["hold"], 1e-3)
    slope = (_log_odds(BLOCK) - _log_odds(HOLD)) / wide
    return slope, _log_odds(BLOCK) - slope * points["block"]


def proposed(harmless: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Return category to verdict to score; `harmless` is `scored` by the calibrated weights."""
    about_children = harmless[:, -1][harmless[:, -1] > 0]
    rare = float(np.quantile(about_children, 1 - MINORS_BUDGET)) if len(about_children) else 0.0
    minors = round(min(max(MINORS_FLOOR, rare + 1e-4), MINORS_CEILING), 4)
    return {
        **{head.value: {"hold": HOLD, "block": BLOCK} for head in HEADS},
        "minors": {"hold": round(minors / 2, 4), "block": minors},
        "language": {"hold": 0.3},
        "evasion": {"hold": 0.9},
    }


def refused(
    table: NDArray[np.float64], thresholds: dict[str, dict[str, float]], verdict: str
) -> NDArray[np.bool_]:
    """Return which rows of `scored` reach the threshold of any category."""
    names = [*(head.value for head in HEADS), "minors"]
    lowest = np.array([thresholds[name][verdict] for name in names])
    return np.asarray((table >= lowest).any(axis=1), np.bool_)


def _log_odds(score: float) -> float:
    inside = min(max(score, 1e-4), 1 - 1e-4)
    return math.log(inside / (1 - inside))
