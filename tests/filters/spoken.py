"""Sounds whose words a test can read: each is a plateau whose height is its number in `WORDS`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from filters.finding import Category, FilterError, Finding, Span, Surface
from filters.sound import CHUNK, MODEL_RATE, SAMPLE_RATE, Window
from filters.speech import VoiceActivity
from filters.transcript import Heard, Passage, Word

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "knife")
_LOWEST, _STEP = 0.4, 0.05


def said(
    *words: tuple[str, float], seconds: float, channels: int = 2, channel: int | None = None
) -> NDArray[np.float32]:
    """Return a sound at 48 kHz in which each word begins so many seconds in and lasts 0.4 s."""
    samples = np.zeros((round(seconds * SAMPLE_RATE), channels), np.float32)
    for text, at in words:
        start = round(at * SAMPLE_RATE)
        end = start + round(0.4 * SAMPLE_RATE)
        chosen = slice(None) if channel is None else channel
        samples[start:end, chosen] = _LOWEST + _STEP * WORDS.index(text)
    return samples


class LoudIsSpeech(VoiceActivity):
    """The voice detector with another model: what is loud is a voice, for certain."""

    def __init__(self) -> None:
        pass

    def _chances(self, window: Window) -> NDArray[np.float64]:
        slow = np.pad(window.samples, ((0, 0), (0, -window.samples.shape[1] % CHUNK)))
        loud = np.abs(slow).reshape(len(slow), -1, CHUNK).max(axis=2) > 0.2
        return np.asarray(loud, np.float64)


@dataclass
class FakeReader:
    """Reads plateaus.

    Attributes:
        unsure: words that it is not sure of.
        deaf: words that it does not hear.
        invents: words it hears in every window, in milliseconds of the window.
        breaks_after: windows; then it fails with `broken`.
    """

    clears: bool = True
    detector: str = "filters.whisper@test"
    seconds_per_minute: float = 60.0
    unsure: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    invents: Sequence[Word] = ()
    foreign: float = 0.0
    breaks_after: int = 10**9
    broken: FilterError = field(default_factory=lambda: FilterError("gone"))
    asked: list[int] = field(default_factory=list)

    def read(self, samples: NDArray[np.float32], *, until: float) -> Heard:
        assert samples.ndim == 1
        self.asked.append(len(samples))
        if len(self.asked) > self.breaks_after:
            raise self.broken
        words = [word for word in _plateaus(samples) if word.text not in self.deaf]
        passages = [Passage((word,), word.text not in self.unsure) for word in words]
        passages += [Passage((word,), is_sure=True) for word in self.invents]
        return Heard(tuple(passages), self.foreign)


def _plateaus(samples: NDArray[np.float32]) -> list[Word]:
    loud = np.concatenate([[False], samples > 0.2, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(loud))
    found = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        number = round((float(np.median(samples[start:end])) - _LOWEST) / _STEP)
        at = start * 1000 // MODEL_RATE, end * 1000 // MODEL_RATE
        found.append(Word(WORDS[number], *at))
    return found


@dataclass
class FakeJudge:
    """Finds violence where `phrase` stands, and remembers what it was asked."""

    phrase: str = "knife"
    asked: list[str] = field(default_factory=list)
    after: Callable[[list[Finding]], list[Finding]] = lambda found: found

    def __call__(self, text: str, surface: Surface) -> list[Finding]:
        assert surface is Surface.SPEECH
        self.asked.append(text)
        none = Finding(Category.VIOLENCE, 0.01, surface, "filters.text@test")
        at = text.find(self.phrase)
        if at < 0:
            return self.after([none])
        found = replace(none, score=0.9, place=Span(at, at + len(self.phrase)))
        return self.after([found])
