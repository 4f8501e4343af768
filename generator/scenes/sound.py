"""What is heard: every contact at its exact time and place, rolling, and the ambience."""

import math
from functools import lru_cache

import numpy as np

from generator.clip import SAMPLE_RATE
from generator.scenes.ambience import ambience
from generator.scenes.ballistics import Contact, Struck
from generator.scenes.noise import Wave, band, panned, stretched
from generator.scenes.paths import Tumble
from generator.scenes.physics import RADIUS_M, Truth
from generator.scenes.scene import Material, Scale, Scene, Shape, Thing

# Base pitch in hertz of a thing of medium size; each mode's ratio, level and decay in seconds.
# No sound here may pass for speech, so nothing short lies between 200 Hz and 2 kHz, where a knock
# has the spectrum of a vowel, and all noise is broad. With wood at 390 Hz Silero heard speech in
# one clip of seven; figures as they are now: benchmarks/scenes.py.
_MODES: dict[Material, tuple[float, tuple[tuple[float, float, float], ...]]] = {
    Material.RUBBER: (62.0, ((1.0, 1.0, 0.06),)),
    Material.WOOD: (76.0, ((1.0, 1.0, 0.026),)),
    Material.METAL: (3000.0, ((1.0, 0.7, 0.7), (2.76, 0.6, 0.4), (5.4, 0.4, 0.2))),
    Material.GLASS: (2700.0, ((1.0, 0.8, 0.22), (2.32, 0.5, 0.16), (4.25, 0.35, 0.09))),
}
_CLICK = {Material.RUBBER: 0.3, Material.WOOD: 0.9, Material.METAL: 0.4, Material.GLASS: 0.3}
_FULL_SPEED = 5.5  # metres per second: the hardest fall there is in view
_ROLL_STEP_S = 0.005


def render(scene: Scene, truth: Truth, count: int, half_width_m: float, seed: int) -> Wave:
    """Return `count` stereo samples: shape (count, 2), within -1..1."""
    # Inside this package sound is (2, samples): numpy is several times slower along an axis of two.
    sound = ambience(scene.ambience, count, truth.rain, half_width_m, seed)
    rng = np.random.default_rng((seed, 5))
    strikes: dict[tuple[int, Struck], Wave] = {}
    for touch in truth.touches:
        key = (touch.thing, touch.contact.struck)
        if key not in strikes:
            strikes[key] = strike(scene.things[touch.thing], touch.contact.struck, rng)
        _add(sound, touch.contact, strikes[key], half_width_m)
    for thing, path in zip(scene.things, truth.paths, strict=True):
        if isinstance(path, Tumble):
            _roll(sound, thing, path, half_width_m, rng)
    peak = float(max(sound.max(initial=0.0), -sound.min(initial=0.0)))
    if peak > 0.92:
        sound *= np.float32(0.92 / peak)
    return np.stack(list(sound), axis=1)


def _add(sound: Wave, contact: Contact, wave: Wave, half_width_m: float) -> None:
    loud = 0.62 * min(contact.speed / _FULL_SPEED, 1.0) ** 1.15
    # What a soft touch leaves of the tail after -66 dB is not heard and not computed.
    audible = len(wave) * min(max(1 + math.log(max(loud, 1e-4)) / 7.6, 0.05), 1.0)
    start = round(contact.at_s * SAMPLE_RATE)
    end = min(start + int(audible), sound.shape[1])
    if start >= end:
        return
    for channel, gain in zip(sound, panned(contact.x_m / half_width_m), strict=True):
        channel[start:end] += wave[: end - start] * (gain * np.float32(loud))


