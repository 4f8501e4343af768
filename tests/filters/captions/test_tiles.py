"""Parts of a large picture cover all of it, and a line that several show is there once."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.captions.reader import MOST_LINES, MOST_PIXELS
from filters.captions.tiles import (
    LEAST_SCALE,
    MOST_TILES,
    OVERLAP,
    Found,
    Tile,
    placed,
    tiles,
    together,
)

WIDE, HIGH = 7000, 4000


def a_line(left: float, top: float, right: float, bottom: float, drawn: float = 0.8) -> Found:
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Found(corners, drawn)


def in_tile(tile: Tile, left: float, top: float, right: float, bottom: float) -> Found:
    """Return what the detector shows in `tile` of a line that stands in the picture."""
    inside = a_line(
        max(0, left - tile.x),
        max(0, top - tile.y),
        min(tile.width, right - tile.x),
        min(tile.height, bottom - tile.y),
    )
    return placed(inside, tile, WIDE, HIGH)


def boxes(found: list[Found]) -> list[list[int]]:
    """Return left, top, right and bottom of each."""
    return [
        np.concatenate([line.corners.min(axis=0), line.corners.max(axis=0)])
        .round()
        .astype(int)
        .tolist()
        for line in found
    ]


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_parts_cover_the_picture_overlap_and_are_seen_large_enough(width: int, height: int) -> None:
    parts = tiles(width, height, MOST_PIXELS)

    assert len(parts) <= MOST_TILES
    for side, edges in (
        (width, sorted({(part.x, part.x + part.width) for part in parts})),
        (height, sorted({(part.y, part.y + part.height) for part in parts})),
    ):
        if not parts:
            continue
        assert edges[0][0] == 0
        assert edges[-1][1] == side
        assert all(
            now[1] - after[0] >= min(OVERLAP, side) - 2 for now, after in itertools.pairwise(edges)
        )
    for part in parts:
        assert (part.width - 1) * (part.height - 1) * LEAST_SCALE**2 <= MOST_PIXELS


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [(3840, 2160, 1), (4032, 3024, 2), (7000, 4000, 4), (8660, 5773, 7), (12_000, 12_000, 0)],
)
def test_as_few_parts_as_do_and_none_where_too_many_would_have_to(
    width: int, height: int, count: int
) -> None:
    assert len(tiles(width, height, MOST_PIXELS)) == count


def test_a_line_over_three_parts_is_one() -> None:
    row = [part for part in tiles(WIDE, HIGH, MOST_PIXELS) if part.y == 0]

    line = together([], [in_tile(part, 100, 500, 6900, 550) for part in row])

    ((left, top, right, bottom),) = boxes(line)
    assert [left, top, right, bottom] == [100 - 50, 500, 6900 + 50, 550]


def test_a_line_that_stands_whole_in_two_parts_is_there_once() -> None:
    first, second, *_ = tiles(WIDE, HIGH, MOST_PIXELS)

    shown = [in_tile(part, second.x + 20, 500, second.x + 130, 540) for part in (first, second)]

    assert boxes(together([], shown)) == [[second.x + 20, 500, second.x + 130, 540]]


def test_half_of_a_line_that_a_part_cuts_lengthwise_is_no_line() -> None:
    upper, *_, lower = [part for part in tiles(WIDE, HIGH, MOST_PIXELS) if part.x == 0]
    top = upper.y + upper.height - 20

    shown = [in_tile(part, 300, top, 900, top + 45) for part in (upper, lower)]

    ((_, found_top, _, found_bottom),) = boxes(together([], shown))
    assert (found_top, found_bottom) == (top, top + 45)


def test_lines_one_above_the_other_stay_two_though_a_part_cuts_both() -> None:
    row = [part for part in tiles(WIDE, HIGH, MOST_PIXELS) if part.y == 0][:2]

    shown = [in_tile(part, 1500, top, 3500, top + 50) for part in row for top in (500, 546)]

    assert len(together([], shown)) == 2


def test_large_letters_are_the_whole_pictures_and_small_ones_the_parts() -> None:
    first, *_ = tiles(WIDE, HIGH, MOST_PIXELS)
    large = a_line(200, 200, 2300, 600)
    pieces = [in_tile(first, at, 210, at + 300, 590) for at in (220, 900, 1500)]
    smear = a_line(195, 1000, 900, 1110)
    small = [in_tile(first, 200, top, 880, top + 48) for top in (1005, 1056)]

    found = together([large, smear], [*pieces, *small])

    assert boxes(found) == [*boxes([large]), *boxes(small)]


def test_what_only_one_of_them_shows_is_kept() -> None:
    first, *_ = tiles(WIDE, HIGH, MOST_PIXELS)
    faint, huge = a_line(200, 1000, 900, 1060), in_tile(first, 100, 100, 900, 400)

    assert len(together([faint], [huge])) == 2


def test_lines_that_have_no_length_are_no_fault() -> None:
    first, *_ = tiles(WIDE, HIGH, MOST_PIXELS)
    point = in_tile(first, first.width, 100, first.width, 100)

    assert together([a_line(5, 5, 5, 5)], [point, point]) is not None


def test_a_page_full_of_lines_takes_no_time_and_has_too_many() -> None:
    rows = range(0, 4000, 20)
    parts = [
        in_tile(part, left, top, left + 330, top + 16)
        for part in tiles(WIDE, HIGH, MOST_PIXELS)
        for top in rows
        for left in range(part.x - 100, part.x + part.width, 350)
    ]
    started = time.process_time()

    found = together([], parts)

    assert time.process_time() - started < 5
    assert len(found) > MOST_LINES
