"""Words that were heard, with their times; judged as they come, like a prompt."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from filters.finding import FilterError, Finding, Moment, Span, Surface

Judge = Callable[[str, Surface], Sequence[Finding]]
"""From a text to everything found in it, as `PromptClassifier.read`."""

# As long as the prompt filter's own windows, and as much as can be remembered as one thought.
SHORT, STRIDE = 20, 10
LONG, LONG_STRIDE = 120, 60


@dataclass(frozen=True, slots=True)
class Word:
    """One word, where it was heard, in milliseconds from the start of the sound."""

    text: str = field(repr=False)
    start_ms: int
    end_ms: int

    @property
    def middle_ms(self) -> float:
        """Where it counts as heard when two windows hold it."""
        return (self.start_ms + self.end_ms) / 2

    @property
    def says_something(self) -> bool:
        """Whether it is more than punctuation or notes of music."""
        return any(map(str.isalnum, self.text))


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that a reader heard in one go.

    Attributes:
        is_sure: whether the reader is sure enough of them for anything to follow from them.
    """

    words: tuple[Word, ...] = field(repr=False)
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader made of one window.

    Attributes:
        passages: in order; their times count from the start of the window.
        foreign: how likely it is that they are not English, 0..1.
    """

    passages: tuple[Passage, ...] = field(repr=False)
    foreign: float


class Transcript:
    """Judges words in running windows and keeps, of each category, the worst.

    Every `STRIDE` words the last `SHORT` are judged and every `LONG_STRIDE` the last `LONG`, so
    that a sentence is found wherever it begins, and any length costs the same memory.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._last: deque[Word] = deque(maxlen=LONG)
        self._count = 0
        self._worst: dict[tuple[str, str], Finding] = {}

    def copy(self) -> "Transcript":
        """Return one that has heard the same, and goes on by itself."""
        other = Transcript(self._judge)
        other._last.extend(self._last)
        other._count = self._count
        other._worst.update(self._worst)
        return other

    def add(self, word: Word) -> None:
        """Take the next word.

        Raises:
            FilterError: the judge could not tell.
        """
        if self._last and _is_again(word, self._last):
            return
        self._last.append(word)
        self._count += 1
        if self._count >= SHORT and not self._count % STRIDE:
            self._look(SHORT)
        if self._count >= LONG and not self._count % LONG_STRIDE:
            self._look(LONG)

    def findings(self) -> list[Finding]:
        """Return what was found when the sound is over; nothing where nobody said a word.

        Each has a place: the words that made the judge say so, in milliseconds.

        Raises:
            FilterError: the judge could not tell.
        """
        if self._count:
            self._look(SHORT)
        if self._count > SHORT:
            self._look(LONG)
        return list(self._worst.values())

    def _look(self, most: int) -> None:
        words = list(self._last)[-most:]
        if not any(word.says_something for word in words):
            return
        found = self._judge(" ".join(word.text for word in words), Surface.SPEECH)
        if not found:
            raise FilterError("no category was looked for in what is said")
        for finding in found:
            placed = replace(finding, place=_moment(words, finding))
            known = self._worst.get((finding.detector, finding.category))
            if known is None or placed.score > known.score:
                self._worst[finding.detector, finding.category] = placed


def _is_again(word: Word, before: Iterable[Word]) -> bool:
    plain = _plain(word.text)
    return any(
        _plain(other.text) == plain
        and word.start_ms < other.end_ms
        and other.start_ms < word.end_ms
        for other in before
    )


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _moment(words: Sequence[Word], finding: Finding) -> Moment:
    """Return when the words were spoken that a finding points at; all of them if at none."""
    chosen = words
    if isinstance(finding.place, Span):
        ends: list[int] = []
        for word in words:
            ends.append((ends[-1] + 1 if ends else 0) + len(word.text))
        chosen = [
            word
            for word, end in zip(words, ends, strict=True)
            if end > finding.place.start and end - len(word.text) < finding.place.end
        ] or words
    return Moment(min(word.start_ms for word in chosen), max(word.end_ms for word in chosen))
