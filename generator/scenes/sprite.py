"""Patches of colour laid over pictures: for a whole block of frames at once where they are inside.

Numpy is several times slower along an axis of three: planes come first in a sprite, and last only
in the pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A stack of patches, one for each picture.

    Attributes:
        left, top: pixel of each patch's upper left corner, shape (n,).
        colour: 0 to 255, shape (3, n, h, w), or (3, 1, 1, 1) where it is one colour.
        cover: 0 to 1, shape (n, h, w).
    """

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    colour: Floats
    cover: Floats


def planes(colour: tuple[int, int, int] | Floats) -> Floats:
    """Return a colour that spreads over a stack of patches: shape (3, 1, 1, 1)."""
    return np.array(colour, dtype=np.float32)[:, None, None, None]


def lay(frames: NDArray[np.uint8], sprite: Sprite) -> None:
    """Lay each patch over its own picture of `frames`, as far as it lies inside.

    Args:
        frames: shape (n, height, width, 3).
    """
    (tall, wide), (height, width) = sprite.cover.shape[1:], frames.shape[1:3]
    left, top = sprite.left, sprite.top
    if min(left.min(), top.min(), width - wide - left.max(), height - tall - top.max()) >= 0:
        _stamp(frames, (np.arange(len(frames)), top, left), sprite.colour, sprite.cover)
        return
    colour = np.broadcast_to(sprite.colour, (3, *sprite.cover.shape))
    for index, frame in enumerate(frames):
        x, y = int(left[index]), int(top[index])
        rows = slice(max(-y, 0), max(min(height - y, tall), 0))
        columns = slice(max(-x, 0), max(min(width - x, wide), 0))
        under = frame[max(y, 0) : max(y + tall, 0), max(x, 0) : max(x + wide, 0)]
        _blend(
            under.transpose(2, 0, 1),
            colour[:, index, rows, columns],
            sprite.cover[index, rows, columns],
        )


def stamp(
    frames: NDArray[np.uint8],
    which: NDArray[np.int64],
    centres: NDArray[np.float64],
    colour: tuple[int, int, int],
    cover: Floats,
) -> None:
    """Lay one pattern over the pictures `which` around `centres`, wherever it is wholly inside.

    Args:
        which: rising, shape (n,); a picture may come many times.
        centres: columns and rows, shape (n, 2).
        cover: shape (h, w).
    """
    tall, wide = cover.shape
    left = np.floor(centres[:, 0]).astype(np.int64) - wide // 2
    top = np.floor(centres[:, 1]).astype(np.int64) - tall // 2
    height, width = frames.shape[1:3]
    inside = (left >= 0) & (top >= 0) & (left <= width - wide) & (top <= height - tall)
    _stamp(frames, (which[inside], top[inside], left[inside]), planes(colour), cover)


def _stamp(
    frames: NDArray[np.uint8],
    at: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    colour: Floats,
    cover: Floats,
) -> None:
    windows = sliding_window_view(frames, cover.shape[-2:], axis=(1, 2), writeable=True)
    under = windows[at]
    _blend(under, colour, cover)
    windows[at] = under


def _blend(under: NDArray[np.uint8], colour: Floats, cover: Floats) -> None:
    """Cover `under`, shape (..., 3, h, w), with `colour`, planes first."""
    for channel, paint in enumerate(colour):
        values = under[..., channel, :, :].astype(np.float32)
        values += (paint - values) * cover
        values += np.float32(0.5)
        under[..., channel, :, :] = values
