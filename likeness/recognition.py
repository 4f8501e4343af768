"""What a face near some templates means: pure rules, strictest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from likeness.faces import Box, Face, Quality
from likeness.index import Hit
from likeness.thresholds import Calibration


class Outcome(StrEnum):
    """What was made of one face."""

    GRANTED = "granted"
    NOT_GRANTED = "not_granted"
    UNCERTAIN = "uncertain"
    STRANGER = "stranger"
    UNKNOWN_PERSON = "unknown_person"
    INCONCLUSIVE = "inconclusive"
    TOO_SMALL = "too_small"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face, and whose it is.

    Attributes:
        likeness: whom it may be, or empty.
        grant: what permits it: the id of a grant, or of the likeness for its own owner; set only
            where the outcome is GRANTED.
        similarity: 1 - distance, 0..1, four decimals; 0 where nobody is near. Not for the
            requester, who could climb it.
        index: checkpoint of the registry that was asked, such as `likeness:17`.
        calibration: id of the thresholds.
    """

    box: Box
    height_px: int
    outcome: Outcome
    likeness: str
    grant: str
    similarity: float
    index: str
    detector: str
    calibration: str


@dataclass(frozen=True, slots=True)
class Permissions:
    """Whom an actor may depict.

    Attributes:
        named: likeness to permission, those that this request speaks of.
        unnamed: likenesses that the actor may depict too, but did not name.
    """

    named: Mapping[str, str]
    unnamed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome with the likeness it is about."""

    outcome: Outcome
    nearest: Hit | None = None
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Applies one calibration to one registry.

    Attributes:
        identities: how many people are enrolled; above the calibrated limit a resemblance to
            one of them is only ever held.
    """

    calibration: Calibration
    identities: int

    def of_upload(self, face: Face, hits: Sequence[Hit], may: Permissions) -> Finding:
        """Judge a face that somebody brought: nobody without a grant passes.

        Args:
            hits: everybody within the hold distance, nearest first.
        """
        nearest = hits[0] if hits else None
        if (small := _too_poor(face)) is not None:
            return Finding(small, nearest)
        if nearest is None:
            return Finding(Outcome.STRANGER)
        if nearest.likeness not in may.named:
            return Finding(self._unpermitted(nearest, may), nearest)
        if nearest.distance > self.calibration.allow or self._rivals(hits, may):
            return Finding(Outcome.UNCERTAIN, nearest)
        return Finding(Outcome.GRANTED, nearest, may.named[nearest.likeness])

    def of_output(self, face: Face, hits: Sequence[Hit], may: Permissions) -> Finding:
        """Judge a face that we made: it may be nobody, but nobody who did not agree."""
        nearest = hits[0] if hits else None
        if (small := _too_poor(face)) is not None:
            # Generated crowds are full of small faces. One that resembles nobody is no concern;
            # one that does cannot be told at this size.
            unclear = nearest is not None and nearest.likeness not in may.named
            return Finding(Outcome.UNCERTAIN if unclear else small, nearest)
        if nearest is None:
            return Finding(Outcome.UNKNOWN_PERSON)
        if nearest.likeness not in may.named:
            return Finding(self._unpermitted(nearest, may), nearest)
        if self._rivals(hits, may):
            return Finding(Outcome.UNCERTAIN, nearest)
        return Finding(Outcome.GRANTED, nearest, may.named[nearest.likeness])

    def _unpermitted(self, nearest: Hit, may: Permissions) -> Outcome:
        refusable = (
            nearest.distance <= self.calibration.allow
            and nearest.likeness not in may.unnamed
            and self.identities <= self.calibration.identity_limit
        )
        return Outcome.NOT_GRANTED if refusable else Outcome.UNCERTAIN

    def _rivals(self, hits: Sequence[Hit], may: Permissions) -> bool:
        """Whether somebody who did not agree is as good a match as the nearest, who did."""
        return any(
            hit.likeness not in may.named and hit.distance <= self.calibration.allow for hit in hits
        )


def _too_poor(face: Face) -> Outcome | None:
    match face.quality:
        case Quality.DECIDES:
            return None
        case Quality.INCONCLUSIVE:
            return Outcome.INCONCLUSIVE
        case Quality.TOO_SMALL:
            return Outcome.TOO_SMALL
