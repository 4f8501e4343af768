"""Has a picture changed since it was last read? If not, its text has not either."""

import numpy as np
from numpy.typing import NDArray

# Means of squares this wide are compared, at 720 lines; in smaller pictures smaller ones.
SQUARE = 8
# Of 255, in one colour of one square. The faintest letters that the reader makes out, 12 of 255
# from what is behind them, change a square by over 5 (benchmarks/frames.py).
LEAST = 2.0


class Changes:
    """Remembers the last picture that was read, as means of squares."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None

    def since_read(self, frame: NDArray[np.uint8]) -> bool:
        """Return whether `frame` differs from the last for which this said so.

        Compared with what was read and not with the frame before: what fades in slowly changes
        by too little from frame to frame.

        Args:
            frame: (height, width, 3), uint8.
        """
        squares = _means(frame)
        last = self._last
        if (
            last is not None
            and last.shape == squares.shape
            and float(np.abs(last - squares).max()) < LEAST
        ):
            return False
        self._last = squares
        return True


def _means(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean of each square and colour; the last row and column may be narrower."""
    height, width = frame.shape[:2]
    side = max(2, min(SQUARE, round(min(height, width) * SQUARE / 720)))
    down, across = np.arange(0, height, side), np.arange(0, width, side)
    # Colours of a row lie side by side, so the sum over columns goes first, on 32-bit integers.
    rows = np.add.reduceat(frame, down, axis=0, dtype=np.uint32)
    sums = np.add.reduceat(rows, across, axis=1)
    tall = np.diff(np.append(down, height)).astype(np.float32)
    wide = np.diff(np.append(across, width)).astype(np.float32)
    means: NDArray[np.float32] = (sums / (tall[:, None] * wide)[:, :, None]).astype(np.float32)
    return means
