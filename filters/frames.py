"""Which frames of a clip are looked at, and what a detector wants a frame to be."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from filters.finding import FilterError

LOOKS_PER_SECOND = 2


class NotAFrame(FilterError):
    """What was handed in is not a picture of (height, width, 3) bytes."""


def sampled(frame_count: int, fps: Fraction) -> list[int]:
    """Return the frames to look at, ascending: two per second, the first and the last.

    Half a second is shorter than anybody needs to see something, and an advert ends on its point.
    Empty only for a clip without frames, which every detector refuses.
    """
    if frame_count <= 0:
        return []
    step = max(Fraction(1), fps / LOOKS_PER_SECOND)
    looks = {round(step * look) for look in range(int(frame_count / step) + 1)}
    return sorted({look for look in looks if look < frame_count} | {frame_count - 1})


def checked_frame(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `frame` if it is one.

    Raises:
        NotAFrame: it is empty, or not (height, width, 3) of uint8.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype != np.uint8:
        raise NotAFrame(f"a frame has shape {frame.shape} and type {frame.dtype}")
    return frame
