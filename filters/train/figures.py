"""Figures for the model card: counts with Wilson intervals, never a bare percentage."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.finding import Category
from filters.text import PromptClassifier
from filters.train.heads import Features, fitted
from filters.train.sources import Example, rows
from filters.train.split import Part
from filters.train.thresholds import harmless_prompts, refused, scored
from filters.weights import HEADS

Row = dict[str, object]
# The letters of OpenAI's release, and the head that is meant to see them.
OPENAI = {
    "S": Category.SEXUAL, "H": Category.HATE, "V": Category.VIOLENCE, "V2": Category.GORE,
    "HR": Category.HARASSMENT, "SH": Category.SELF_HARM,
}  # fmt: skip


def share(hits: int, of: int) -> Row:
    """Return `hits` of `of` with the 95 % Wilson interval."""
    if not of:
        return {"hits": 0, "of": 0}
    z, p = 1.96, hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    interval = [round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4)]
    return {"hits": hits, "of": of, "share": round(p, 4), "interval": interval}


def area(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve; ties count half."""
    wins = (scores[truth][:, None] > scores[~truth][None]).mean()
    ties = (scores[truth][:, None] == scores[~truth][None]).mean()
    return round(float(wins + ties / 2), 4)


def average_precision(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the area under the precision-recall curve, step by step."""
    order = np.argsort(-scores, kind="stable")
    hits = truth[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return round(float(precision[hits].mean()), 4)


def evaluated(
    classifier: PromptClassifier,
    found: list[Example],
    folder: Path,
    thresholds: dict[str, dict[str, float]],
) -> dict[str, object]:
    """Return false positives, recall per category and source, and OpenAI's set (development)."""
    harmless = scored(classifier, harmless_prompts(found, folder, Part.TEST))
    result: dict[str, object] = {
        f"harmless_{verdict}": share(
            int(refused(harmless, thresholds, verdict).sum()), len(harmless)
        )
        for verdict in ("block", "hold")
    }
    result["recall"] = {
        f"{head}/{source}": _recall(classifier, found, thresholds, row, source)
        for row, head in enumerate(HEADS)
        for source in sorted({e.source for e in found if e.labels[row] == 1})
    }
    return result | {"openai_first_half": _openai(classifier, folder)}


def _recall(
    classifier: PromptClassifier,
    found: list[Example],
    thresholds: dict[str, dict[str, float]],
    row: int,
    source: str,
) -> Row:
    texts = [
        e.text for e in found if e.source == source and e.part is Part.TEST and e.labels[row] == 1
    ][:150]
    if not texts:
        return {"of": 0}
    table = scored(classifier, texts)
    return {verdict: share(int(refused(table, thresholds, verdict).sum()), len(texts))
            for verdict in ("block", "hold")}  # fmt: skip


def _openai(classifier: PromptClassifier, folder: Path) -> Row:
    """Return how the heads rank texts that they never saw, without any threshold."""
    everything = list(rows(folder / "prompts" / "openai_moderation_first_half.jsonl"))
    table = scored(classifier, [text[:1500] for text, _, _ in everything])
    unsafe = np.array([bool(bad) for _, bad, _ in everything])
    highest = table[:, : len(HEADS)].max(axis=1)
    result: Row = {
        "any": {"texts": len(unsafe), "unsafe": int(unsafe.sum()), "area": area(highest, unsafe),
                "average_precision": average_precision(highest, unsafe)}
    }  # fmt: skip
    for letter, head in OPENAI.items():
        known = np.array([letter in own for _, _, own in everything])
        truth = np.array([bool(own.get(letter)) for _, _, own in everything])[known]
        scores = table[known, HEADS.index(head)]
        result[head.value] = {"texts": int(known.sum()), "unsafe": int(truth.sum()),
                              "area": area(scores, truth)}  # fmt: skip
    return result


def left_out(found: list[Example], features: Features) -> Row:
    """Return, per source and head, what heads that never saw the source make of it.

    Area under the curve against the harmless test part, and recall where 1 % of that is reached.
    """
    truth = np.array([example.labels for example in found])
    weight = np.array([example.weight for example in found])
    source = np.array([example.source for example in found])
    training = np.array([example.part is Part.TRAIN for example in found])
    harmless = np.array([e.harmless and e.part is Part.TEST for e in found])
    result: Row = {}
    for row, head in enumerate(HEADS):
        known, positive = truth[:, row] >= 0, truth[:, row] == 1
        names = sorted(set(source[positive & training]))
        for name in names if len(names) > 1 else []:
            use = training & known & (source != name)
            trained = fitted(features.rows(use), truth[use, row].astype(float), weight[use])
            bad = trained.logits(features.rows(positive & (source == name)))
            good = trained.logits(features.rows(harmless & (source != name)))
            hits = int((bad > np.quantile(good, 0.99)).sum())
            both = np.concatenate([bad, good])
            result[f"{head}/{name}"] = {
                "area": area(both, np.arange(len(both)) < len(bad)), **share(hits, len(bad))
            }  # fmt: skip
    return result
