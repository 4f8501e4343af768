"""What is heard around the things: wind, rain, a hum, birds."""

import numpy as np

from generator.clip import SAMPLE_RATE
from generator.scenes.noise import Wave, band, drift, panned
from generator.scenes.paths import Rain
from generator.scenes.scene import Ambience


def ambience(kind: Ambience, count: int, rain: Rain | None, half_width_m: float, seed: int) -> Wave:
    """Return `count` stereo samples of `kind`: shape (2, count)."""
    rng = np.random.default_rng((seed, 4))
    match kind:
        case Ambience.SILENCE:
            return np.zeros((2, count), dtype=np.float32)
        case Ambience.WIND:
            return _wind(rng, count)
        case Ambience.RAIN:
            return _rain(rng, count, rain, half_width_m)
        case Ambience.HUM:
            return _hum(rng, count)
        case Ambience.BIRDS:
            return _birds(rng, count)


def _wind(rng: np.random.Generator, count: int) -> Wave:
    # Gusts come over seconds and the band is broad: narrower or quicker, it is taken for breath.
    gust = 0.04 + 0.03 * drift(rng, count, 2.0)
    sound = gust * band(rng, count, 40, 12_000, fall_db=5)
    # The other ear hears the same air 20 ms later.
    return np.stack([sound, np.roll(sound, 960)])


def _rain(rng: np.random.Generator, count: int, rain: Rain | None, half_width_m: float) -> Wave:
    bed = band(rng, count, 100, 12_000, fall_db=3)
    sound = np.stack([bed, np.roll(bed, 1511)]) * np.float32(0.016)
    if rain is None:
        return sound
    length = 480
    t = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    fade = np.exp(-t / 0.0016)
    ticks = [np.sin(2 * np.pi * hz * t) * fade for hz in (2300.0, 3400.0, 4700.0, 6100.0)]
    loud = rng.uniform(0.02, 0.09, len(rain.lands_at)) * (1 - 0.6 * rain.depth)
    gains = panned(rain.x / half_width_m) * loud.astype(np.float32)
    for drop, at in enumerate(rain.lands_at):
        start = round(float(at) * SAMPLE_RATE)
        if start >= count:
            break
        tick = ticks[drop % len(ticks)][: count - start]
        sound[:, start : start + length] += gains[:, drop, None] * tick
    return sound


def _hum(rng: np.random.Generator, count: int) -> Wave:
    # Mains: fifty hertz and even harmonics. The odd ones make the buzz that sounds like a voice.
    # One period is 960 samples and is repeated.
    period = SAMPLE_RATE // 50
    t = np.arange(period, dtype=np.float32) / SAMPLE_RATE
    total = np.zeros(period, dtype=np.float32)
    for harmonic, level in ((1, 1.0), (2, 0.7), (4, 0.16)):
        phase = np.float32(rng.uniform(0, 6.28))
        total += np.float32(level) * np.sin(np.float32(2 * np.pi * 50 * harmonic) * t + phase)
    return np.tile(total * np.float32(0.03), (2, -(-count // period)))[:, :count]


def _birds(rng: np.random.Generator, count: int) -> Wave:
    leaves = band(rng, count, 40, 12_000, fall_db=3) * np.float32(0.006)
    sound = np.stack([leaves, leaves])
    seconds, at = count / SAMPLE_RATE, float(rng.uniform(0.1, 0.6))
    while at < seconds - 0.2:
        side, pitch = float(rng.uniform(-0.9, 0.9)), float(rng.uniform(3400, 5600))
        for _ in range(int(rng.integers(2, 6))):
            _chirp(
                sound,
                at,
                pitch * float(rng.uniform(0.92, 1.08)),
                panned(side) * np.float32(rng.uniform(0.03, 0.08)),
            )
            at += float(rng.uniform(0.09, 0.16))
        at += float(rng.uniform(0.35, 1.1))
    return sound


def _chirp(sound: Wave, at_s: float, pitch_hz: float, gains: Wave) -> None:
    start = round(at_s * SAMPLE_RATE)
    length = min(int(0.075 * SAMPLE_RATE), sound.shape[1] - start)
    if length <= 1:
        return
    way = np.linspace(0, 1, length, dtype=np.float32)
    sweep = pitch_hz * (1 + 0.16 * np.sin(np.pi * way * 1.5))
    wave = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.sin(np.pi * way) ** 2
    sound[:, start : start + length] += gains[:, None] * wave
