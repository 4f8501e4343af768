"""Counts with Wilson intervals, never a bare percentage, and how well scores rank."""

import math

import numpy as np
from numpy.typing import NDArray

Row = dict[str, object]


def share(hits: int, of: int) -> Row:
    """Return `hits` of `of` with the 95 % Wilson interval; without a share where `of` is 0."""
    if not of:
        return {"hits": 0, "of": 0}
    z, p = 1.96, hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    interval = [round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4)]
    return {"hits": hits, "of": of, "share": round(p, 4), "interval": interval}


def area(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve; ties count half."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positives = int(truth.sum())
    wins = ranks[truth].sum() - positives * (positives + 1) / 2
    return round(float(wins / (positives * (len(truth) - positives))), 4)


def average_precision(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the area under the precision-recall curve, step by step; ties are one step."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(scores[order]) != 0, True)
    gained = np.diff(hits[last], prepend=0)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return round(float((gained * precision).sum() / truth.sum()), 4)


def recall_where(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], *, false_positives: float
) -> Row:
    """Return the recall where at most that share of the others scores as high."""
    others = np.sort(scores[~truth])[::-1]
    allowed = int(false_positives * len(others))
    cut = others[allowed] if allowed < len(others) else -np.inf
    return share(int((scores[truth] > cut).sum()), int(truth.sum()))
