import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.failures import FrameTooSmall
from provenance.visible import PRESENT_FROM, TEXT, TEXT_BY_RULE, Box, VisibleMark
from service.media.writing import read_lumas
from tests.provenance.builders import FRAMES, MARK, encode_with, pictures

SIZES = [(256, 256), (512, 512), (384, 640), (640, 360), (360, 640), (720, 1280), (1280, 720)]


def a_mark(width: int = 640, height: int = 360, *, frames: int = 48, seed: int = 0) -> VisibleMark:
    return VisibleMark(width, height, fps=Fraction(24), frame_count=frames, seed=seed)


@given(
    st.sampled_from(SIZES), st.integers(1, 600), st.integers(0, 2**63), st.sampled_from([8, 24, 30])
)
def test_the_plate_is_always_wholly_inside_the_picture(
    size: tuple[int, int], frames: int, seed: int, fps: int
) -> None:
    mark = VisibleMark(*size, fps=Fraction(fps), frame_count=frames, seed=seed)

    for frame in {0, frames // 3, frames // 2, frames - 1}:
        box = mark.box(frame)
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= size[0]
        assert box.y + box.height <= size[1]


def overlap(box: Box, crop: Box) -> bool:
    return (
        box.x < crop.x + crop.width
        and crop.x < box.x + box.width
        and box.y < crop.y + crop.height
        and crop.y < box.y + box.height
    )


@given(
    st.sampled_from(SIZES),
    st.integers(8, 480),
    st.integers(0, 7),
    st.floats(0.51, 1.0),
    st.floats(0.51, 1.0),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_no_crop_of_over_half_of_each_side_loses_the_plate(
    size: tuple[int, int], frames: int, seed: int, wide: float, tall: float, left: float, top: float
) -> None:
    mark = a_mark(*size, frames=frames, seed=seed)
    width, height = int(size[0] * wide) + 1, int(size[1] * tall) + 1
    crop = Box(int((size[0] - width) * left), int((size[1] - height) * top), width, height)

    assert any(overlap(mark.box(frame), crop) for frame in range(frames))


@given(st.sampled_from(SIZES), st.integers(24, 480), st.integers(0, 7))
def test_no_one_place_hides_the_plate_in_every_frame(
    size: tuple[int, int], frames: int, seed: int
) -> None:
    mark = a_mark(*size, frames=frames, seed=seed)
    boxes = [mark.box(frame) for frame in range(frames)]

    assert not all(overlap(boxes[0], box) for box in boxes)


def test_it_glides_and_does_not_jump() -> None:
    mark = VisibleMark(1280, 720, fps=Fraction(30), frame_count=300, seed=2)
    boxes = [mark.box(frame) for frame in range(300)]

    steps = [abs(b.x - a.x) + abs(b.y - a.y) for a, b in itertools.pairwise(boxes)]
    assert max(steps) < 200
    assert sum(step == 0 for step in steps) > 150  # at rest long enough to be read


@pytest.mark.parametrize("ground", [16, 80, 128, 180, 235])
def test_it_stands_out_from_dark_and_light_alike(ground: int) -> None:
    luma = np.full((360, 640), ground, np.uint8)
    mark = a_mark()

    mark.draw(luma, 0)

    box = mark.box(0)
    plate = luma[box.y : box.y + box.height, box.x : box.x + box.width].astype(int)
    assert np.percentile(plate, 98) - np.percentile(plate, 40) > 120
    assert mark.presence(luma, 0) > 0.95


def test_only_the_plate_is_changed() -> None:
    before = np.random.default_rng(0).integers(16, 235, (360, 640), dtype=np.uint8)
    luma = before.copy()
    mark = a_mark()

    mark.draw(luma, 7)

    box = mark.box(7)
    outside = np.ones(luma.shape, dtype=bool)
    outside[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert (luma[outside] == before[outside]).all()
    assert (luma[~outside] != before[~outside]).mean() > 0.9


@given(st.integers(0, 2**32), st.sampled_from(["noise", "flat", "ramp", "bars", "checks"]))
def test_it_is_not_found_where_it_was_not_drawn(seed: int, ground: str) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:360, 0:640]
    period = int(rng.integers(2, 40))
    luma = {
        "noise": rng.integers(0, 256, (360, 640)),
        "flat": np.full((360, 640), rng.integers(0, 256)),
        "ramp": rows * 255 // 360,
        "bars": (columns // period % 2) * 255,
        "checks": ((columns // period + rows // period) % 2) * 255,
    }[ground].astype(np.uint8)
    mark = a_mark(seed=seed % 8)

    assert max(mark.presence(luma, frame) for frame in range(0, 48, 5)) < PRESENT_FROM


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_is_found_at_every_size(size: tuple[int, int]) -> None:
    mark = a_mark(*size)
    luma = np.random.default_rng(1).integers(0, 256, size[::-1], dtype=np.uint8)

    mark.draw(luma, 20)

    assert mark.presence(luma, 20) > 0.9
    assert mark.presence(luma, 47) < PRESENT_FROM


def test_it_is_found_in_every_frame_of_an_encoded_film(film: Path) -> None:
    found = [MARK.presence(luma, frame) for frame, luma in enumerate(read_lumas(film))]

    assert len(found) == FRAMES
    assert min(found) > 0.9


def test_it_is_not_found_in_an_encoded_film_without_it(tmp_path: Path) -> None:
    path = tmp_path / "bare.mp4"
    encode_with(None, path, pictures())

    found = [MARK.presence(luma, frame) for frame, luma in enumerate(read_lumas(path))]

    assert max(found) < PRESENT_FROM


def test_the_same_seed_gives_the_same_path_and_another_seed_another() -> None:
    def path(seed: int) -> list[Box]:
        mark = a_mark(seed=seed)
        return [mark.box(frame) for frame in range(48)]

    assert path(1) == path(1)
    assert path(1) != path(2)


def test_a_frame_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="shape"):
        a_mark().draw(np.zeros((100, 100), np.uint8), 0)


def test_a_frame_beyond_the_last_is_a_mistake() -> None:
    with pytest.raises(IndexError):
        a_mark(frames=48).box(48)


def test_a_frame_too_small_to_read_the_plate_is_refused() -> None:
    with pytest.raises(FrameTooSmall):
        a_mark(127, 256)


@given(st.integers(128, 300), st.integers(128, 300), st.sampled_from([TEXT, TEXT_BY_RULE]))
def test_at_any_size_the_plate_fits_or_is_refused(width: int, height: int, text: str) -> None:
    luma = np.full((height, width), 90, np.uint8)
    try:
        mark = VisibleMark(width, height, fps=Fraction(8), frame_count=9, seed=3, text=text)
    except FrameTooSmall:
        assert width < 150
        return

    mark.draw(luma, 8)

    assert mark.presence(luma, 8) > 0.95
