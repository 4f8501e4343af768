"""Noise of a given band and slow random curves: what wind, rain and rolling are made of."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generator.clip import SAMPLE_RATE

Wave = NDArray[np.float32]


def band(
    rng: np.random.Generator, count: int, low_hz: float, high_hz: float, *, fall_db: float = 0.0
) -> Wave:
    """Return `count` samples of noise between two frequencies, at a root mean square of 1.

    Args:
        fall_db: how much weaker it gets with each octave above `low_hz`.
    """
    # A length with small factors: the transform of a large prime is many times slower.
    length = -(-count // 4800) * 4800
    first, last = int(low_hz * length / SAMPLE_RATE), int(high_hz * length / SAMPLE_RATE)
    spectrum = np.zeros(length // 2 + 1, dtype=np.complex64)
    bins = rng.standard_normal((last - first, 2), dtype=np.float32).view(np.complex64)[:, 0]
    if fall_db:
        bins *= _falling(first, last, fall_db)
    spectrum[first:last] = bins
    wave: Wave = np.asarray(np.fft.irfft(spectrum, length)[:count], dtype=np.float32)
    wave /= np.sqrt(np.mean(wave**2)) + np.float32(1e-12)
    return wave


@lru_cache(maxsize=16)
def _falling(first: int, last: int, fall_db: float) -> Wave:
    """Return how loud each bin is; kept, as there are few bands and clips of few lengths."""
    octaves = np.log2(np.arange(first, last, dtype=np.float32) / max(first, 1) + 1e-9)
    level: Wave = (10 ** (-fall_db * np.maximum(octaves, 0) / 20)).astype(np.float32)
    level.flags.writeable = False
    return level


def drift(rng: np.random.Generator, count: int, every_s: float) -> Wave:
    """Return a slow curve between 0 and 1 through random points `every_s` apart."""
    points = rng.random(int(count / SAMPLE_RATE / every_s) + 3)
    return stretched(points, count, every_s)


def stretched(points: NDArray[np.float64], count: int, every_s: float) -> Wave:
    """Return `points`, `every_s` apart, as at most `count` samples joined by straight lines."""
    span = round(every_s * SAMPLE_RATE)
    values = points.astype(np.float32)
    ramp = np.arange(span, dtype=np.float32) / np.float32(span)
    curve = values[:-1, None] + np.diff(values)[:, None] * ramp
    return curve.ravel()[:count]


def panned(side: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Return both channels' gains for places from -1 (left) to 1 (right): shape (2, ...)."""
    angle = (np.clip(side, -1, 1) * 0.85 + 1) * np.pi / 4
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)
