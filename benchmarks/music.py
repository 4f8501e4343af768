"""Music and noise by rule, for everything that must not take them for speech.

By construction there is no voice in any of it. Each is stereo at 48 kHz and other for each seed.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE = 48_000
_SCALE = (0, 2, 3, 5, 7, 8, 10, 12)
_CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16))


def pieces() -> Mapping[str, Callable[[int, float], Samples]]:
    """Return each kind by name: from a seed and seconds to sound."""
    return {
        "white noise": lambda seed, seconds: _noise(seed, seconds, 0.0),
        "pink noise": lambda seed, seconds: _noise(seed, seconds, 0.5),
        "brown noise": lambda seed, seconds: _noise(seed, seconds, 1.0),
        "gusts": _gusts,
        "plucked strings": _plucked,
        "chords of strings": _strings,
        "flute with vibrato": _flute,
        "drums": _drums,
        "bells": _bells,
        "chip tune": _chip_tune,
        "band": lambda seed, seconds: _mixed(
            _drums(seed, seconds), _strings(seed + 1, seconds), _plucked(seed + 2, seconds)
        ),
        "engine": _engine,
        "siren": _siren,
        "crickets": _crickets,
    }


def _times(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def _finished(mono: NDArray[np.float64]) -> Samples:
    """Return a sound at a peak of 0.5, the right channel 5 ms behind the left."""
    peak = np.abs(mono).max(initial=1e-9)
    right = np.roll(mono, RATE // 200)
    return np.asarray(np.stack([mono, right], axis=1) * (0.5 / peak), np.float32)


def _mixed(*parts: Samples) -> Samples:
    mixed: Samples = (sum(parts, np.zeros_like(parts[0])) / len(parts)).astype(np.float32)
    return mixed


def _coloured(chance: np.random.Generator, count: int, fall: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(chance.standard_normal(count))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** fall
    return np.asarray(np.fft.irfft(spectrum, count))


def _noise(seed: int, seconds: float, fall: float) -> Samples:
    chance = np.random.default_rng(seed)
    return _finished(_coloured(chance, round(seconds * RATE), fall))


def _gusts(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(seconds)
    swell = 1 + np.sin(2 * np.pi * chance.uniform(0.1, 0.4) * at + chance.uniform(0, 6))
    return _finished(_coloured(chance, len(at), 0.8) * swell)


def _notes(chance: np.random.Generator, seconds: float, step: float) -> list[tuple[float, float]]:
    """Return start in seconds and hertz of notes of a scale."""
    base = chance.choice([110.0, 146.8, 220.0, 261.6])
    return [
        (at, float(base * 2 ** (chance.choice(_SCALE) / 12)))
        for at in np.arange(0, seconds - step, step).tolist()
    ]


def _add(whole: NDArray[np.float64], at_s: float, part: NDArray[np.float64]) -> None:
    start = round(at_s * RATE)
    end = min(len(whole), start + len(part))
    whole[start:end] += part[: end - start]


def _plucked(seed: int, seconds: float) -> Samples:
    chance = np.random.default_rng(seed)
    whole, at = np.zeros(round(seconds * RATE)), _times(1.2)
    for start, hertz in _notes(chance, seconds, chance.uniform(0.2, 0.5)):
        tone = sum(
            np.sin(2 * np.pi * hertz * n * at) * np.exp(-at * (2 + n)) / n for n in range(1, 9)
        )
        _add(whole, start, np.asarray(tone))
    return _finished(whole)


def _strings(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(2.2)
    whole = np.zeros(round(seconds * RATE))
    swell = np.clip(np.minimum(at / 0.3, (2.2 - at) / 0.4), 0, 1)
    base = chance.choice([98.0, 130.8, 196.0])
    for number, start in enumerate(np.arange(0, seconds, 2.0).tolist()):
        for semitones in _CHORDS[(number + seed) % len(_CHORDS)]:
            shake = 0.4 * np.sin(2 * np.pi * chance.uniform(4.5, 6) * at)
            phase = 2 * np.pi * base * 2 ** (semitones / 12) * at + shake
            tone = sum(np.sin(n * phase) / n for n in range(1, 12))
            _add(whole, start, np.asarray(tone) * swell)
    return _finished(whole)


def _flute(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(0.6)
    whole = np.zeros(round(seconds * RATE))
    swell = np.clip(np.minimum(at / 0.06, (0.6 - at) / 0.1), 0, 1)
    for start, hertz in _notes(chance, seconds, 0.55):
        phase = 2 * np.pi * 2 * hertz * at + 0.5 * np.sin(2 * np.pi * 5 * at)
        tone = np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.1 * np.sin(3 * phase)
        _add(whole, start, (tone + 0.03 * chance.standard_normal(len(at))) * swell)
    return _finished(whole)


def _drums(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(0.4)
    whole, beat = np.zeros(round(seconds * RATE)), chance.uniform(0.2, 0.35)
    kick = np.sin(2 * np.pi * 55 * at * np.exp(-4 * at)) * np.exp(-12 * at)
    for number, start in enumerate(np.arange(0, seconds, beat).tolist()):
        snare = chance.standard_normal(len(at)) * np.exp(-25 * at)
        hat = np.diff(chance.standard_normal(len(at) + 1)) * np.exp(-90 * at)
        _add(whole, start, 0.2 * hat)
        _add(whole, start, (kick, 0 * kick, 0.6 * snare, 0 * kick)[number % 4])
    return _finished(whole)


def _bells(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(2.0)
    whole = np.zeros(round(seconds * RATE))
    for start, hertz in _notes(chance, seconds, 0.8):
        tone = sum(
            np.sin(2 * np.pi * hertz * ratio * at) * np.exp(-at * ratio)
            for ratio in (0.5, 1, 1.19, 1.5, 2, 2.74, 3.76)
        )
        _add(whole, start, np.asarray(tone))
    return _finished(whole)


def _chip_tune(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(0.14)
    whole = np.zeros(round(seconds * RATE))
    for start, hertz in _notes(chance, seconds, 0.15):
        _add(whole, start, np.sign(np.sin(2 * np.pi * 2 * hertz * at)) * np.exp(-6 * at))
    return _finished(whole)


def _engine(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(seconds)
    turns = chance.uniform(25, 60) + 8 * np.sin(2 * np.pi * 0.15 * at)
    phase = 2 * np.pi * np.cumsum(turns) / RATE
    tone = sum(np.sin(n * phase + n) / n for n in range(1, 20))
    return _finished(np.asarray(tone) + 20 * _coloured(chance, len(at), 0.7))


def _siren(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(seconds)
    hertz = 700 + 300 * np.sin(2 * np.pi * chance.uniform(0.2, 0.8) * at)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return _finished(np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))


def _crickets(seed: int, seconds: float) -> Samples:
    chance, at = np.random.default_rng(seed), _times(seconds)
    chirps = (np.sin(2 * np.pi * chance.uniform(2, 4) * at) > 0.3).astype(np.float64)
    tone = np.sin(2 * np.pi * chance.uniform(3800, 4800) * at) * np.abs(np.sin(2 * np.pi * 30 * at))
    return _finished(tone * chirps + 0.02 * chance.standard_normal(len(at)))
