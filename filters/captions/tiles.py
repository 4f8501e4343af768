"""A picture that is too large for the detector, as parts that are not, and lines joined again.

The whole shows large letters and the parts show small ones; where both show a line, one is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Of their size in the picture, at least, letters have in a part: those of 40 pixels are read then,
# and half of those of 24 (benchmarks/frames.py). The whole shows as much of up to 4K.
LEAST_SCALE = 1 / 3
# Pixels of the picture in which two parts overlap. What is lower than three quarters of it stands
# whole in one of them; what is higher is large enough for the whole picture, up to 50 million.
OVERLAP, TALL = 160, 120
# 50 million pixels, the most that anybody can send, take seven.
MOST_TILES = 8
# Of a picture, largest first, are compared with each other; a line is in eight parts at most, so
# that where there are more, there are also more lines than are read.
MOST_COMPARED = 320
# Of a line, when so much of it is in lines that were kept: it is one of them.
_SAME = 0.5
# A line ends at the edge of its part, so many pixels away at most; and what it makes with its rest
# is hardly thicker than the two are: otherwise they are neighbours.
_EDGE, _THICKER = 8.0, 1.5


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture, in its pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where a line of text stands.

    Attributes:
        corners: shape (4, 2), from the upper left one on, clockwise.
        drawn: that there is text at all, 0..1.
        is_cut: whether it ends where its part of the picture ends, and not the picture.
    """

    corners: NDArray[np.float32]
    drawn: float
    is_cut: bool = False

    @property
    def thickness(self) -> float:
        """The height of its letters, and what is left free around them."""
        return float(min(cv2.minAreaRect(self.corners)[1]))

    @property
    def area(self) -> float:
        """In pixels."""
        return float(cv2.contourArea(self.corners))


def tiles(width: int, height: int, most_pixels: int) -> list[Tile]:
    """Return the fewest parts that the detector sees well; none where it needs too many.

    Args:
        most_pixels: that the detector sees of a part.
    """
    grids = [
        (columns * rows, abs(_part(width, columns) - _part(height, rows)), columns, rows)
        for columns in range(1, MOST_TILES + 1)
        for rows in range(1, MOST_TILES // columns + 1)
        if _part(width, columns) * _part(height, rows) * LEAST_SCALE**2 <= most_pixels
    ]
    if not grids:
        return []
    *_, columns, rows = min(grids)
    return [
        Tile(x, y, wide, high)
        for y, high in _edges(height, rows)
        for x, wide in _edges(width, columns)
    ]


def placed(found: Found, tile: Tile, width: int, height: int) -> Found:
    """Return what was found in a part, in pixels of its picture of `width` and `height`."""
    corners = found.corners + np.array([tile.x, tile.y], np.float32)
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    is_cut = (
        (tile.x > 0 and left < tile.x + _EDGE)
        or (tile.y > 0 and top < tile.y + _EDGE)
        or (tile.x + tile.width < width and right > tile.x + tile.width - _EDGE)
        or (tile.y + tile.height < height and bottom > tile.y + tile.height - _EDGE)
    )
    if not is_cut:
        return Found(corners, found.drawn)
    # The next part may have missed the letter that is half in each.
    longer = np.clip(_longer(corners), 0, [width, height]).astype(np.float32)
    return Found(longer, found.drawn, is_cut=True)


def _longer(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a line with as much more at either end as it is thick."""
    upper_left, upper_right, _, lower_left = corners
    across, down = upper_right - upper_left, lower_left - upper_left
    wide, high = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if not wide or not high:
        return corners
    more = across * (high / wide) if wide >= high else down * (wide / high)
    signs = [-1, 1, 1, -1] if wide >= high else [-1, -1, 1, 1]
    return corners + np.outer(signs, more)


def together(whole: Sequence[Found], parts: Sequence[Found]) -> list[Found]:
    """Return every line once; of a page with very many, the smallest as they are.

    Args:
        whole: what was found in the whole picture.
        parts: in all its parts, `placed`.
    """
    by_size = sorted(parts, key=lambda one: -one.area)
    parts, rest = by_size[:MOST_COMPARED], by_size[MOST_COMPARED:]
    whole = sorted(whole, key=lambda one: -one.area)[:MOST_COMPARED]
    tall = [one for one in whole if one.thickness >= TALL]
    low = [one for one in whole if one.thickness < TALL]
    fine = _joined(parts)
    # Of letters that no part holds whole, the parts show pieces; of small ones, the whole a smear.
    ranked = [
        *sorted(tall, key=lambda one: -one.area),
        *sorted((one for one in fine if one.thickness < TALL), key=lambda one: -one.area),
        *sorted(low, key=lambda one: -one.area),
        *(one for one in fine if one.thickness >= TALL),
    ]
    kept: list[Found] = []
    boxes = np.empty((len(ranked), 4), np.float32)
    for one in ranked:
        box = _box(one)
        near = _meeting(box, boxes[: len(kept)])
        if sum(_shared(one, kept[at]) for at in near) < _SAME * one.area:
            boxes[len(kept)] = box
            kept.append(one)
    return [*kept, *rest]


def _joined(parts: Sequence[Found]) -> list[Found]:
    """Return lines that were cut between parts as one each."""
    done = [one for one in parts if not one.is_cut]
    for one in (one for one in parts if one.is_cut):
        line = one
        while (rest := _rest(line, done)) is not None:
            at, line = rest
            del done[at]
        done.append(line)
    return done


def _rest(line: Found, done: Sequence[Found]) -> tuple[int, Found] | None:
    if not done:
        return None
    for at in _meeting(_box(line), np.stack([_box(one) for one in done])):
        other = done[at]
        if _shared(line, other) > 0:
            both = np.concatenate([line.corners, other.corners])
            whole = Found(_corners(both), max(line.drawn, other.drawn), is_cut=True)
            if whole.thickness <= _THICKER * max(line.thickness, other.thickness):
                return at, whole
    return None


def _corners(points: NDArray[np.float32]) -> NDArray[np.float32]:
    found = cv2.boxPoints(cv2.minAreaRect(points))
    left, right = np.split(found[np.argsort(found[:, 0])], 2)
    (upper_left, lower_left), (upper_right, lower_right) = (
        side[np.argsort(side[:, 1])] for side in (left, right)
    )
    return np.array([upper_left, upper_right, lower_right, lower_left], np.float32)


def _shared(one: Found, other: Found) -> float:
    return float(cv2.intersectConvexConvex(one.corners, other.corners)[0])


def _box(found: Found) -> NDArray[np.float32]:
    return np.concatenate([found.corners.min(axis=0), found.corners.max(axis=0)])


def _meeting(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> list[int]:
    """Return which of `boxes` (left, top, right, bottom) meet `box`."""
    apart = (boxes[:, :2] > box[2:]).any(axis=1) | (boxes[:, 2:] < box[:2]).any(axis=1)
    return [int(at) for at in np.flatnonzero(~apart)]


def _part(side: int, parts: int) -> float:
    """Return how long each of so many overlapping parts of a side is."""
    return (side + (parts - 1) * OVERLAP) / parts


def _edges(side: int, parts: int) -> list[tuple[int, int]]:
    """Return where each part begins and how long it is."""
    long = min(side, int(np.ceil(_part(side, parts))))
    if parts == 1:
        return [(0, side)]
    return [(round(at * (side - long) / (parts - 1)), long) for at in range(parts)]
