"""The three gates, asked together. They read; what they saw comes back as observations."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection

import likeness.store
import rightsholders.store
from filters.finding import FilterError, Finding, Surface
from filters.normalise import Reading
from likeness.faces import LikenessError
from likeness.registry import Registry
from rightsholders.claims import RightsError
from rightsholders.register import Claims
from service import reasons
from service.database import Database
from service.decision import Gate, Observation
from service.request import GenerationRequest

log = structlog.get_logger()

ALL = (Gate.FILTERS, Gate.LIKENESS, Gate.RIGHTS)
CONSENT = (Gate.LIKENESS, Gate.RIGHTS)
"""The gates whose answer can change while a job waits."""

Picture = NDArray[np.uint8]
JudgeText = Callable[[str, Surface], Sequence[Finding]]
"""Everything the filters say about a text, as typed."""
JudgePictures = Callable[[Iterable[tuple[int, Picture]], Surface], Sequence[Finding]]
"""Everything the filters say about pictures, each with the number of its frame."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, opened: what the gates look at.

    Attributes:
        pictures: of the references, in order, RGB uint8.
        reading: the prompt, normalised once for all gates.
    """

    request: GenerationRequest
    reading: Reading
    pictures: tuple[Picture, ...]

    def named_pictures(self) -> list[tuple[str, Picture]]:
        """Return each picture with a name of its own, such as `input_reference[1]`."""
        references = self.request.references
        if len(references) == 1:
            return [(references[0].param, self.pictures[0])]
        return [
            (f"{reference.param}[{number}]", picture)
            for number, (reference, picture) in enumerate(
                zip(references, self.pictures, strict=True)
            )
        ]


@dataclass(frozen=True, slots=True)
class Gates:
    """Filters, likeness and rights, with a time limit for each."""

    database: Database
    judge_text: JudgeText
    judge_pictures: JudgePictures
    registry: Registry
    claims: Claims
    executor: Executor
    timeout_s: float

    def look(
        self, asked: Asked, *, now: datetime, gates: Sequence[Gate] = ALL
    ) -> tuple[Observation, ...]:
        """Return what `gates` see in the request; one that fails or is late says so.

        Raises:
            DatabaseUnavailable: nothing could be logged either, so there is no decision.
        """
        asks: dict[Gate, Callable[[], list[Observation]]] = {
            Gate.FILTERS: lambda: self._filters(asked),
            Gate.LIKENESS: lambda: self._likeness(asked, now),
            Gate.RIGHTS: lambda: self._rights(asked, now),
        }
        running = [(gate, self.executor.submit(asks[gate])) for gate in gates]
        until = time.monotonic() + self.timeout_s
        seen = [each for gate, future in running for each in self._answer(gate, future, until)]
        return reasons.numbered(seen)

    def registers(self, conn: Connection) -> tuple[object, object]:
        """Return how far the registers of likenesses and claims are; equal: nothing has changed."""
        return (likeness.store.last_change(conn), rightsholders.store.last_change(conn))

    def locked_registers(self, conn: Connection) -> tuple[object, object]:
        """Return `registers`, and let no other transaction change them before this one ends."""
        likeness.store.wait_for_writers(conn)
        rightsholders.store.wait_for_writers(conn)
        return self.registers(conn)

    def _answer(
        self, gate: Gate, future: Future[list[Observation]], until: float
    ) -> list[Observation]:
        try:
            return future.result(timeout=max(0.0, until - time.monotonic()))
        except (FilterError, LikenessError, RightsError) as broken:
            log.error("gate.unavailable", gate=gate.value, error=type(broken).__name__)  # noqa: TRY400 - a traceback may hold the text
        except Late:
            # One that has not begun need not begin: nobody waits for it any more.
            future.cancel()
            log.error("gate.late", gate=gate.value, timeout_s=self.timeout_s)  # noqa: TRY400 - nothing to trace
        return [reasons.could_not_look(gate, f"{gate.value}.gate")]

    def _filters(self, asked: Asked) -> list[Observation]:
        findings = self.judge_text(asked.request.prompt, Surface.PROMPT)
        seen = _said(findings, "prompt")
        for param, picture in asked.named_pictures():
            seen += _said(self.judge_pictures([(0, picture)], Surface.PICTURE), param)
        return seen

    def _likeness(self, asked: Asked, now: datetime) -> list[Observation]:
        request = asked.request
        actor = request.requester.actor
        faces = [self.registry.look(picture) for picture in asked.pictures]
        with self.database.reading() as conn:
            in_text = self.registry.handles_in(conn, asked.reading.text, actor=actor, now=now)
            named = " ".join(f"@{handle}" for handle in request.handles)
            in_field = self.registry.handles_in(conn, named, actor=actor, now=now)
            handles = {mention.handle for mention in (*in_text, *in_field)}
            sighted = [
                self.registry.recognise(conn, found, actor=actor, handles=handles, now=now)
                for found in faces
            ]
        span_of = asked.reading.span
        seen = [reasons.from_mention(each, span_of=span_of, param="prompt") for each in in_text]
        seen += [
            reasons.from_mention(each, span_of=span_of, param="likenesses") for each in in_field
        ]
        for (param, _), sightings in zip(asked.named_pictures(), sighted, strict=True):
            seen += [
                reasons.from_sighting(each, surface=Surface.PICTURE, param=param, frame=0)
                for each in sightings
            ]
        return seen or [reasons.nothing_seen(Gate.LIKENESS, "likeness.faces", param="request")]

    def _rights(self, asked: Asked, now: datetime) -> list[Observation]:
        with self.database.reading() as conn:
            matches = self.claims.match(
                conn, asked.reading.text, territory=asked.request.territory, now=now
            )
            checkpoint = self.claims.checkpoint(conn)
        seen = [reasons.from_match(match, span_of=asked.reading.span) for match in matches]
        return seen or [
            reasons.nothing_seen(Gate.RIGHTS, "rights.names@1", param="prompt", index=checkpoint)
        ]


def _said(findings: Sequence[Finding], param: str) -> list[Observation]:
    """Return the findings; a detector that says nothing at all has not looked."""
    if not findings:
        return [reasons.could_not_look(Gate.FILTERS, "filters.silent")]
    return [reasons.from_finding(finding, param=param) for finding in findings]
