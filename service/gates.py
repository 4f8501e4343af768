"""The three gates, asked together. They read; what they saw comes back as observations."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import structlog
from numpy.typing import NDArray

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
        seen = [each for gate, future in running for each in self._answer(gate, future)]
        return reasons.numbered(seen)

    def _answer(self, gate: Gate, future: Future[list[Observation]]) -> list[Observation]:
        try:
            return future.result(timeout=self.timeout_s)
        except (FilterError, LikenessError, RightsError) as broken:
            log.error("gate.unavailable", gate=gate.value, error=type(broken).__name__)  # noqa: TRY400 - a traceback may hold the text
        except Late:
            log.error("gate.late", gate=gate.value, timeout_s=self.timeout_s)  # noqa: TRY400 - nothing to trace
        return [reasons.could_not_look(gate, f"{gate.value}.gate")]

    def _filters(self, asked: Asked) -> list[Observation]:
        findings = self.judge_text(asked.request.prompt, Surface.PROMPT)
        seen = [reasons.from_finding(finding, param="prompt") for finding in findings]
        for reference, picture in zip(asked.request.references, asked.pictures, strict=True):
            found = self.judge_pictures([(0, picture)], Surface.PICTURE)
            seen += [reasons.from_finding(finding, param=reference.param) for finding in found]
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
        for reference, sightings in zip(request.references, sighted, strict=True):
            seen += [
                reasons.from_sighting(each, surface=Surface.PICTURE, param=reference.param, frame=0)
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
