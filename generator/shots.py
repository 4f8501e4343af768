"""What is to be made: one shot of so many seconds at such a size."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


class GeneratorError(Exception):
    """Base of everything this package raises."""


class ShotNotPossible(GeneratorError):
    """The back end cannot make this shot; the message names the field and the way out."""


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
        first_frame: shape (height, width, 3), uint8, RGB, any size; None for text to video.
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
        """Return if size, rate, length and seed of `shot` are within these limits.

        Raises:
            ShotNotPossible: names the field and what would be possible.
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
