"""Fit and calibrate logistic heads over the encoder's vectors and letter groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from filters.features import BUCKETS, buckets

Floats = NDArray[np.float64]
# Chosen on the calibration part: heavier letters learn the grammar's words by heart, and lighter
# ones give up what frozen MiniLM cannot tell.
MEANING_PENALTY, LETTER_PENALTY = 0.1, 0.25
# Rare categories count as if they were this share of the texts.
POSITIVE_SHARE, MOST_WEIGHT = 0.25, 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Vectors (texts, 384) and letter groups (texts, `BUCKETS`), both of length one per row."""

    meaning: Floats
    letters: sparse.csr_matrix

    def rows(self, chosen: NDArray[np.bool_]) -> "Features":
        """Return the chosen texts."""
        return Features(self.meaning[chosen], self.letters[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Weights of one head before calibration."""

    meaning: Floats
    letters: Floats
    bias: float

    def logits(self, features: Features) -> Floats:
        """Return one logit per text."""
        result: Floats = (
            features.meaning @ self.meaning + features.letters @ self.letters + self.bias
        )
        return result


def letters(texts: list[str]) -> sparse.csr_matrix:
    """Return the letter groups of each text, as serving weighs them."""
    found = [buckets(text) for text in texts]
    ends = np.cumsum([0, *(len(each) for each in found)])
    values = np.concatenate([np.full(len(each), 1 / np.sqrt(max(len(each), 1))) for each in found])
    return sparse.csr_matrix((values, np.concatenate(found), ends), (len(texts), BUCKETS))


def fitted(features: Features, truth: Floats, weight: Floats) -> Head:
    """Return the head that tells `truth` (0 or 1) apart, by L-BFGS from zero."""
    wide = features.meaning.shape[1]
    positives, negatives = weight[truth == 1].sum(), weight[truth == 0].sum()
    boost = POSITIVE_SHARE / (1 - POSITIVE_SHARE) * negatives / max(positives, 1e-9)
    weight = np.where(truth == 1, weight * np.clip(boost, 1.0, MOST_WEIGHT), weight)
    penalty = np.concatenate(
        [np.full(wide, MEANING_PENALTY), np.full(BUCKETS, LETTER_PENALTY), [0.0]]
    )

    def loss(point: Floats) -> tuple[float, Floats]:
        head = Head(point[:wide], point[wide:-1], point[-1])
        logits = head.logits(features)
        costs = np.logaddexp(0, logits) - truth * logits
        error = weight * (1 / (1 + np.exp(-np.clip(logits, -60, 60))) - truth)
        slope = np.concatenate(
            [features.meaning.T @ error, features.letters.T @ error, [error.sum()]]
        )
        return float(weight @ costs + 0.5 * penalty @ point**2), slope + penalty * point

    found = minimize(loss, np.zeros(wide + BUCKETS + 1), jac=True, method="L-BFGS-B",
                     options={"maxiter": 150})  # fmt: skip
    return Head(found.x[:wide], found.x[wide:-1], float(found.x[-1]))


def calibrated(logits: Floats, truth: Floats) -> tuple[float, float]:
    """Return slope and shift that turn logits into probabilities (Platt, smoothed aims)."""
    positives, negatives = truth.sum(), len(truth) - truth.sum()
    aims = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(point: Floats) -> tuple[float, Floats]:
        moved = point[0] * logits + point[1]
        error = 1 / (1 + np.exp(-np.clip(moved, -60, 60))) - aims
        slope = np.array([error @ logits, error.sum()])
        return float((np.logaddexp(0, moved) - aims * moved).sum()), slope

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B")
    return float(found.x[0]), float(found.x[1])
