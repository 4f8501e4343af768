"""What is asked for, and whether two shots ask for the same."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.shots import Limits, PictureNotPossible, Shot, Size, same_shot

LIMITS = Limits(
    min_side=64, max_side=128, max_pixels=128 * 128, min_fps=8, max_fps=16, max_seconds=2
)
SHOT = Shot("a red ball", Size(64, 64), 1, Fraction(8), seed=1)
PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)


def test_shots_are_the_same_with_equal_pictures_and_not_with_the_same_words_alone() -> None:
    shown = replace(SHOT, first_frame=PICTURE)

    assert same_shot(SHOT, replace(SHOT))
    assert same_shot(shown, replace(SHOT, first_frame=PICTURE.copy()))
    assert not same_shot(shown, replace(shown, prompt="a blue ball"))
    assert not same_shot(shown, SHOT)
    assert not same_shot(SHOT, shown)


@given(st.integers(0, PICTURE.size - 1), st.integers(1, 255))
def test_one_other_value_in_the_picture_makes_another_shot(at: int, flipped: int) -> None:
    other = PICTURE.copy()
    other.flat[at] ^= np.uint8(flipped)

    assert not same_shot(replace(SHOT, first_frame=PICTURE), replace(SHOT, first_frame=other))


def test_the_same_bytes_in_another_shape_or_type_are_another_picture() -> None:
    shown = replace(SHOT, first_frame=PICTURE)

    assert not same_shot(shown, replace(SHOT, first_frame=PICTURE.reshape(30, 20, 3)))
    assert not same_shot(shown, replace(SHOT, first_frame=PICTURE.view(np.int8)))


@pytest.mark.parametrize("size", [(16, 16), (16, 128), (2000, 500)], ids=str)
def test_a_picture_at_the_limits_is_possible(size: tuple[int, int]) -> None:
    LIMITS.check(replace(SHOT, first_frame=np.zeros((*size, 3), dtype=np.uint8)))


@pytest.mark.parametrize("size", [(0, 0), (15, 16), (16, 15), (16, 129), (129, 16)], ids=str)
def test_a_picture_beyond_the_limits_is_not_and_the_size_is_said(size: tuple[int, int]) -> None:
    shot = replace(SHOT, first_frame=np.zeros((*size, 3), dtype=np.uint8))

    with pytest.raises(PictureNotPossible, match=rf"picture is {size[1]}x{size[0]}"):
        LIMITS.check(shot)


def test_a_picture_with_too_many_pixels_is_refused_without_touching_them() -> None:
    endless = np.broadcast_to(np.uint8(0), (10_000, 5_001, 3))

    with pytest.raises(PictureNotPossible, match="5001x10000: it has at most"):
        LIMITS.check(replace(SHOT, first_frame=endless))
