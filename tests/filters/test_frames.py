from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.frames import NotAFrame, checked_frame, sampled


@pytest.mark.parametrize(
    ("count", "fps", "looked_at"),
    [
        (48, Fraction(24), [0, 12, 24, 36, 47]),
        (1, Fraction(24), [0]),
        (0, Fraction(24), []),
        (5, Fraction(1), [0, 1, 2, 3, 4]),
        (61, Fraction(24_000, 1001), [0, 12, 24, 36, 48, 60]),
    ],
)
def test_two_frames_a_second_and_both_ends_are_looked_at(
    count: int, fps: Fraction, looked_at: list[int]
) -> None:
    assert sampled(count, fps) == looked_at


@given(st.integers(1, 2000), st.fractions(Fraction(1, 2), 120))
def test_no_stretch_of_more_than_half_a_second_goes_unseen(count: int, fps: Fraction) -> None:
    looked_at = sampled(count, fps)

    assert looked_at[0] == 0
    assert looked_at[-1] == count - 1
    gaps = [later - one for one, later in pairwise(looked_at)]
    assert all(0 < gap <= max(Fraction(1), fps / 2 + 1) for gap in gaps)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_what_is_no_frame_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(NotAFrame):
        checked_frame(wrong)
