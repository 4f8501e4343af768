"""The three gates, asked together. They read; what they saw comes back as observations."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import ParamSpec, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection

import likeness.store
import rightsholders.store
from filters import dialogue
from filters.finding import FilterError, Finding, Surface
from filters.normalise import Reading
from filters.turn import ModelLate
from likeness.faces import Face, LikenessError
from likeness.registry import Registry
from rightsholders.claims import RightsError
from rightsholders.register import Claims
from service import reasons
from service.database import Database
from service.decision import Gate, Observation
from service.media.looking import Looks
from service.request import GenerationRequest, ReferenceKind
from service.settings import LOOKS_IN_TIME

log = structlog.get_logger()

ALL = (Gate.FILTERS, Gate.LIKENESS, Gate.RIGHTS)
CONSENT = (Gate.LIKENESS, Gate.RIGHTS)
"""The gates whose answer can change while a job waits."""

# Pixels of a picture that are one look: writing in larger ones is looked for in parts.
_ONE_LOOK = 3840 * 2160
# Of many requests, those that a gate looks at in one go, on one thread.
_TOGETHER = 8

Picture = NDArray[np.uint8]
JudgeText = Callable[[str, Surface], Sequence[Finding]]
"""Everything the filters say about a text, as typed."""
JudgePictures = Callable[[Iterable[tuple[int, Picture]], Surface], Sequence[Finding]]
"""Everything the filters say about pictures, each with the number of its frame."""
ReadCaptions = Callable[[Iterable[tuple[int, Picture]], Surface], Sequence[Finding]]
"""Everything the filters say about what is written in the pictures of one film, or in one."""
Listen = Callable[[NDArray[np.float32]], Sequence[Finding]]
"""Everything the filters say about samples of shape (samples, 2) at 48 kHz."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Seen = list[Observation] | Exception


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the request: the field it stands in, as typed, and normalised for all gates."""

    param: str
    text: str = field(repr=False)
    reading: Reading = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """A film or a sound of the request; without `looks` this process cannot open it."""

    param: str
    looks: Looks | None = field(repr=False)

    def frames(self) -> Iterator[tuple[int, Picture]]:
        """Yield what is looked at, each with the number of its frame."""
        if self.looks is None or self.looks.pictures is None:
            return
        # Copied one by one: they lie in a file, and a detector wants them in memory.
        pictures = map(np.ascontiguousarray, self.looks.pictures)
        yield from zip(self.looks.numbers, pictures, strict=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, opened: what the gates look at.

    Attributes:
        words: each text, and all of them joined; see `GenerationRequest.texts`.
        pictures: of the references that are pictures, in order, RGB uint8.
        recordings: the films and sounds.
    """

    request: GenerationRequest
    words: tuple[Words, ...]
    pictures: tuple[Picture, ...]
    recordings: tuple[Recording, ...] = ()

    def named_pictures(self) -> list[tuple[str, Picture]]:
        """Return each picture with a name of its own, such as `input_reference[1]`."""
        pictures = self.request.of_kind(ReferenceKind.PICTURE)
        if len(pictures) == 1:
            return [(pictures[0].param, self.pictures[0])]
        return [
            (f"{reference.param}[{number}]", picture)
            for number, (reference, picture) in enumerate(zip(pictures, self.pictures, strict=True))
        ]


