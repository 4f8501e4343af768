"""The text filter over what is written in pictures: alone, on each sign, and joined over time."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from filters.captions.changes import Changes
from filters.captions.reader import DETECTOR, Line, Page, TextReader
from filters.captions.stream import Joined, Stream, joined
from filters.finding import (
    Box,
    Category,
    FilterError,
    Finding,
    NothingToLookAt,
    Place,
    Span,
    Surface,
)
from filters.frames import checked_frame

Judge = Callable[[str, Surface], Sequence[Finding]]
"""From a text to everything found in it, as `PromptClassifier.read`."""
Read = Callable[[NDArray[np.uint8], int], Page]
"""What is written in a picture with its number, as `TextReader.read`."""

# Surer readings are text. A window's frame or a button is a letter or two to the reader, at 0.8 and
# less (benchmarks/frames.py), so that of fewer than `WORD` letters it has to be `CERTAIN`.
LEGIBLE, CERTAIN, WORD = 0.6, 0.9, 4
# A line with so many letters is writing, whether it can be read or not; shorter ones are patterns.
WRITING = 8
# So is what is long and low and has hardly a sign in it to the reader: Cyrillic, Arabic, Thai. At
# least three times as wide as high, at most a fifth of the picture; one sign to two widths is few.
# The detector is less sure of patterns: 0.53 at most on rendered scenes, writing from 0.7.
LONG, LOW, FEW, DRAWN = 3.0, 0.2, 0.5, 0.6
# And so is what is wider than high, where the detector is surer still: a word of a few letters that
# the reader is not sure of may be any other. Balls, heads and windows are as wide as high to it,
# rows of teeth are higher, and faces and floors more than a fifth of the picture.
WORD_WIDE, WORD_DRAWN = 1.2, 0.7
# Names of places and firms are in no language; from so many words on it is one.
SENTENCE = 4
# Changed frames of one film that are read: two minutes at two a second. What comes after is held.
MOST_READ = 240
# Boxes that say where one thing is written; a next to harmless one has one box.
MOST_BOXES, WORTH_BOXES = 4, 0.05
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_OTHER_LETTER = re.compile(r"(?![A-Za-z\u00c0-\u024f])[^\W\d_]")
# Texts that need not be judged again; signs that take turns.
_REMEMBERED = 64


class NotJudged(FilterError):
    """Text was read and no category was looked for in it."""


@dataclass(slots=True)
class _Worst:
    """The strongest finding of each category, and where it is written."""

    found: dict[Category, tuple[Finding, list[Box]]] = field(default_factory=dict)
    judged: dict[str, None] = field(default_factory=dict, repr=False)

    def findings(self) -> list[Finding]:
        return [
            replace(finding, place=place)
            for finding, boxes in self.found.values()
            for place in _places(finding, boxes)
        ]


class Captions:
    """Finds harmful text in pictures.

    Args:
        judge: is given each text with the surface `captions`.
    """

    def __init__(self, judge: Judge, read: Read) -> None:
        self._judge = judge
        self._read = read

    def look(
        self, frames: Iterable[tuple[int, NDArray[np.uint8]]], surface: Surface = Surface.FRAMES
    ) -> list[Finding]:
        """Return the strongest finding of each category, once for each box that shows it.

        And always one `unreadable`: how likely it is that something is written that was not read.
        Where nothing is written, that is all there is to say. Frames that look like the one that
        was read before them are not read again. Memory does not grow with the number of frames.

        Args:
            frames: number and pixels, (height, width, 3), uint8, RGB, in order; not changed.
            surface: of `unreadable`: `frames`, or `picture` for a reference. All that is found in
                the text has `captions`.

        Raises:
            NothingToLookAt: there is no frame.
            FilterError: a frame could not be read, or its text not be judged.
        """
        changes, stream, worst = Changes(), Stream(), _Worst()
        unread = Finding(Category.UNREADABLE, 0.0, surface, DETECTOR)
        looked = read = 0
        for number, frame in frames:
            looked += 1
            if not changes.since_read(checked_frame(frame)):
                continue
            read += 1
            whole = Box(number, 0, 0, frame.shape[1], frame.shape[0])
            if read > MOST_READ:
                unread = replace(unread, score=1.0, place=whole)
                continue
            page = self._read(frame, number)
            unread = max(unread, _unread(page, unread, whole), key=lambda one: one.score)
            lines = [line for line in page.lines if _is_read(line)]
            for text in [joined(lines), *stream.add(lines)]:
                self._look_at(text, worst)
        if not looked:
            raise NothingToLookAt("no frame was given to the reader of captions")
        return [*worst.findings(), unread]

    def _look_at(self, text: Joined, worst: _Worst) -> None:
        # A number on a jersey says nothing.
        if text.text in worst.judged or not any(map(str.isalpha, text.text)):
            return
        found = self._judge(text.text, Surface.CAPTIONS)
        if not found:
            raise NotJudged("no category was looked for in what is written in a picture")
        worst.judged[text.text] = None
        if len(worst.judged) > _REMEMBERED:
            del worst.judged[next(iter(worst.judged))]
        for one in (_named(text, each) for each in found):
            known = worst.found.get(one.category)
            if known is None or one.score > known[0].score:
                worst.found[one.category] = (one, _boxes(text, one.place))


def _unread(page: Page, unread: Finding, whole: Box) -> Finding:
    """Return how likely something stands in the picture that was not read, with its place."""
    if page.is_too_large:
        return replace(unread, score=1.0, place=whole)
    if page.unread:
        return replace(unread, score=1.0, place=page.lines[0].box)
    worst = max(page.lines, key=lambda line: _illegible(line, whole.height), default=None)
    if worst is None:
        return unread
    return replace(unread, score=_illegible(worst, whole.height), place=worst.box)


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _is_read(line: Line) -> bool:
    return line.confidence >= (LEGIBLE if _letters(line.text) >= WORD else CERTAIN)


def _illegible(line: Line, height: int) -> float:
    if _letters(line.text) >= WRITING:
        return 1.0 - line.confidence
    signs = len("".join(line.text.split()))
    wide = line.box.width / max(1, line.box.height)
    high = line.box.height / height
    if wide >= LONG and high <= LOW and line.drawn >= DRAWN and signs < FEW * wide:
        return line.drawn
    if wide >= WORD_WIDE and high <= LOW and line.drawn >= WORD_DRAWN:
        return 1.0 - line.confidence if _is_read(line) else line.drawn
    return 0.0


def _named(text: Joined, finding: Finding) -> Finding:
    """Return `finding`; a few words in Latin letters are in no language that has to be read.

    Nor are words without a space between: the same were judged with one.
    """
    latin = not _OTHER_LETTER.search(text.text)
    few = len(_LATIN_WORD.findall(text.text)) < SENTENCE or not text.between
    if finding.category is Category.LANGUAGE and latin and few:
        return replace(finding, score=0.0)
    return finding


def _boxes(text: Joined, place: Place | None) -> list[Box]:
    """Return where a finding is written; everywhere, if it does not say."""
    if isinstance(place, Span):
        return text.boxes(place)
    return [box for _, box in text.places]


def _places(finding: Finding, boxes: Sequence[Box]) -> list[Box]:
    """Return some of the boxes, from the first to the last."""
    most = MOST_BOXES if finding.score >= WORTH_BOXES else 1
    if len(boxes) <= most:
        return list(boxes)
    if most == 1:
        return [boxes[0]]
    return [boxes[round(at * (len(boxes) - 1) / (most - 1))] for at in range(most)]


def packaged(judge: Judge) -> Captions:
    """Return captions read by `TextReader`.

    Raises:
        ModelUnavailable: its weights are missing or not those we pinned.
    """
    return Captions(judge, TextReader().read)
