"""The operating point: the budget of false positives is spent whole, over all categories together.

What is calibrated is the decision. Every head uses the same scale, and the scale is moved so that
`HOLD` and `BLOCK` are where 5 % and 1 % of harmless prompts are reached by any head at all.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.finding import Category
from filters.text import PromptClassifier
from filters.train.sources import Example, rows
from filters.train.split import Part, fingerprint, part
from filters.weights import BLOCK, HEADS, HOLD

# Of harmless video prompts: 1 % may be blocked and 5 % held or blocked, whatever the category.
BUDGET = {"block": 0.01, "hold": 0.05}
# Scores of a draft keep four decimals of `sigmoid(DRAFT_SLOPE * logit)`: logits to a hundredth.
DRAFT_SLOPE = 0.25
# An age word is no harm in itself: of harmless prompts with one, as many may be stopped.
MINORS_BUDGET = 0.01
# Below this even an age word makes nothing sexual, and above it it is no rule for doubt.
MINORS_FLOOR, MINORS_CEILING = 0.02, 0.1
# The grammar's neighbours are hard on purpose: one text of every third line, or they would be most
# of the mix, and the budget of plain prompts would hardly be spent (0 of 100 captions blocked).
EVERY_LINE = 3
_VIDEO = frozenset({"grammar", "coco", "vbench_short", "vbench2"})


def harmless_prompts(found: list[Example], folder: Path, wanted: Part) -> list[str]:
    """Return the harmless prompts of `wanted`, whole ones, in a fixed order."""
    short: list[str] = []
    seen: set[str] = set()
    for example in found:
        if example.harmless and example.part is wanted and example.source in _VIDEO:
            line = example.origin
            if not line or (line not in seen and fingerprint(line) % EVERY_LINE == 0):
                short.append(example.text)
                seen.add(line)
    return short + long_prompts(folder, wanted)


def long_prompts(folder: Path, wanted: Part) -> list[str]:
    """Return a seventh of the long prompts of `wanted`: they are slow."""
    return [
        text
        for text, _, _ in rows(folder / "prompts" / "vbench_long.jsonl")
        if part(text) is wanted and part(text + "#") is Part.TEST
    ]


def scored(classifier: PromptClassifier, texts: list[str]) -> NDArray[np.float64]:
    """Return the scores of each text, shape (texts, heads and `minors`)."""
    columns = (*HEADS, Category.MINORS)
    table = np.zeros((len(texts), len(columns)))
    for row, text in enumerate(texts):
        scores = {finding.category: finding.score for finding in classifier.read(text)}
        table[row] = [scores[column] for column in columns]
    return table


def calibration(draft: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and shift that put the budget's points at `HOLD` and `BLOCK`.

    Args:
        draft: `scored` by weights with `DRAFT_SLOPE` and no shift, of harmless prompts.
    """
    worst = np.sort(draft[:, : len(HEADS)].max(axis=1))[::-1]
    points = {}
    for verdict, budget in BUDGET.items():
        allowed = int(budget * len(worst))
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
