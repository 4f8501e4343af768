import numpy as np

from filters.coverage import LONGEST_WORD_MS, Coverage
from filters.transcript import Word


def covered(word: Word) -> int:
    """Return how many of a hundred chunks with one voice are read when `word` was."""
    coverage = Coverage(0, np.ones((1, 100)), np.ones(100), np.zeros((1, 100), np.bool_))
    coverage.mark(0, word)
    return int(coverage.is_read().sum())


def test_a_word_clears_the_time_around_it() -> None:
    assert 0 < covered(Word("hello", 1000, 1400)) < 50


def test_a_word_that_lasts_too_long_clears_nothing() -> None:
    assert covered(Word("hello", 0, LONGEST_WORD_MS + 1)) == 0