@dataclass(frozen=True, slots=True)
class Gates:
    """Filters, likeness and rights, with a time limit for each."""

    database: Database
    judge_text: JudgeText
    judge_pictures: JudgePictures
    read_captions: ReadCaptions
    registry: Registry
    claims: Claims
    executor: Executor
    timeout_s: float
    listen: Listen | None = None

    def look(
        self, asked: Asked, *, now: datetime, gates: Sequence[Gate] = ALL
    ) -> tuple[Observation, ...]:
        """Return what `gates` see in the request; one that fails or is late says so.

        Raises:
            DatabaseUnavailable: nothing could be logged either, so there is no decision.
        """
        return self.look_at_all([asked], now=now, gates=gates)[0]

    def look_at_all(
        self, many: Sequence[Asked], *, now: datetime, gates: Sequence[Gate] = ALL
    ) -> list[tuple[Observation, ...]]:
        """Return what `look` does for each request, in order; together they share their reads.

        Raises:
            DatabaseUnavailable: as `look`, for all of them.
        """
        asks: dict[Gate, Callable[[Sequence[Asked]], list[_Seen]]] = {
            Gate.FILTERS: self._filters_of_all,
            Gate.LIKENESS: lambda some: self._likeness_of_all(some, now),
            Gate.RIGHTS: lambda some: self._rights_of_all(some, now),
        }
        lots = [many[first : first + _TOGETHER] for first in range(0, len(many), _TOGETHER)]
        running = [
            [(gate, self.executor.submit(asks[gate], lot)) for gate in gates] for lot in lots
        ]
        # Two cores read the pictures of a whole batch, so their times add up.
        more = sum(self._patience_s(one) - self.timeout_s for one in many)
        until = time.monotonic() + self.timeout_s + more
        seen: list[tuple[Observation, ...]] = []
        for lot, futures in zip(lots, running, strict=True):
            answers = [self._answers(gate, future, until, len(lot)) for gate, future in futures]
            seen += [reasons.numbered(list(chain(*each))) for each in zip(*answers, strict=True)]
        return seen

    def _patience_s(self, asked: Asked) -> float:
        """Return how long to wait: a film of twenty seconds is forty pictures, a poster seven."""
        # Three colours a pixel.
        looks = sum(math.ceil(one.size / 3 / _ONE_LOOK) for one in asked.pictures)
        looks += sum(len(one.looks.numbers) for one in asked.recordings if one.looks is not None)
        return self.timeout_s * (1 + looks / LOOKS_IN_TIME)

    def registers(self, conn: Connection) -> tuple[object, object]:
        """Return how far the registers of likenesses and claims are; equal: nothing has changed."""
        return (likeness.store.last_change(conn), rightsholders.store.last_change(conn))

    def locked_registers(self, conn: Connection) -> tuple[object, object]:
        """Return `registers`, and let no other transaction change them before this one ends."""
        likeness.store.wait_for_writers(conn)
        rightsholders.store.wait_for_writers(conn)
        return self.registers(conn)

    def _answers(
        self, gate: Gate, future: "Future[list[_Seen]]", until: float, many: int
    ) -> list[list[Observation]]:
        nothing = [reasons.could_not_look(gate, f"{gate.value}.gate")]
        try:
            answers = future.result(timeout=max(0.0, until - time.monotonic()))
        except Late:
            # One that has not begun need not begin: nobody waits for it any more.
            future.cancel()
            log.error("gate.late", gate=gate.value, timeout_s=self.timeout_s)  # noqa: TRY400 - nothing to trace
            return [nothing] * many
        faults = [one for one in answers if isinstance(one, Exception)]
        for broken, part in {(type(one).__name__, which(one, gate)) for one in faults}:
            log.error("gate.unavailable", gate=gate.value, error=broken, part=part)
        return [nothing if isinstance(one, Exception) else one for one in answers]

    def _filters_of_all(self, many: Sequence[Asked]) -> list[_Seen]:
        return [_tried(FilterError, self._filters, asked) for asked in many]

    def _filters(self, asked: Asked) -> list[Observation]:
        seen = [each for words in asked.words for each in self._read(words)]
        for text in asked.request.stretches():
            found = self.judge_text(text, Surface.PROMPT)
            # Their characters are counted from another start than those of the whole.
            seen += _said([replace(one, place=None) for one in found], asked.words[-1].param)
        for param, picture in asked.named_pictures():
            seen += _said(self.judge_pictures([(0, picture)], Surface.PICTURE), param)
            seen += _said(self.read_captions([(0, picture)], Surface.PICTURE), param)
        for recording in asked.recordings:
            seen += self._watched(recording)
        return seen

    def _read(self, words: Words) -> list[Observation]:
        """Return what is found in a text, and in what it has people say, sing and read."""
        spoken = dialogue.judged(words.text, self.judge_text)
        return [
            *_said(self.judge_text(words.text, Surface.PROMPT), words.param),
            *(reasons.from_finding(one, param=words.param) for one in spoken),
        ]

    def _watched(self, recording: Recording) -> list[Observation]:
        """Return what the filters see in a film and hear in it, or in a sound."""
        looks, param = recording.looks, recording.param
        if looks is None or (looks.samples is not None and self.listen is None):
            return [reasons.could_not_look(Gate.FILTERS, "filters.recordings")]
        findings: list[Finding] = []
        for frame in recording.frames():
            found = self.judge_pictures([frame], Surface.FRAMES)
            if not found:
                return _said(found, param)
            findings += found
        seen = [reasons.from_finding(one, param=param) for one in worst(findings)]
        if looks.numbers:
            seen += _said(self.read_captions(recording.frames(), Surface.FRAMES), param)
        if looks.samples is not None and self.listen is not None:
            seen += _said(self.listen(looks.samples), param)
        return seen

    def _likeness_of_all(self, many: Sequence[Asked], now: datetime) -> list[_Seen]:
        # Faces are found before the database is asked: no read stays open for a model.
        shown = [_tried(LikenessError, self._shown, asked) for asked in many]
        with self.database.reading() as conn:
            return [
                faces
                if isinstance(faces, Exception)
                else _tried(LikenessError, self._likeness, conn, asked, faces, now)
                for asked, faces in zip(many, shown, strict=True)
            ]

    def _shown(self, asked: Asked) -> "_Faces":
        shown = [
            (_Shown(param, Surface.PICTURE, 0), self.registry.look(picture))
            for param, picture in asked.named_pictures()
        ]
        shown += [
            (_Shown(recording.param, Surface.FRAMES, number), self.registry.look(picture))
            for recording in asked.recordings
            for number, picture in recording.frames()
        ]
        return shown

    def _likeness(
        self, conn: Connection, asked: Asked, shown: "_Faces", now: datetime
    ) -> list[Observation]:
        request = asked.request
        actor = request.requester.actor
        named = " ".join(f"@{handle}" for handle in request.handles)
        in_text = [
            (words, self.registry.handles_in(conn, words.reading.text, actor=actor, now=now))
            for words in asked.words
        ]
        in_field = self.registry.handles_in(conn, named, actor=actor, now=now)
        handles = {one.handle for one in chain(in_field, *(some for _, some in in_text))}
        sighted = [
            (at, self.registry.recognise(conn, faces, actor=actor, handles=handles, now=now))
            for at, faces in shown
        ]
        seen = [
            reasons.from_mention(each, span_of=words.reading.span, param=words.param)
            for words, some in in_text
            for each in some
        ]
        seen += [reasons.from_mention(each, span_of=None, param="likenesses") for each in in_field]
        seen += [
            reasons.from_sighting(each, surface=at.surface, param=at.param, frame=at.frame)
            for at, sightings in sighted
            for each in sightings
        ]
        seen += [
            reasons.could_not_look(Gate.LIKENESS, "likeness.recordings")
            for recording in asked.recordings
            if recording.looks is None
        ]
        return seen or [reasons.nothing_seen(Gate.LIKENESS, "likeness.faces", param="request")]

    def _rights_of_all(self, many: Sequence[Asked], now: datetime) -> list[_Seen]:
        with self.database.reading() as conn:
            at = _tried(RightsError, lambda: self.claims.checkpoint(conn))
            return [
                at
                if isinstance(at, Exception)
                else _tried(RightsError, self._rights, conn, asked, at, now)
                for asked in many
            ]

    def _rights(self, conn: Connection, asked: Asked, at: str, now: datetime) -> list[Observation]:
        territory = asked.request.territory
        matches = [
            (words, self.claims.match(conn, words.reading.text, territory=territory, now=now))
            for words in asked.words
        ]
        seen = [
            reasons.from_match(match, span_of=words.reading.span, param=words.param)
            for words, some in matches
            for match in some
        ]
        if seen:
            return seen
        # The whole of what was read: the prompt, or all texts joined.
        whole = asked.words[-1].param
        return [reasons.nothing_seen(Gate.RIGHTS, "rights.names@1", param=whole, index=at)]


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where a face may be."""

    param: str
    surface: Surface
    frame: int


_Faces = list[tuple[_Shown, list[Face]]]


def _tried(
    fault: type[Exception],
    look: Callable[_Given, _Result],
    *given: _Given.args,
    **named: _Given.kwargs,
) -> _Result | Exception:
    """Return what `look` does, or the fault that kept it from looking."""
    try:
        return look(*given, **named)
    except fault as broken:
        return broken


def which(fault: Exception, gate: Gate) -> str:
    """Return the model that was late, or the gate where the fault does not say."""
    return fault.detector if isinstance(fault, ModelLate) else gate.value


def worst(findings: Sequence[Finding]) -> list[Finding]:
    """Keep, of each category, the frame that scored highest: the evidence, not every frame."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        known = kept.get(finding.category)
        if known is None or finding.score > known.score:
            kept[finding.category] = finding
    return list(kept.values())


def _said(findings: Sequence[Finding], param: str) -> list[Observation]:
    """Return the findings; a detector that says nothing at all has not looked."""
    if not findings:
        return [reasons.could_not_look(Gate.FILTERS, "filters.silent")]
    return [reasons.from_finding(finding, param=param) for finding in findings]
