import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from filters.features import BUCKETS
from filters.train.heads import Features, fitted, letters, together


def a_set(texts: int = 1200) -> tuple[Features, NDArray[np.int64]]:
    rng = np.random.default_rng(1)
    meaning = rng.standard_normal((texts, 8)) / np.sqrt(8)
    truth = np.stack([meaning[:, 0] * meaning[:, 1] > 0, meaning[:, 2] > 0], axis=1)
    return Features(meaning, sparse.csr_matrix((texts, BUCKETS))), truth.astype(np.int64)


def test_heads_learn_what_no_line_can_tell_apart() -> None:
    features, truth = a_set()

    logits = fitted(features, truth, np.ones(len(truth)), seeds=(0,), epochs=80).logits(features)

    assert (((logits > 0) == (truth == 1)).mean(axis=0) > 0.85).all()


def test_letters_are_learnt_where_meaning_says_nothing() -> None:
    texts = [f"the {word} number {n}" for n in range(400) for word in ("zorble", "plain")]
    features = Features(np.ones((len(texts), 8)) / np.sqrt(8), letters(texts))
    truth = np.array([[int("zorble" in text)] for text in texts])

    heads = fitted(features, truth, np.ones(len(texts)), seeds=(0,), epochs=60)
    logits = heads.logits(features)

    assert ((logits > 0) == (truth == 1)).mean() > 0.99


def test_what_nobody_knows_teaches_nothing() -> None:
    features, truth = a_set()
    unknown = np.where(truth == 1, 1, -1)

    logits = fitted(features, unknown, np.ones(len(truth)), seeds=(0,), epochs=20).logits(features)

    assert (logits > 0).all()


def test_the_same_seed_gives_the_same_heads() -> None:
    features, truth = a_set(300)

    one, other = (fitted(features, truth, np.ones(300), seeds=(3,)) for _ in range(2))

    assert np.array_equal(one.inner, other.inner)
    assert np.array_equal(one.letters, other.letters)


def test_heads_taken_together_say_the_mean_of_what_each_says() -> None:
    features, truth = a_set(300)
    apart = [fitted(features, truth, np.ones(300), seeds=(seed,)) for seed in (0, 1)]

    mean = np.mean([heads.logits(features) for heads in apart], axis=0)

    assert np.allclose(together(apart).logits(features), mean, atol=1e-4)
