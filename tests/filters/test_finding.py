import math

import pytest

from filters.finding import Category, FilterError, Finding, Surface


def a_finding(score: float) -> Finding:
    return Finding(Category.GORE, score, Surface.PROMPT, "test@1")


def test_a_score_is_rounded_so_that_a_replay_compares_equal() -> None:
    assert a_finding(0.123449999) == a_finding(0.1234)


@pytest.mark.parametrize("score", [math.nan, -0.001, 1.001, math.inf])
def test_a_score_that_is_no_probability_is_an_error_and_never_low(score: float) -> None:
    with pytest.raises(FilterError):
        a_finding(score)
