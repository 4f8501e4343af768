"""How many voices the voice detector finds, and how often it hears one in rendered sound.

`DIR/voices` holds folders of utterances, one folder per speaker. Each is played at several levels;
what is rendered has no voice in it by construction.

Run: python -m benchmarks.voice --data DIR [--clips 200]
"""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import arguments, measured, report
from benchmarks.scenes import PROMPTS
from filters.sound import SAMPLE_RATE
from filters.speech import SPEECH_FROM, VoiceActivity
from generator.scenes.renderer import small

Samples = NDArray[np.float32]
# Not the seeds that benchmarks/scenes.py renders: the renderer was mended against those.
FIRST_SEED = 50_000
WAYS: dict[str, Callable[[Samples], Samples]] = {
    "as recorded": lambda voice: voice,
    "-30 dB": lambda voice: voice * np.float32(0.0316),
    "-50 dB": lambda voice: voice * np.float32(0.00316),
    "left only": lambda voice: voice * np.array([1, 0], np.float32),
    "mirrored": lambda voice: voice * np.array([1, -1], np.float32),
    "noise at 10 dB SNR": lambda voice: under_noise(voice, 10),
    "noise at 0 dB SNR": lambda voice: under_noise(voice, 0),
}


def utterance(path: Path) -> Samples:
    """Return the recording as stereo at 48 kHz."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    with av.open(str(path)) as file:
        blocks = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    joined: Samples = np.concatenate([each.to_ndarray() for each in blocks], axis=1).T
    return np.ascontiguousarray(joined)


def under_noise(voice: Samples, decibels: float) -> Samples:
    """Return `voice` with white noise so many decibels below it."""
    noise = np.random.default_rng(3).standard_normal(voice.shape) * np.sqrt(np.mean(voice**2))
    mixed: Samples = (voice + noise * 10 ** (-decibels / 20)).astype(np.float32)
    return mixed


def highest(detector: VoiceActivity, samples: Samples) -> float:
    """Return the highest score of any stretch."""
    return max(found.score for found in detector.listen(samples))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=200)
    chosen = parser.parse_args()
    detector = VoiceActivity()
    voices = [utterance(path) for path in sorted((chosen.data / "voices").glob("*/*.flac"))]
    recall = {
        way: sum(highest(detector, change(voice)) >= SPEECH_FROM for voice in voices)
        for way, change in WAYS.items()
    }
    scores = np.array(
        [
            highest(detector, small(PROMPTS[number % len(PROMPTS)], FIRST_SEED + number).samples)
            for number in range(chosen.clips)
        ]
    )
    second = voices[0][:SAMPLE_RATE]
    report(
        "benchmarks/voice.py",
        [measured("one second of stereo", lambda: detector.listen(second), times=50)],
        {
            "voices": len(voices),
            "voices_found": recall,
            "rendered_clips": chosen.clips,
            "rendered_clips_called_speech": int((scores >= SPEECH_FROM).sum()),
            "rendered_highest_score": float(scores.max(initial=0.0)),
            "threshold": SPEECH_FROM,
        },
    )


if __name__ == "__main__":
    main()
