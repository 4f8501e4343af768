"""Does somebody speak? Silero VAD v6 from the faster-whisper wheel, on our own session.

Speech that no trusted transcriber has read is held, so a miss here is a way past every text
filter. Only the weights come from the wheel: importing faster_whisper pulls in ctranslate2 and
PyAV.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from filters.finding import Category, FilterError, Finding, Moment, Surface
from filters.pinned import FAULTS, opened, pinned, wheel_file
from filters.sound import CHUNK, MODEL_RATE, Window, windows

DETECTOR = "filters.voice_activity@2"
SHA256 = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"
CONTEXT = 64
# A quarter of a second: the shortest cry of a word, and longer than a click or a bounce.
SMOOTH_CHUNKS = 8
SPEECH_FROM = 0.5
JOIN_MS = 500
# A whisper at -40 dB of full scale goes past the model (34 of 40 voices found), and a viewer who
# turns up the volume hears it. So quiet sound is brought to this peak, by 40 dB at most.
PEAK, MOST_GAIN = 0.3, 100.0
# No voice is lower, and a loudspeaker hardly sounds there.
LOWEST_HZ = 70.0
_REMEDY = "Install `imprimatur[gate]` with constraints.txt (faster-whisper 1.2.1)."


@dataclass(frozen=True, slots=True)
class Activity:
    """How likely somebody speaks, after one more window.

    Attributes:
        first: chunk of the sound that the levels begin with; they go on where the last ones ended.
        channels: shape (channels, chunks), 0..1: the mean over a quarter of a second.
        level: shape (chunks,): the same of the channel that has most, chunk by chunk.
    """

    window: Window
    first: int
    channels: NDArray[np.float64] = field(repr=False)
    level: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks `first` to `end` (exclusive), and the highest level among them."""

    first: int
    end: int
    level: float


class VoiceActivity:
    """Finds stretches of sound in which somebody speaks.

    Raises:
        ModelUnavailable: the weights are missing or not those we pinned.
    """

    def __init__(self) -> None:
        path = wheel_file("faster_whisper", "assets/silero_vad_v6.onnx", remedy=_REMEDY)
        self._session = opened(pinned(path, SHA256, remedy=_REMEDY))

    def listen(self, samples: NDArray[np.float32]) -> list[Finding]:
        """Return what `listen_to` yields for a sound that is whole."""
        return list(self.listen_to([samples]))

    def listen_to(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Finding]:
        """Yield a `speech` finding per stretch; without any, one that says how near it came.

        A score is the highest probability of speech that lasts for a quarter of a second.

        Args:
            blocks: shape (samples, channels), float32 in -1..1, at 48 kHz, in order; not changed.

        Raises:
            NothingToLookAt: there is no sample.
            FilterError: another shape, or values that are not numbers.
        """
        runs, highest, found, end = Stretches(), 0.0, False, 0
        for activity in self.activity(blocks):
            end = ended_ms(activity.window)
            highest = max(highest, float(activity.level.max(initial=0)))
            speaks = activity.level >= SPEECH_FROM
            for stretch in runs.feed(activity.first, speaks, activity.level):
                found = True
                yield spoken(stretch, DETECTOR, end)
        for stretch in runs.end():
            found = True
            yield spoken(stretch, DETECTOR, end)
        if not found:
            yield Finding(Category.SPEECH, min(highest, 1.0), Surface.SOUND, DETECTOR)

    def activity(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Activity]:
        """Yield the levels window by window; all together, there is one for each chunk.

        Raises:
            NothingToLookAt, FilterError: see `listen_to`.
        """
        smoothing: _Smoothing | None = None
        first = 0
        for window in windows(blocks):
            chances = self._chances(window)[:, window.fresh - window.first :]
            # Channels are heard apart: a voice with its mirror image in the other channel would
            # vanish from their sum, and an ear hears it.
            rows = np.concatenate([chances, chances.max(axis=0, keepdims=True)])
            smoothing = smoothing or _Smoothing(len(rows))
            levels = smoothing.feed(rows, is_last=window.is_last)
            yield Activity(window, first, levels[:-1], levels[-1])
            first += levels.shape[1]

    def _chances(self, window: Window) -> NDArray[np.float64]:
        """Return the probability of speech per channel and chunk."""
        rows: list[NDArray[np.float64]] = []
        for number, same in enumerate(window.stand_ins()):
            if same < number:
                rows.append(rows[same])
                continue
            rows.append(_heard(self._session, raised(steadied(window.samples[number]))))
        return np.stack(rows)


