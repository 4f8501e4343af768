"""What is to be made: one shot of so many seconds at such a size."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# Below and beyond these nobody would see what the picture shows.
MIN_PICTURE_SIDE, MAX_PICTURE_ASPECT = 16, 8
MAX_PICTURE_PIXELS = 50_000_000


class GeneratorError(Exception):
    """Base of everything this package raises."""


class ShotNotPossible(GeneratorError):
    """The back end cannot make this shot; the message names the field and the way out."""


class PictureNotPossible(ShotNotPossible):
    """The first frame is no picture that a back end can show, whatever the rest of the shot is."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, both even (4:2:0 chroma)."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Shot:
    """One continuous take.

    Attributes:
        prompt: what is to be seen and heard, as approved.
        seconds: length; `frame_count` frames are made, exactly.
        fps: frames per second, 8 to 30; a fraction, so that 24000/1001 stays exact.
        seed: same seed, same shot, same back end on the same device: the same clip.
        negative: what is not to be seen (the `steer` condition fills it).
        first_frame: shape (height, width, 3), uint8, RGB, of a size that `Limits.check` takes;
            never written to. None for text to video. Not compared: see `same_shot`.
    """

    prompt: str = field(repr=False)
    size: Size
    seconds: int
    fps: Fraction
    seed: int
    negative: str = field(default="", repr=False)
    first_frame: NDArray[np.uint8] | None = field(default=None, compare=False)

    @property
    def frame_count(self) -> int:
        """How many frames the clip has, rounded to the nearest whole frame."""
        return round(self.seconds * self.fps)


def same_shot(one: Shot, other: Shot) -> bool:
    """Return whether both ask for the same, to the last pixel of the first frame."""
    if one != other:
        return False
    first, second = one.first_frame, other.first_frame
    if first is None or second is None:
        return first is second
    return first.dtype == second.dtype and np.array_equal(first, second)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a back end can make. Looking costs nothing and loads nothing.

    Attributes:
        min_side, max_side: pixels, inclusive; sides are even in any case.
        max_pixels: width times height of one frame, inclusive.
        min_fps, max_fps: inclusive.
        max_seconds: inclusive; the shortest shot is one second.
    """

    min_side: int
    max_side: int
    max_pixels: int
    min_fps: int
    max_fps: int
    max_seconds: int

    def check(self, shot: Shot) -> None:
        """Return if size, rate, length, seed and first frame of `shot` are within these limits.

        Raises:
            ShotNotPossible: names the field and what would be possible.
            PictureNotPossible: so does this, of the first frame.
        """
        width, height = shot.size.width, shot.size.height
        if width % 2 or height % 2:
            raise ShotNotPossible(f"size {shot.size}: both sides must be even")
        if not self.min_side <= min(width, height) or not max(width, height) <= self.max_side:
            raise ShotNotPossible(
                f"size {shot.size}: a side is {self.min_side} to {self.max_side} pixels long"
            )
        if width * height > self.max_pixels:
            raise ShotNotPossible(f"size {shot.size}: at most {self.max_pixels} pixels in a frame")
        if not self.min_fps <= shot.fps <= self.max_fps:
            raise ShotNotPossible(f"fps {shot.fps}: from {self.min_fps} to {self.max_fps}")
        if not 1 <= shot.seconds <= self.max_seconds:
            raise ShotNotPossible(f"seconds {shot.seconds}: from 1 to {self.max_seconds}")
        if not 0 <= shot.seed < 2**63:
            raise ShotNotPossible("seed: a whole number from 0 to 2**63 - 1")
        if shot.first_frame is not None:
            _check_picture(shot.first_frame)


def _check_picture(picture: NDArray[np.uint8]) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise PictureNotPossible(
            f"the picture is {picture.dtype} of shape {picture.shape}: send RGB in eight bits"
        )
    tall, wide = picture.shape[:2]
    if min(tall, wide) < MIN_PICTURE_SIDE:
        raise PictureNotPossible(
            f"the picture is {wide}x{tall}: a side has at least {MIN_PICTURE_SIDE} pixels"
        )
    if max(tall, wide) > MAX_PICTURE_ASPECT * min(tall, wide):
        raise PictureNotPossible(
            f"the picture is {wide}x{tall}: one side is at most {MAX_PICTURE_ASPECT} times"
            " the other"
        )
    if tall * wide > MAX_PICTURE_PIXELS:
        raise PictureNotPossible(
            f"the picture is {wide}x{tall}: it has at most {MAX_PICTURE_PIXELS} pixels"
        )
