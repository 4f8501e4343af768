"""Thresholds that spend a total budget of false positives, over all categories together."""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.finding import Category
from filters.text import PromptClassifier
from filters.train.sources import Example, rows
from filters.train.split import Part, part
from filters.weights import HEADS

# Of harmless video prompts: 1 % may be blocked and 5 % held or blocked, whatever the category.
BUDGET = {"block": 0.01, "hold": 0.05}
# A head that is quiet on our harmless prompts still needs to be half sure to refuse, and more
# than idly curious to bother a person: other people's harmless prompts are not like ours.
FLOOR = {"block": 0.5, "hold": 0.15}
# An age word and this much of `sexual` are a block; half of it is a hold.
MINORS_FLOOR = 0.05
# One unlucky line of the grammar must not weigh as much as sixteen captions that people wrote.
MOST_PER_LINE = 3
_VIDEO = frozenset({"grammar", "coco", "vbench_short", "vbench2"})


def harmless_prompts(found: list[Example], folder: Path, wanted: Part) -> list[str]:
    """Return the harmless prompts of `wanted`, whole ones, in a fixed order."""
    short: list[str] = []
    seen: Counter[str] = Counter()
    for example in found:
        if example.harmless and example.part is wanted and example.source in _VIDEO:
            seen[example.origin or example.text] += 1
            if seen[example.origin or example.text] <= MOST_PER_LINE:
                short.append(example.text)
    whole = [
        text
        for text, _, _ in rows(folder / "prompts" / "vbench_long.jsonl")
        if part(text) is wanted and part(text + "#") is Part.TEST  # a seventh: they are slow
    ]
    return short + whole


def scored(classifier: PromptClassifier, texts: list[str]) -> NDArray[np.float64]:
    """Return the scores of each text, shape (texts, heads and `minors`)."""
    columns = (*HEADS, Category.MINORS)
    table = np.zeros((len(texts), len(columns)))
    for row, text in enumerate(texts):
        scores = {finding.category: finding.score for finding in classifier.read(text)}
        table[row] = [scores[column] for column in columns]
    return table


def proposed(
    classifier: PromptClassifier, found: list[Example], folder: Path
) -> dict[str, dict[str, float]]:
    """Return category to verdict to score, chosen on the calibration part alone."""
    table = scored(classifier, harmless_prompts(found, folder, Part.CALIBRATE))
    heads = table[:, : len(HEADS)]
    levels = {verdict: _levels(heads, budget) for verdict, budget in BUDGET.items()}
    result = {
        head.value: {
            verdict: round(float(max(levels[verdict][row], FLOOR[verdict])), 4)
            for verdict in BUDGET
        }
        for row, head in enumerate(HEADS)
    }
    about_children = table[:, -1][table[:, -1] > 0]
    rare = float(np.quantile(about_children, 0.99)) if len(about_children) else 0.0
    minors = round(max(MINORS_FLOOR, rare + 1e-4), 4)
    result["minors"] = {"hold": round(minors / 2, 4), "block": minors}
    result["language"] = {"hold": 0.3}
    result["evasion"] = {"hold": 0.9}
    return result


def refused(
    table: NDArray[np.float64], thresholds: dict[str, dict[str, float]], verdict: str
) -> NDArray[np.bool_]:
    """Return which rows of `scored` reach the threshold of any category."""
    names = [*(head.value for head in HEADS), "minors"]
    lowest = np.array([thresholds[name][verdict] for name in names])
    return np.asarray((table >= lowest).any(axis=1), np.bool_)


def _levels(heads: NDArray[np.float64], budget: float) -> NDArray[np.float64]:
    """Return one score per head so that at most `budget` of the rows reach any of them."""
    low, high = 0.0, budget
    for _ in range(30):
        share = (low + high) / 2
        levels = np.quantile(heads, 1 - share, axis=0) + 1e-4
        if (heads >= levels).any(axis=1).mean() <= budget:
            low = share
        else:
            high = share
    result: NDArray[np.float64] = np.quantile(heads, 1 - low, axis=0) + 1e-4
    return result
