"""The only module that runs Whisper: faster-whisper, from a local folder that was hashed.

Importing it loads ctranslate2 and PyAV, so only a process that was told to read speech does.
"""

import math
import time
from collections.abc import Iterable
from functools import partial
from typing import Protocol

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from filters.finding import FilterError, ModelUnavailable
from filters.folders import PinnedFolder
from filters.languages import ENGLISH
from filters.sound import MODEL_RATE
from filters.transcript import Heard, Passage, Word
from filters.turn import ModelLate, Turn

# Where Whisper's own authors stop believing it (openai/whisper, transcribe.py): over silence and
# music it writes fluent sentences, and these three tell most of them.
MOST_NO_SPEECH = 0.6
LEAST_LOG_PROBABILITY = -1.0
MOST_COMPRESSION = 2.4
# What ctranslate2 and faster-whisper raise when a model or a sound is not what they expect.
BROKEN = (RuntimeError, ValueError, TypeError, KeyError, IndexError, OSError, MemoryError)
_WRONG = "Look whether it is a multilingual Whisper, converted for CTranslate2 4."


class WhisperWord(Protocol):
    """A word as faster-whisper gives it: seconds from the start, and 0..1."""

    start: float
    end: float
    word: str


class WhisperSegment(Protocol):
    """A sentence as faster-whisper gives it."""

    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float

    @property
    def words(self) -> "Iterable[WhisperWord] | None":
        """None where word times were not asked for."""


class Whisper:
    """Reads speech, and is sure enough of itself that what it read can be cleared.

    Args:
        files: held against their pin.
        threads: of the processor.
        compute_type: as CTranslate2 calls it, such as `int8` or `float16`.
        device: `cpu` or `cuda`.
        seconds_per_minute: how long it may take for a minute of sound.

    Raises:
        ModelUnavailable: it cannot be loaded, or reads English only: such a model writes English
            words for any language, and nobody would know.
    """

    clears = True

    def __init__(
        self,
        files: PinnedFolder,
        *,
        threads: int,
        compute_type: str,
        device: str,
        seconds_per_minute: float,
    ) -> None:
        try:
            self._model = WhisperModel(
                str(files.folder),
                device=device,
                compute_type=compute_type,
                cpu_threads=threads,
                local_files_only=True,
            )
        except BROKEN as broken:
            raise ModelUnavailable(
                "a Whisper model cannot be loaded", str(files.folder), _WRONG
            ) from broken
        files.check()
        if not self._model.model.is_multilingual:
            raise ModelUnavailable(
                "a Whisper model reads English only, and cannot tell that it hears anything else",
                str(files.folder),
                "Take the multilingual one of the same size.",
            )
        self.detector = f"filters.whisper@{files.sha256[:12]}"
        self.seconds_per_minute = seconds_per_minute
        # One window at a time: a model on one device is no faster with two.
        self._turn = Turn(self.detector, seconds_per_minute)

    def read(self, samples: NDArray[np.float32], *, until: float) -> Heard:
        """Return what is said in a window; see `Reader`.

        Raises:
            ModelLate: it was busy, or not done, by `until`, or hangs.
            FilterError: it broke down.
        """
        try:
            return self._turn.ask(partial(self._heard, samples), until)
        except BROKEN as broken:
            raise FilterError(f"{self.detector} failed: {type(broken).__name__}") from broken

    def _heard(self, samples: NDArray[np.float32], until: float) -> Heard:
        # It cannot place words in less than a few frames, and gives up with an IndexError.
        whole = np.pad(samples, (0, max(0, MODEL_RATE - len(samples))))
        segments, about = self._model.transcribe(
            whole,
            # A guess is made once: with the temperatures of the default, one window of noise can
            # take six times as long, and what came of it was never sure.
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            no_speech_threshold=MOST_NO_SPEECH,
            log_prob_threshold=LEAST_LOG_PROBABILITY,
            compression_ratio_threshold=MOST_COMPRESSION,
        )
        passages: list[Passage] = []
        for segment in segments:
            if time.monotonic() > until:
                raise ModelLate(self.detector, "did not end in time")
            passages.append(passage(segment))
        if time.monotonic() > until:
            raise ModelLate(self.detector, "did not end in time")
        chances = dict(about.all_language_probs or [])
        english = chances.get(ENGLISH, 0.0)
        # What is no number is no English either.
        foreign = 1.0 - english if math.isfinite(english) else 1.0
        return Heard(tuple(passages), float(min(1.0, max(0.0, foreign))))


def passage(segment: WhisperSegment) -> Passage:
    """Return the words of a segment in milliseconds, and whether Whisper may be believed.

    A figure that is no number is not believed either.
    """
    is_sure = (
        segment.no_speech_prob <= MOST_NO_SPEECH
        and segment.avg_logprob >= LEAST_LOG_PROBABILITY
        and segment.compression_ratio <= MOST_COMPRESSION
    )
    words = tuple(
        Word(word.word.strip(), round(word.start * 1000), round(word.end * 1000))
        for word in segment.words or ()
    )
    return Passage(words, is_sure)
