"""A painted backdrop as a moving camera sees it: between its pixels, in eight-bit fixed point."""

import numpy as np
from numpy.typing import NDArray

Fixed = NDArray[np.uint16]


def shifted(picture: Fixed, left: float, wide: int) -> Fixed:
    """Return `wide` columns of `picture`, shape (height, width, 3), from `left` on."""
    low = int(left)
    share = np.array(int((left - low) * 256), dtype=np.uint16)
    return _mixed(picture[:, low : low + wide], picture[:, low + 1 : low + 1 + wide], share)


def sampled(picture: Fixed, columns: NDArray[np.float64], rows: NDArray[np.float64]) -> Fixed:
    """Return what `picture`, shape (height, width, 3), has at every one of `rows` and `columns`."""
    low, share = _taps(rows, picture.shape[0])
    tall = _mixed(picture.take(low, axis=0), picture.take(low + 1, axis=0), share[:, None, None])
    low, share = _taps(columns, picture.shape[1])
    # Pixels lie in one row as red, green, blue, red ...: numpy is slow along an axis of three.
    flat = tall.reshape(len(tall), -1)
    each = (low[:, None] * 3 + np.arange(3)).ravel()
    wide = _mixed(flat.take(each, axis=1), flat.take(each + 3, axis=1), share.repeat(3))
    return wide.reshape(len(rows), len(columns), 3)


def _mixed(first: Fixed, second: Fixed, share: Fixed) -> Fixed:
    """Return (256 - share) parts of `first` with `share` of `second`; both fit in eight bits."""
    total = first * (np.uint16(256) - share)
    total += second * share
    total >>= np.uint16(8)
    return total


def _taps(at: NDArray[np.float64], length: int) -> tuple[NDArray[np.int64], Fixed]:
    low = np.clip(np.floor(at).astype(np.int64), 0, length - 2)
    return low, (np.clip(at - low, 0, 1) * 256).astype(np.uint16)