class Stretches:
    """Finds runs of chunks as they come in; runs less than `JOIN_MS` apart are one."""

    def __init__(self) -> None:
        self._open: Stretch | None = None

    def feed(
        self, first: int, marked: NDArray[np.bool_], level: NDArray[np.float64]
    ) -> Iterator[Stretch]:
        """Yield the runs that are over, in order.

        Args:
            first: chunk of the sound that `marked` begins with; it goes on where the last ended.
            marked: shape (chunks,): what a run is made of.
            level: as many.
        """
        edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            run = Stretch(first + start, first + end, float(level[start:end].max()))
            if self._open is not None and to_ms(run.first - self._open.end) < JOIN_MS:
                highest = max(self._open.level, run.level)
                self._open = Stretch(self._open.first, run.end, highest)
                continue
            yield from self.end()
            self._open = run

    def end(self) -> Iterator[Stretch]:
        """Yield the run that goes on to the end of the sound, if there is one."""
        if self._open is not None:
            yield self._open
        self._open = None


class _Smoothing:
    """The mean over `SMOOTH_CHUNKS`, row by row, over windows; the last few wait for the next."""

    def __init__(self, rows: int) -> None:
        self._kept = np.zeros((rows, SMOOTH_CHUNKS // 2))

    def feed(self, chances: NDArray[np.float64], *, is_last: bool) -> NDArray[np.float64]:
        after = SMOOTH_CHUNKS // 2 - 1 if is_last else 0
        row = np.concatenate([self._kept, np.pad(chances, ((0, 0), (0, after)))], axis=1)
        self._kept = row[:, -(SMOOTH_CHUNKS - 1) :]
        if row.shape[1] < SMOOTH_CHUNKS:
            return np.zeros((len(row), 0))
        shown = np.lib.stride_tricks.sliding_window_view(row, SMOOTH_CHUNKS, axis=1)
        means: NDArray[np.float64] = np.clip(shown.mean(axis=2), 0.0, 1.0)
        return means


def spoken(stretch: Stretch, detector: str, end_ms: int) -> Finding:
    """Return a stretch of a sound that lasts until `end_ms`, as a finding."""
    moment = Moment(min(to_ms(stretch.first), end_ms), min(to_ms(stretch.end), end_ms))
    return Finding(Category.SPEECH, min(stretch.level, 1.0), Surface.SOUND, detector, moment)


def ended_ms(window: Window) -> int:
    """Return where a window ends in the sound."""
    return round((window.first * CHUNK + int(window.samples.shape[1])) * 1000 / MODEL_RATE)


def to_ms(chunks: int) -> int:
    """Return how long so many chunks last."""
    return round(chunks * CHUNK * 1000 / MODEL_RATE)


def steadied(slow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sound without what only rumbles.

    An offset or a hum that nobody hears would be taken for the loudness of the voice beside it.
    """
    if not slow.size:
        return slow
    spectrum = np.fft.rfft(slow)
    spectrum[np.fft.rfftfreq(len(slow), 1 / MODEL_RATE) < LOWEST_HZ] = 0
    return np.fft.irfft(spectrum, len(slow)).astype(np.float32)


def raised(slow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return quiet sound as loud as it has to be to be understood."""
    peak = float(np.abs(slow).max(initial=0))
    gain = min(MOST_GAIN, PEAK / peak) if 0 < peak < PEAK else 1.0
    return slow * np.float32(gain)


def _heard(session: onnxruntime.InferenceSession, slow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return one probability per `CHUNK`; each chunk is shown with the end of the one before."""
    chunks = np.pad(slow, (0, -len(slow) % CHUNK)).reshape(-1, CHUNK)
    before = np.zeros((len(chunks), CONTEXT), np.float32)
    before[1:] = chunks[:-1, -CONTEXT:]
    state = np.zeros((1, 1, 128), np.float32)
    shown = np.concatenate([before, chunks], axis=1)
    try:
        answer, _, _ = session.run(None, {"input": shown, "h": state, "c": state})
    except FAULTS as broken:
        raise FilterError(f"{DETECTOR} failed: {type(broken).__name__}") from broken
    chances = np.asarray(answer, np.float64).reshape(-1)
    if len(chances) != len(chunks) or not np.isfinite(chances).all():
        raise FilterError(f"{DETECTOR} gave no number for each part of a sound")
    return chances
