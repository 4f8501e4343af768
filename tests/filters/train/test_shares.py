import numpy as np
import pytest

from filters.train.shares import area, average_precision, recall_where, share

SCORES = np.array([0.9, 0.8, 0.7, 0.1])
TRUTH = np.array([True, False, True, False])


def test_a_share_has_its_wilson_interval() -> None:
    # By hand, z = 1.96: 8 of 10 gives 0.4902 to 0.9433.
    assert share(8, 10) == {"hits": 8, "of": 10, "share": 0.8, "interval": [0.4902, 0.9433]}


def test_a_share_of_nothing_is_no_number() -> None:
    assert share(0, 0) == {"hits": 0, "of": 0}


def test_area_and_average_precision_of_a_small_ranking() -> None:
    assert area(SCORES, TRUTH) == pytest.approx(0.75)
    assert average_precision(SCORES, TRUTH) == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)


def test_ties_favour_nobody_whatever_the_order() -> None:
    tied = np.zeros(4)

    assert area(tied, TRUTH) == area(tied, ~TRUTH) == 0.5
    assert average_precision(tied, TRUTH) == average_precision(tied, ~TRUTH) == 0.5


def test_recall_is_taken_where_no_more_of_the_others_score_as_high() -> None:
    assert recall_where(SCORES, TRUTH, false_positives=0.0)["hits"] == 1
    assert recall_where(SCORES, TRUTH, false_positives=0.5)["hits"] == 2
    # What ties with a false positive is not above it.
    assert recall_where(np.array([0.5, 0.5]), TRUTH[:2], false_positives=0.0)["hits"] == 0
