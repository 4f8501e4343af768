"""Which chunks of a sound somebody has read, channel by channel."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.speech import SPEECH_FROM, Activity, to_ms
from filters.transcript import Word

# Readers put a word's edges within 0.3 s of the truth, and the voice detector smears as much.
REACH_MS = 400
# Longer than anybody draws a word out; a reader that lost the thread lets one last for a minute.
LONGEST_WORD_MS = 3000
_AROUND_CHUNKS = 16


@dataclass(slots=True)
class Coverage:
    """Where somebody speaks and what was read, from chunk `first` on.

    Chunks stay in it for as long as a later window may say something about them.

    Attributes:
        channels: levels, shape (channels, chunks).
        level: shape (chunks,).
        read: shape (channels, chunks): whether words that count were heard there.
    """

    first: int
    channels: NDArray[np.float64]
    level: NDArray[np.float64]
    read: NDArray[np.bool_]

    @classmethod
    def of(cls, channels: int) -> "Coverage":
        """Return one with nothing in it yet."""
        empty = np.zeros((channels, 0))
        return cls(0, empty, np.zeros(0), empty.astype(np.bool_))

    def add(self, activity: Activity) -> None:
        """Put the levels after one more window to the others; nothing of them is read yet."""
        self.channels = np.concatenate([self.channels, activity.channels], axis=1)
        self.level = np.concatenate([self.level, activity.level])
        fresh = np.zeros(activity.channels.shape, np.bool_)
        self.read = np.concatenate([self.read, fresh], axis=1)

    def speaks(self, channel: int, word: Word) -> bool:
        """Whether the voice detector hears anybody where `word` was."""
        first, end = self._chunks(word)
        return bool((self.channels[channel, first:end] >= SPEECH_FROM).any())

    def spoken(self, channel: int) -> tuple[int, int] | None:
        """Return chunks of the sound around all that is said, half a second more at either end."""
        said = np.flatnonzero(self.channels[channel] >= SPEECH_FROM)
        if not len(said):
            return None
        first, last = int(said[0]) + self.first, int(said[-1]) + self.first
        return max(0, first - _AROUND_CHUNKS), last + 1 + _AROUND_CHUNKS

    def mark(self, channel: int, word: Word) -> None:
        """Note that `word` was read there; one that is longer than words are clears nothing."""
        if word.end_ms - word.start_ms > LONGEST_WORD_MS:
            return
        first, end = self._chunks(word)
        self.read[channel, first:end] = True

    def taken(self, count: int) -> "Coverage":
        """Take the first `count` chunks out."""
        parts = self.channels[:, :count], self.level[:count], self.read[:, :count]
        settled = Coverage(self.first, *parts)
        self.first += count
        self.channels, self.level = self.channels[:, count:], self.level[count:]
        self.read = self.read[:, count:]
        return settled

    def is_read(self) -> NDArray[np.bool_]:
        """Return for each chunk whether every channel in which somebody speaks was read."""
        silent = self.channels < SPEECH_FROM
        return np.asarray((self.read | silent).all(axis=0) & self.read.any(axis=0))

    def _chunks(self, word: Word) -> tuple[int, int]:
        first = math.floor((word.start_ms - REACH_MS) / to_ms(1)) - self.first
        end = math.ceil((word.end_ms + REACH_MS) / to_ms(1)) - self.first
        return max(0, first), max(0, end)
