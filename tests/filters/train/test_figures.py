import numpy as np
import pytest

from filters.train.figures import area, average_precision, share


def test_a_share_has_its_wilson_interval() -> None:
    # By hand, z = 1.96: 8 of 10 gives 0.4902 to 0.9433.
    assert share(8, 10) == {"hits": 8, "of": 10, "share": 0.8, "interval": [0.4902, 0.9433]}


def test_area_and_average_precision_of_a_small_ranking() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    truth = np.array([True, False, True, False])

    assert area(scores, truth) == pytest.approx(0.75)
    assert average_precision(scores, truth) == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
