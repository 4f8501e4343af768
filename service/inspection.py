"""The same questions as before, asked of what actually came out."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import numpy as np
import structlog

from filters.finding import FilterError, Finding, Surface
from generator.clip import Clip
from likeness.faces import LikenessError
from likeness.registry import Registry
from service import reasons
from service.database import Database
from service.decision import Gate, Observation
from service.gates import JudgePictures, Listen, Picture, ReadCaptions, which, worst

log = structlog.get_logger()

Beat = Callable[[], None]
"""Called between frames: keeps the lease, and raises when somebody cancelled."""
Sample = Callable[[int, Fraction], Sequence[int]]
"""Which of so many frames at so many a second to look at."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Frames, what is written in them, sound and faces of a clip."""

    database: Database
    judge_pictures: JudgePictures
    read_captions: ReadCaptions
    listen: Listen
    sample: Sample
    registry: Registry

    def look(
        self, clip: Clip, *, actor: str, allowed: Collection[str], now: datetime, beat: Beat
    ) -> tuple[Observation, ...]:
        """Return what is seen and heard in `clip`.

        Args:
            allowed: likenesses that the request was allowed to depict.
        """
        frames = self.sample(len(clip.frames), clip.fps)
        if not frames:
            return reasons.numbered([reasons.could_not_look(Gate.FILTERS, "filters.no_frame")])
        asks: list[tuple[Gate, Callable[[], list[Observation]]]] = [
            (Gate.FILTERS, lambda: self._pictures(clip, frames, beat)),
            (Gate.FILTERS, lambda: self._captions(clip, frames, beat)),
            (Gate.FILTERS, lambda: self._sound(clip, beat)),
            (Gate.LIKENESS, lambda: self._faces(clip, frames, actor, allowed, now, beat)),
        ]
        seen: list[Observation] = []
        for gate, ask in asks:
            try:
                seen += ask()
            except (FilterError, LikenessError) as broken:
                error, part = type(broken).__name__, which(broken, gate)
                log.error("inspection.unavailable", gate=gate.value, error=error, part=part)  # noqa: TRY400 - the type says it
                seen.append(reasons.could_not_look(gate, f"{gate.value}.output"))
        return reasons.numbered(seen)

    def _pictures(self, clip: Clip, frames: Sequence[int], beat: Beat) -> list[Observation]:
        findings: list[Finding] = []
        for number in frames:
            beat()
            found = self.judge_pictures([(number, clip.frames[number])], Surface.FRAMES)
            if not found:
                return [reasons.could_not_look(Gate.FILTERS, "filters.silent")]
            findings += found
        return [reasons.from_finding(one, param="output") for one in worst(findings)]

    def _captions(self, clip: Clip, frames: Sequence[int], beat: Beat) -> list[Observation]:
        def beating() -> Iterator[tuple[int, Picture]]:
            for number in frames:
                beat()
                yield number, np.ascontiguousarray(clip.frames[number])

        found = self.read_captions(beating(), Surface.FRAMES)
        if not found:
            return [reasons.could_not_look(Gate.FILTERS, "filters.silent")]
        return [reasons.from_finding(one, param="output") for one in found]

    def _sound(self, clip: Clip, beat: Beat) -> list[Observation]:
        beat()
        heard = self.listen(np.asarray(clip.samples))
        if not heard:
            return [reasons.could_not_look(Gate.FILTERS, "filters.silent")]
        return [reasons.from_finding(finding, param="output") for finding in heard]

    def _faces(
        self,
        clip: Clip,
        frames: Sequence[int],
        actor: str,
        allowed: Collection[str],
        now: datetime,
        beat: Beat,
    ) -> list[Observation]:
        seen: list[Observation] = []
        for number in frames:
            beat()
            faces = self.registry.look(np.ascontiguousarray(clip.frames[number]))
            with self.database.reading() as conn:
                sighted = self.registry.recognise_output(
                    conn, faces, actor=actor, allowed=allowed, now=now
                )
            seen += [
                reasons.from_sighting(each, surface=Surface.FRAMES, param="output", frame=number)
                for each in sighted
            ]
        return seen or [reasons.nothing_seen(Gate.LIKENESS, "likeness.faces", param="output")]
