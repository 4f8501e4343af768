"""Bare bodies in frames: NudeNet's 320n, on our own session.

The wheel's own class ignores its `providers`, loops over 2,100 boxes in Python, and lets a covered
body part outvote a bare one in the same place; so only its weights are used. Its answers on a
picture without either trouble are ours too (tests/filters/test_nudity.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.finding import Box, Category, FilterError, Finding, NothingToLookAt, Surface
from filters.frames import checked_frame
from filters.pinned import FAULTS, opened, pinned, wheel_file

DETECTOR = "filters.nudity@1"
SHA256 = "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f"
SIDE = 320
# NudeNet's own: below it boxes are noise, and of two that overlap by more one is a shadow.
FLOOR, MOST_OVERLAP = 0.2, 0.45
LABELS = (
    "FEMALE_GENITALIA_COVERED", "FACE_FEMALE", "BUTTOCKS_EXPOSED", "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED", "MALE_BREAST_EXPOSED", "ANUS_EXPOSED", "FEET_EXPOSED",
    "BELLY_COVERED", "FEET_COVERED", "ARMPITS_COVERED", "ARMPITS_EXPOSED", "FACE_MALE",
    "BELLY_EXPOSED", "MALE_GENITALIA_EXPOSED", "ANUS_COVERED", "FEMALE_BREAST_COVERED",
    "BUTTOCKS_COVERED",
)  # fmt: skip
# A man's chest, bellies, armpits and feet are what a beach looks like.
SEXUAL = (
    "BUTTOCKS_EXPOSED", "FEMALE_BREAST_EXPOSED", "FEMALE_GENITALIA_EXPOSED", "ANUS_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
)  # fmt: skip
_REMEDY = "Install `imprimatur[gate]` with constraints.txt (nudenet 3.4.2)."


@dataclass(frozen=True, slots=True)
class Sight:
    """Something the detector made out: one of `LABELS`, 0..1, and where."""

    label: str
    score: float
    box: Box


class NudityDetector:
    """Looks for bare body parts in frames.

    Raises:
        ModelUnavailable: NudeNet's weights are missing or not those we pinned.
    """

    def __init__(self, *, threads: int = 1) -> None:
        path = wheel_file("nudenet", "320n.onnx", remedy=_REMEDY)
        self._session = opened(pinned(path, SHA256, remedy=_REMEDY), threads=threads)

    def look(
        self, frames: Iterable[tuple[int, NDArray[np.uint8]]], surface: Surface = Surface.FRAMES
    ) -> list[Finding]:
        """Return each bare body part with the frame and box that show it best.

        Where none reaches `FLOOR`, one `sexual` finding without a place says how near it came, so
        that there is always something to record.

        Args:
            frames: index and pixels, (height, width, 3), uint8, RGB, any size; not changed.
            surface: `frames`, or `picture` for a reference.

        Raises:
            NothingToLookAt: there is no frame.
            NotAFrame: see `frames`.
            FilterError: the model failed, or gave something that is no number.
        """
        best: dict[str, Sight] = {}
        highest = -1.0
        for index, frame in frames:
            table = self._table(checked_frame(frame))
            highest = max(highest, float(_scores(table)[:, _SEXUAL_COLUMNS].max()))
            for sight in _sights(table, index, frame):
                if sight.label in SEXUAL:
                    known = best.get(sight.label)
                    best[sight.label] = max(known or sight, sight, key=lambda each: each.score)
        if highest < 0:
            raise NothingToLookAt("no frame was given to the nudity detector")
        if not best:
            return [Finding(Category.SEXUAL, highest, surface, DETECTOR)]
        ranked = sorted(best.values(), key=lambda sight: (-sight.score, sight.label))
        return [
            Finding(Category.SEXUAL, sight.score, surface, DETECTOR, sight.box) for sight in ranked
        ]

    def sights(self, frame: NDArray[np.uint8], index: int = 0) -> list[Sight]:
        """Return everything made out in one frame, also faces and feet, strongest first."""
        return _sights(self._table(checked_frame(frame)), index, frame)

    def _table(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return one row per candidate, shape (2100, 22): centre, size, and a score per label."""
        try:
            (answer,) = self._session.run(None, {"images": _blob(frame)})
            table: NDArray[np.float32] = answer[0].T
        except FAULTS as broken:
            raise FilterError(f"{DETECTOR} failed: {type(broken).__name__}") from broken
        # The highest of a number and of what is none may be the number.
        if table.shape[1:] != (4 + len(LABELS),) or not np.isfinite(table).all():
            raise FilterError(f"{DETECTOR} gave something that is no number for each label")
        return table


_SEXUAL_COLUMNS = [LABELS.index(label) for label in SEXUAL]


def _scores(table: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.clip(table[:, 4:], 0.0, 1.0)


def _blob(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the frame at the top left of a black square, scaled: (1, 3, `SIDE`, `SIDE`)."""
    side = max(frame.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: frame.shape[0], : frame.shape[1]] = frame
    place = np.clip((np.arange(SIDE) + 0.5) * side / SIDE - 0.5, 0, side - 1)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, side - 1)
    part = (place - low).astype(np.float32)
    down = part[:, None, None]
    rows = square[low] * (1 - down) + square[high] * down
    across = part[None, :, None]
    small = rows[:, low] * (1 - across) + rows[:, high] * across
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None] / np.float32(255), np.float32)


def _sights(table: NDArray[np.float32], index: int, frame: NDArray[np.uint8]) -> list[Sight]:
    height, width = frame.shape[:2]
    scores = _scores(table)
    corners = _corners(table) * (max(height, width) / SIDE)
    found: list[Sight] = []
    # Label by label: a covered breast must not outvote a bare one beside it.
    for column, label in enumerate(LABELS):
        rows = np.flatnonzero(scores[:, column] >= FLOOR)
        rows = rows[np.argsort(-scores[rows, column], kind="stable")]
        while len(rows):
            left, top, right, bottom = np.clip(
                corners[rows[0]], 0, [width, height, width, height]
            ).astype(int).tolist()  # fmt: skip
            box = Box(index, left, top, right - left, bottom - top)
            found.append(Sight(label, float(scores[rows[0], column]), box))
            rows = rows[1:][_overlap(corners[rows[0]], corners[rows[1:]]) <= MOST_OVERLAP]
    return sorted(found, key=lambda sight: -sight.score)


def _corners(table: NDArray[np.float32]) -> NDArray[np.float32]:
    half = table[:, 2:4] / 2
    return np.concatenate([table[:, :2] - half, table[:, :2] + half], axis=1)


def _overlap(one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intersection over union of one box with each of the others."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    total = (one[2:] - one[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1)
    result: NDArray[np.float32] = shared / np.maximum(total - shared, 1e-9)
    return result
