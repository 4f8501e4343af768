"""Sound of any length, at 16 kHz and in windows: never more of it in memory than one window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.finding import FilterError, NothingToLookAt

SAMPLE_RATE, MODEL_RATE = 48_000, 16_000
# The step of the voice detector: 32 ms.
CHUNK = 512
# A window is under 30 s, which is as much as a transcriber takes; it begins 5 s before the one
# before it ends, so that no word is cut in both.
WINDOW_CHUNKS, OVERLAP_CHUNKS = 936, 156
# A difference of channels at -80 dB of full scale is rounding; nobody hears it.
_SAME = 1e-4
_BLOCK = 10 * SAMPLE_RATE
_STEP, _REACH = SAMPLE_RATE // MODEL_RATE, 48


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of sound at 16 kHz.

    Attributes:
        first: chunk of the sound that it begins with.
        fresh: chunk of the sound that begins what the window before did not hold.
        samples: shape (channels, samples), float32.
        is_last: whether the sound ends with it.
    """

    first: int
    fresh: int
    samples: NDArray[np.float32] = field(repr=False)
    is_last: bool

    @property
    def end(self) -> int:
        """The chunk after its last one, which may be filled in part."""
        return self.first - (-int(self.samples.shape[1]) // CHUNK)

    def stand_ins(self) -> list[int]:
        """Return for each channel the first one that sounds the same."""
        found: list[int] = []
        for number, channel in enumerate(self.samples):
            same = (n for n in found if np.abs(self.samples[n] - channel).max(initial=0) <= _SAME)
            found.append(next(same, number))
        return found


def windows(blocks: Iterable[NDArray[np.float32]]) -> Iterator[Window]:
    """Yield a sound as windows that overlap.

    Args:
        blocks: shape (samples, channels), float32 in -1..1, at 48 kHz, of any length, in order; not
            changed.

    Raises:
        NothingToLookAt: there is no sample.
        FilterError: another shape, other channels than before, or values that are not numbers.
    """
    length, overlap = WINDOW_CHUNKS * CHUNK, OVERLAP_CHUNKS * CHUNK
    kept: NDArray[np.float32] | None = None
    first = fresh = 0
    for slow in slowed(blocks):
        kept = slow if kept is None else np.concatenate([kept, slow], axis=1)
        # More than a window: what ends a sound is a window too, and never an empty one.
        while kept.shape[1] > length:
            yield Window(first, fresh, kept[:, :length], is_last=False)
            fresh = first + WINDOW_CHUNKS
            first = fresh - OVERLAP_CHUNKS
            kept = kept[:, length - overlap :].copy()
    if kept is None:
        raise NothingToLookAt("no sound was given to the voice detector")
    yield Window(first, fresh, kept, is_last=True)


def slowed(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield 48 kHz sound at 16 kHz, shape (channels, samples).

    What lies above 8 kHz is filtered out, not folded down.

    Raises:
        FilterError: see `windows`.
    """
    taps = _taps()
    kept: NDArray[np.float32] | None = None
    for block in _checked(blocks):
        if kept is None:
            kept = np.zeros((block.shape[1], _REACH), np.float32)
        if block.shape[1] != len(kept):
            raise FilterError(f"sound of {len(kept)} channels goes on with {block.shape[1]}")
        kept = np.concatenate([kept, block.T], axis=1)
        count = (kept.shape[1] - len(taps)) // _STEP + 1
        if count > 0:
            yield _filtered(kept, taps, count)
            kept = kept[:, count * _STEP :]
    if kept is None:
        return
    kept = np.pad(kept, ((0, 0), (0, _REACH)))
    count = (kept.shape[1] - len(taps)) // _STEP + 1
    if count > 0:
        yield _filtered(kept, taps, count)


def _checked(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        if block.ndim != 2 or block.shape[1] == 0:
            raise FilterError(f"sound has shape {block.shape}, not (samples, channels)")
        for start in range(0, len(block), _BLOCK):
            part = block[start : start + _BLOCK]
            if not np.isfinite(part).all():
                raise FilterError("sound holds values that are not numbers")
            # As a player does: beyond full scale there is nothing to be heard.
            yield np.clip(part.astype(np.float32, copy=False), -1.0, 1.0)


def _taps() -> NDArray[np.float32]:
    at = np.arange(-_REACH, _REACH + 1)
    # Cut at 7.4 kHz: a Kaiser window of this length falls by 60 dB within the 1.2 kHz to 8.6, and
    # what little folds back lands above 7.4, where no speech is decided.
    taps = np.sinc(at * 2 * 7400 / SAMPLE_RATE) * np.kaiser(len(at), 5.65)
    return np.asarray(taps / taps.sum(), np.float32)


def _filtered(
    padded: NDArray[np.float32], taps: NDArray[np.float32], count: int
) -> NDArray[np.float32]:
    slow = np.zeros((len(padded), count), np.float32)
    for offset, tap in enumerate(taps):
        slow += tap * padded[:, offset : offset + (count - 1) * _STEP + 1 : _STEP]
    return slow