def strike(thing: Thing, struck: Struck, rng: np.random.Generator) -> Wave:
    """Return one impact at full speed, its attack in the first millisecond."""
    match struck:
        case Struck.WATER:
            return _plink(rng)
        case Struck.STOP:
            return _ringing(2100.0, ((1.0, 0.5, 0.006), (1.9, 0.3, 0.004)), 0.55, rng)
        case Struck.FLOOR | Struck.SIDE:
            pass
    if thing.shape is Shape.LEAF:
        length = int(0.09 * SAMPLE_RATE)
        fade: Wave = np.exp(-np.arange(length, dtype=np.float32) / (0.02 * SAMPLE_RATE))
        rustle: Wave = band(rng, length, 100, 14_000) * fade * np.float32(0.7)
        return rustle
    pitch, modes = _MODES[thing.material]
    pitch *= RADIUS_M[Scale.MEDIUM] / RADIUS_M[thing.scale]
    if struck is Struck.SIDE:
        pitch *= 0.84
    if thing.shape is Shape.BOX and thing.material in {Material.METAL, Material.GLASS}:
        # Hollow: a thump, and the walls ring faintly after it.
        modes = (
            (70 / pitch, 1.0, 0.03),
            *((ratio, 0.04 * level, decay) for ratio, level, decay in modes),
        )
    return _ringing(pitch, modes, _CLICK[thing.material], rng)


def _ringing(
    pitch_hz: float,
    modes: tuple[tuple[float, float, float], ...],
    click: float,
    rng: np.random.Generator,
) -> Wave:
    wave = _tones(pitch_hz, modes).copy()
    burst = min(int(0.006 * SAMPLE_RATE), len(wave))
    fade = np.exp(-np.arange(burst, dtype=np.float32) / np.float32(0.0011 * SAMPLE_RATE))
    wave[:burst] += np.float32(click) * fade * rng.standard_normal(burst, dtype=np.float32)
    wave[0] = np.float32(click) + 0.2  # the attack is on the very sample of the contact
    wave /= np.abs(wave).max()
    return wave


@lru_cache(maxsize=64)
def _tones(pitch_hz: float, modes: tuple[tuple[float, float, float], ...]) -> Wave:
    """Return decaying tones; kept, as materials and sizes make no more than forty."""
    length = int(min(max(decay for _, _, decay in modes) * 5, 1.2) * SAMPLE_RATE)
    t = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    wave = np.zeros(length, dtype=np.float32)
    for ratio, level, decay in modes:
        # A mode is silent after seven decays (-61 dB): the short ones need few samples.
        part = t[: int(7 * decay * SAMPLE_RATE)]
        tone = np.sin(np.float32(2 * math.pi * pitch_hz * ratio) * part) * np.exp(
            -part / np.float32(decay)
        )
        wave[: len(part)] += np.float32(level) * tone
    wave.flags.writeable = False
    return wave


def _plink(rng: np.random.Generator) -> Wave:
    """Return a drop: a tick, and the rising tone of the bubble that it encloses."""
    t = np.arange(int(0.16 * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    rising = 2 * np.pi * (2300 * t + 4200 * t**2)
    bubble = np.sin(rising) * np.exp(-t / 0.03) * np.minimum(t / 0.004, 1)
    wave = bubble * np.float32(0.8)
    wave[:96] += (
        rng.standard_normal(96, dtype=np.float32) * np.exp(-t[:96] / 0.0006) * np.float32(0.4)
    )
    wave[0] = 0.5
    return np.asarray(wave, dtype=np.float32)


def _roll(
    sound: Wave, thing: Thing, path: Tumble, half_width_m: float, rng: np.random.Generator
) -> None:
    """Add the noise of rolling or sliding, as loud as it is fast, from where it is."""
    count = sound.shape[1]
    times = np.arange(count // round(_ROLL_STEP_S * SAMPLE_RATE) + 22) * _ROLL_STEP_S
    at = path.flight.at(times)
    on_floor = (at[:, 1] <= path.radius_m + 1e-9) & (at[:, 3] == 0)
    speed = np.where(on_floor, np.abs(at[:, 2]), 0.0)
    if not (speed > 0.02).any():
        return
    slides = thing.shape is Shape.BOX
    high = 12_000.0 if slides else 8000.0
    turning = np.ones(len(times)) if slides else 0.75 + 0.25 * np.cos(at[:, 0] / path.radius_m)
    level = np.minimum(speed / 1.4, 1.0) * turning * (0.05 if slides else 0.13)
    sides = panned(at[::20, 0] / half_width_m)
    gains = sides.repeat(20, axis=1)[:, : len(times)] * level
    noise = band(rng, count, 40.0, high, fall_db=3)
    for channel, gain in zip(sound, gains, strict=True):
        channel += noise * stretched(gain, count, _ROLL_STEP_S)
