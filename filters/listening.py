"""What is heard in a sound: where somebody speaks, what was read of it, and what that says.

Speech is held until a reader that may clear it has read every stretch of it, in every channel. A
reader that fails, is late or is not sure leaves it as it was: held.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from filters.coverage import Coverage
from filters.finding import Category, FilterError, Finding, Moment, Surface
from filters.sound import CHUNK, OVERLAP_CHUNKS, Window
from filters.speech import (
    DETECTOR,
    SPEECH_FROM,
    Activity,
    Stretch,
    Stretches,
    VoiceActivity,
    ended_ms,
    raised,
    spoken,
    to_ms,
)
from filters.transcript import Heard, Judge, Transcript, Word

# Two windows may place a word on either side of where one hands over to the other: both keep it,
# and it is dropped once.
_EITHER_MS = 300
# What a window leaves coverage before the place where it hands over.
_LATE_CHUNKS = 32


class Reader(Protocol):
    """Writes down what is said.

    Attributes:
        detector: name and version.
        clears: whether speech that it has read, and is sure of, is held no longer. What one that
            does not clear has read is a hint, and never more than a reason to hold.
        seconds_per_minute: how long it may take for a minute of sound, begun minutes counted whole.
    """

    detector: str
    clears: bool
    seconds_per_minute: float

    def read(self, samples: NDArray[np.float32], *, until: float) -> Heard:
        """Return what is said in a window.

        Args:
            samples: shape (samples,), float32 at 16 kHz, up to 30 s: the part of a window in which
                somebody speaks.
            until: of `time.monotonic`; one that does not clear may end early and say what it has.

        Raises:
            FilterError: it could not read, or not in time.
        """


class Listener:
    """Listens to sounds of any length, in the memory of one window.

    Args:
        judge: of texts, asked about what was read.
        failed: told the name of the error when the reader breaks down.
    """

    def __init__(
        self, voices: VoiceActivity, reader: Reader, judge: Judge, failed: Callable[[str], None]
    ) -> None:
        self._voices = voices
        self._reader = reader
        self._judge = judge
        self._failed = failed

    def listen(self, samples: NDArray[np.float32]) -> list[Finding]:
        """Return what `listen_to` yields for a sound that is whole."""
        return list(self.listen_to([samples]))

    def listen_to(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Finding]:
        """Yield what is heard.

        That is `speech` of the voice detector for each stretch that nobody has read, or one without
        a place where nobody speaks; `speech` of the reader, 0, for each that it has read; 1 for the
        time in which it could not be asked any more; and what the judge finds in the words.

        Args:
            blocks: shape (samples, channels), float32 in -1..1, at 48 kHz, in order; not changed.

        Raises:
            NothingToLookAt: there is no sample.
            FilterError: another shape, values that are not numbers, or the judge could not tell.
        """
        hearing = _Hearing(self._reader, self._judge, self._failed)
        for activity in self._voices.activity(blocks):
            yield from hearing.go_on(activity)
        yield from hearing.end()


class _Hearing:
    """One sound, while it is listened to."""

    def __init__(self, reader: Reader, judge: Judge, failed: Callable[[str], None]) -> None:
        self._reader = reader
        self._failed = failed
        self._judge = judge
        self._took_s = 0.0
        self._coverage: Coverage | None = None
        self._transcripts: dict[int, Transcript] = {}
        self._together: Transcript | None = None
        self._unread, self._read = Stretches(), Stretches()
        self._highest, self._found, self._end_ms = 0.0, False, 0
        self._foreign: Finding | None = None
        self._gave_up_ms: int | None = None

    def go_on(self, activity: Activity) -> Iterator[Finding]:
        """Yield what is settled with one more window."""
        window = activity.window
        self._end_ms = ended_ms(window)
        coverage = self._coverage = self._coverage or Coverage.of(len(activity.channels))
        coverage.add(activity)
        if self._gave_up_ms is None:
            self._ask(window, coverage)
        count = len(coverage.level)
        if not window.is_last:
            until = window.end - OVERLAP_CHUNKS // 2 - _LATE_CHUNKS
            count = min(count, max(0, until - coverage.first))
        yield from self._settle(coverage.taken(count))

    def end(self) -> Iterator[Finding]:
        """Yield what is only known when the sound is over."""
        yield from self._said(self._unread.end(), DETECTOR)
        yield from self._said(self._read.end(), self._reader.detector)
        if not self._found:
            yield Finding(Category.SPEECH, min(self._highest, 1.0), Surface.SOUND, DETECTOR)
        if self._gave_up_ms is not None and self._reader.clears:
            moment = Moment(self._gave_up_ms, self._end_ms)
            yield Finding(Category.SPEECH, 1.0, Surface.SOUND, self._reader.detector, moment)
        transcripts = [*self._transcripts.values()]
        if self._together is not None:
            transcripts.append(self._together)
        found = [finding for each in transcripts for finding in each.findings()]
        yield from found if self._reader.clears else self._hint(found)
        if self._foreign is not None:
            yield self._foreign

    def _ask(self, window: Window, coverage: Coverage) -> None:
        """Have the reader read each channel of `window` in which somebody speaks."""
        minutes = max(1, math.ceil(self._end_ms / 60_000))
        started = time.monotonic()
        until = started + minutes * self._reader.seconds_per_minute - self._took_s
        kept: list[tuple[int, Word]] = []
        alike = window.stand_ins()
        for channel in sorted(set(alike)):
            said = coverage.spoken(channel)
            if said is None:
                continue
            first = max(window.first, said[0])
            part = slice((first - window.first) * CHUNK, (said[1] - window.first) * CHUNK)
            try:
                heard = self._reader.read(raised(window.samples[channel])[part], until=until)
            except FilterError as broken:
                self._gave_up_ms = to_ms(coverage.first)
                self._failed(type(broken).__name__)
                break
            words = self._kept(_moved(heard, to_ms(first)), window, channel, coverage)
            kept += [(channel, word) for word in words]
            for same in (n for n, other in enumerate(alike) if other == channel):
                for word in words:
                    coverage.mark(same, word)
        self._took_s += time.monotonic() - started
        self._write(kept)

    def _kept(self, heard: Heard, window: Window, channel: int, coverage: Coverage) -> list[Word]:
        """Return the words that count.

        Not those of the overlap that the window before or the next one hears better, and not those
        of a reader who is unsure or hears words where nobody speaks: from them nothing follows.
        """
        offset = to_ms(window.first)
        half = to_ms(OVERLAP_CHUNKS) / 2
        since = offset + half - _EITHER_MS if window.first else -math.inf
        until = math.inf if window.is_last else self._end_ms - half + _EITHER_MS
        sure = [
            word
            for passage in heard.passages
            if passage.is_sure or not self._reader.clears
            for word in passage.words
            if word.says_something
        ]
        words = [
            word
            for word in sure
            if since <= word.middle_ms < until and coverage.speaks(channel, word)
        ]
        if words and self._reader.clears:
            self._note_language(heard, words)
        return words

    def _note_language(self, heard: Heard, words: Sequence[Word]) -> None:
        if self._foreign is not None and self._foreign.score >= heard.foreign:
            return
        moment = Moment(words[0].start_ms, words[-1].end_ms)
        self._foreign = Finding(
            Category.LANGUAGE, heard.foreign, Surface.SPEECH, self._reader.detector, moment
        )

    def _write(self, kept: Sequence[tuple[int, Word]]) -> None:
        for channel, word in sorted(kept, key=lambda one: one[1].middle_ms):
            if channel not in self._transcripts:
                if len(self._transcripts) == 1:
                    # From the second voice on, all of them are also judged as one.
                    self._together = next(iter(self._transcripts.values())).copy()
                self._transcripts[channel] = Transcript(self._judge)
            self._transcripts[channel].add(word)
            if self._together is not None:
                self._together.add(word)

    def _settle(self, settled: Coverage) -> Iterator[Finding]:
        speaks = settled.level >= SPEECH_FROM
        read = settled.is_read() & self._reader.clears
        self._highest = max(self._highest, float(settled.level.max(initial=0)))
        unread = self._unread.feed(settled.first, speaks & ~read, settled.level)
        yield from self._said(unread, DETECTOR)
        cleared = self._read.feed(settled.first, speaks & read, np.zeros(len(read)))
        yield from self._said(cleared, self._reader.detector)

    def _said(self, stretches: Iterable[Stretch], detector: str) -> Iterator[Finding]:
        for stretch in stretches:
            self._found = True
            yield spoken(stretch, detector, self._end_ms)

    def _hint(self, found: Sequence[Finding]) -> list[Finding]:
        """Return one `speech` finding for the worst of what a reader made out that clears nothing.

        It is no finding of that category: a guess among words that were misheard may hold, as
        speech does in any case, and never block.
        """
        harm = [one for one in found if one.category not in {Category.LANGUAGE, Category.EVASION}]
        if not harm:
            return []
        worst = max(harm, key=lambda one: one.score)
        return [
            Finding(Category.SPEECH, worst.score, Surface.SOUND, self._reader.detector, worst.place)
        ]


def _moved(heard: Heard, by_ms: int) -> Heard:
    """Return the same with times that count from the start of the sound."""
    passages = (
        replace(
            passage,
            words=tuple(
                replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms)
                for word in passage.words
            ),
        )
        for passage in heard.passages
    )
    return replace(heard, passages=tuple(passages))
