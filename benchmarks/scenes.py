"""How fast scenes are rendered, how exact their sound is, and whether any of it sounds like speech.

Run: python -m benchmarks.scenes [--clips 200]
"""

from fractions import Fraction
from functools import partial

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps, get_vad_model
from numpy.typing import NDArray

from benchmarks.measure import arguments, measured, report
from generator.scenes.renderer import Rendered, rendered, small
from generator.scenes.scene import Ambience
from generator.shots import Shot, Size

# One of everything: shapes, motions, materials, cameras, ambiences.
PROMPTS = (
    "a red ball bouncing on a green floor, wind",
    "three glass balls bouncing in a room, camera pans",
    "a wooden box falls beside a yellow rubber ball in the rain",
    "a golden metal pendulum swinging in a room, hum",
    "autumn leaves falling in a park, birds",
    "two planets orbiting a sun, hum",
    "water dripping from two taps: two drops, silence",
    "a metal ball rolling on a blue floor, zoom",
    "a large wooden crate slides over a grey floor, wind",
    "a small steel ball and a big rubber ball bounce, birds",
    "rain",
    "a glass marble and a wooden block drop, buzzing",
)


def speech_probability(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Silero's probability of speech for each 32 ms of stereo sound at 48 kHz."""
    mono = at_16_khz(samples)
    padded = np.pad(mono, (0, 512 - len(mono) % 512))
    return np.asarray(get_vad_model()(padded), dtype=np.float32).ravel()


def at_16_khz(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return stereo sound at 48 kHz as mono at 16 kHz, band-limited through its spectrum."""
    mono = samples.mean(axis=1)
    count = len(mono) // 3
    spectrum = np.fft.rfft(mono[: count * 3])[: count // 2 + 1]
    return np.fft.irfft(spectrum / 3, count).astype(np.float32)


def onset_error_ms(clip: Rendered) -> list[float]:
    """Return how far the first sound of each clear contact is from its exact time, in ms.

    A contact is clear when nothing in the 30 ms before it is louder than a tenth of its own peak,
    nothing else follows within 11 ms, and no bird or raindrop can be mistaken for it.
    """
    if clip.scene.ambience not in {Ambience.SILENCE, Ambience.HUM}:
        return []
    loud = np.abs(clip.samples).max(axis=1)
    errors: list[float] = []
    times = [touch.contact.at_s for touch in clip.truth.touches]
    for touch in clip.truth.touches:
        if any(0 < other - touch.contact.at_s < 0.011 for other in times):
            continue
        start = round(touch.contact.at_s * 48_000)
        before, after = loud[max(start - 1440, 0) : max(start - 48, 0)], loud[start : start + 480]
        if len(before) == 0 or len(after) < 480 or before.max() * 10 > after.max():
            continue
        first = start - 48 + int(np.argmax(loud[start - 48 : start + 480] > after.max() / 5))
        errors.append(first / 48 - touch.contact.at_s * 1000)
    return errors


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=int, default=200)
    clips = parser.parse_args().clips
    seeds = iter(range(10_000))

    def mixture() -> None:
        for prompt in PROMPTS:
            small(prompt, next(seeds))

    figures = [measured(f"{len(PROMPTS)} small clips, one of each prompt", mixture, times=8)]
    for size in (Size(512, 512), Size(1280, 720)):
        drawn = partial(rendered, Shot(PROMPTS[0], size, 1, Fraction(16), 1))
        figures.append(measured(f"16 frames {size} with sound", drawn, times=3, warm_up=1))
    spoken, worst, errors = 0, 0.0, []
    for number in range(clips):
        clip = small(PROMPTS[number % len(PROMPTS)], number)
        probability = speech_probability(clip.samples)
        options = VadOptions(min_speech_duration_ms=0, min_silence_duration_ms=100)
        spoken += bool(get_speech_timestamps(at_16_khz(clip.samples), options))
        worst = max(worst, float(probability.max()))
        errors += onset_error_ms(clip)
    figure = figures[0]
    report(
        "benchmarks/scenes.py",
        figures,
        {
            "small_clips_per_cpu_second": round(len(PROMPTS) * figure.per_second, 1),
            "clips_heard": clips,
            "clips_with_speech_at_0.5": spoken,
            "highest_speech_probability": round(worst, 4),
            "contacts_timed": len(errors),
            "onset_error_ms_worst": round(float(np.abs(errors).max()), 4),
        },
    )


if __name__ == "__main__":
    main()
