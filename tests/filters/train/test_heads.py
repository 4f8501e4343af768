import numpy as np
from scipy import sparse

from filters.features import BUCKETS
from filters.train.heads import Features, calibrated, fitted


def test_a_head_learns_what_can_be_told_apart() -> None:
    rng = np.random.default_rng(1)
    meaning = rng.standard_normal((400, 8))
    truth = (meaning[:, 0] + 0.3 * meaning[:, 1] > 0.5).astype(float)
    features = Features(meaning, sparse.csr_matrix((400, BUCKETS)))

    logits = fitted(features, truth, np.ones(400)).logits(features)

    assert ((logits > 0) == (truth == 1)).mean() > 0.95


def test_calibrated_probabilities_are_as_frequent_as_they_say() -> None:
    rng = np.random.default_rng(2)
    logits = rng.standard_normal(20_000) * 2
    truth = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)

    slope, shift = calibrated(logits, truth)

    assert abs(slope - 0.5) < 0.05
    assert abs(shift + 1) < 0.05
