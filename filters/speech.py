"""Does somebody speak? Silero VAD v6 from the faster-whisper wheel, on our own session.

Speech that no trusted transcriber has read is held, so a miss here is a way past every text
filter. Only the weights come from the wheel: importing faster_whisper pulls in ctranslate2 and
PyAV.
"""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from filters.finding import Category, FilterError, Finding, Moment, NothingToLookAt, Surface
from filters.pinned import opened, pinned, wheel_file

DETECTOR = "filters.voice_activity@1"
SHA256 = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"
SAMPLE_RATE, MODEL_RATE = 48_000, 16_000
CHUNK, CONTEXT = 512, 64
# A quarter of a second: the shortest cry of a word, and longer than a click or a bounce.
SMOOTH_CHUNKS = 8
SPEECH_FROM = 0.5
JOIN_MS = 500
# A whisper at -40 dB of full scale goes past the model (34 of 40 voices found), and a viewer who
# turns up the volume hears it. So quiet sound is brought to this peak, by 40 dB at most.
PEAK, MOST_GAIN = 0.3, 100.0
_REMEDY = "Install `imprimatur[gate]` with constraints.txt (faster-whisper 1.2.1)."


class VoiceActivity:
    """Finds stretches of sound in which somebody speaks.

    Raises:
        ModelUnavailable: the weights are missing or not those we pinned.
    """

    def __init__(self) -> None:
        path = wheel_file("faster_whisper", "assets/silero_vad_v6.onnx", remedy=_REMEDY)
        self._session = opened(pinned(path, SHA256, remedy=_REMEDY))

    def listen(self, samples: NDArray[np.float32]) -> list[Finding]:
        """Return a `speech` finding per stretch; without any, one that says how near it came.

        A score is the highest probability of speech that lasts for a quarter of a second.

        Args:
            samples: shape (samples, channels), float32 in -1..1, at 48 kHz; not changed.

        Raises:
            NothingToLookAt: there is no sample.
            FilterError: another shape, or values that are not numbers.
        """
        chances = self._chances(_checked(samples))
        chances = np.pad(chances, (0, max(0, SMOOTH_CHUNKS - len(chances))))
        level = np.convolve(chances, np.full(SMOOTH_CHUNKS, 1 / SMOOTH_CHUNKS), "same")
        level = np.clip(level, 0.0, 1.0)
        length_ms = round(len(samples) * 1000 / SAMPLE_RATE)
        stretches = _stretches(level >= SPEECH_FROM)
        if not stretches:
            return [Finding(Category.SPEECH, float(level.max()), Surface.SOUND, DETECTOR)]
        return [
            Finding(
                Category.SPEECH,
                float(level[first:end].max()),
                Surface.SOUND,
                DETECTOR,
                Moment(min(_ms(first), length_ms), min(_ms(end), length_ms)),
            )
            for first, end in stretches
        ]

    def _chances(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability of speech per 32 ms: the most that any channel has.

        Channels are heard apart: a voice with its mirror image in the other channel would vanish
        from their sum, and an ear hears it.
        """
        first, *others = samples.T
        different = [channel for channel in others if not np.array_equal(channel, first)]
        heard = [
            _heard(self._session, _raised(_slowed(channel))) for channel in (first, *different)
        ]
        most: NDArray[np.float64] = np.stack(heard).max(axis=0)
        return most


def _checked(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise FilterError(f"sound has shape {samples.shape}, not (samples, channels)")
    if not len(samples):
        raise NothingToLookAt("no sound was given to the voice detector")
    if not np.isfinite(samples).all():
        raise FilterError("sound holds values that are not numbers")
    return samples


def _slowed(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 48 kHz sound at 16 kHz; what lies above 8 kHz is filtered out, not folded down."""
    step = SAMPLE_RATE // MODEL_RATE
    reach = 48
    at = np.arange(-reach, reach + 1)
    # Cut at 7.4 kHz: a Kaiser window of this length falls by 60 dB within the 1.2 kHz to 8.6, and
    # what little folds back lands above 7.4, where no speech is decided.
    taps = np.sinc(at * 2 * 7400 / SAMPLE_RATE) * np.kaiser(len(at), 5.65)
    taps /= taps.sum()
    padded = np.pad(channel, reach)
    columns = [padded[offset : offset + len(channel) : step] for offset in range(len(taps))]
    slow = np.zeros(len(columns[0]), np.float32)
    for tap, column in zip(taps.astype(np.float32), columns, strict=True):
        slow += tap * column
    return slow


def _raised(slow: NDArray[np.float32]) -> NDArray[np.float32]:
    peak = float(np.abs(slow).max())
    gain = min(MOST_GAIN, PEAK / peak) if 0 < peak < PEAK else 1.0
    return slow * np.float32(gain)


def _heard(session: onnxruntime.InferenceSession, slow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return one probability per `CHUNK`; each chunk is shown with the end of the one before."""
    chunks = np.pad(slow, (0, -len(slow) % CHUNK)).reshape(-1, CHUNK)
    before = np.zeros((len(chunks), CONTEXT), np.float32)
    before[1:] = chunks[:-1, -CONTEXT:]
    state = np.zeros((1, 1, 128), np.float32)
    shown = np.concatenate([before, chunks], axis=1)
    chances, _, _ = session.run(None, {"input": shown, "h": state, "c": state})
    return np.asarray(chances, np.float64).reshape(-1)


def _stretches(speaks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and end of each run, in chunks; runs less than `JOIN_MS` apart are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]).astype(np.int8)))
    joined: list[tuple[int, int]] = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and _ms(first - joined[-1][1]) < JOIN_MS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined


def _ms(chunks: int) -> int:
    return round(chunks * CHUNK * 1000 / MODEL_RATE)
