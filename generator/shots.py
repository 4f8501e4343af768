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

    prompt: str
    size: Size
    seconds: int
    fps: Fraction
    seed: int
    negative: str = ""
    first_frame: NDArray[np.uint8] | None = field(default=None, compare=False)

    @property
    def frame_count(self) -> int:
        """How many frames the clip has, rounded to the nearest whole frame."""
        return round(self.seconds * self.fps)
