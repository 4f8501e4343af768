"""From photographs of one person to the templates that stand for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from likeness.faces import DECIDES_FROM_PX, Face, FaceModel, LikenessError, distance
from likeness.thresholds import Calibration

MAX_PHOTOGRAPHS = 10
ADVISED_PHOTOGRAPHS = 5
ADVISED_HEIGHT_PX = 96
# Two different photographs of one person are 0.32 or more apart, the same one cut and coloured
# differently 0.06 (benchmarks/faces.py). A copy teaches nothing and may not count as depth.
SAME_PHOTOGRAPH_WITHIN = 0.10
# Of the face scaled to 112 pixels: portraits have a Laplacian variance of 57 or more, 42 or less
# once blurred by 1.5 pixels; a mean of 94 to 183 and a deviation of 33 or more (75 portraits).
CHIP_PX = 112
SHARP_FROM = 45.0
DARK_BELOW, BRIGHT_ABOVE = 40.0, 230.0
FLAT_BELOW = 15.0


class Flaw(StrEnum):
    """Why a photograph cannot be used."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    FLAT = "flat"
    SAME_PHOTOGRAPH = "same_photograph"
    ANOTHER_PERSON = "another_person"


class PhotographRefused(LikenessError):
    """A photograph cannot be enrolled from.

    Attributes:
        number: which one, counted from 1, as people do.
        flaw: why.
        remedy: what to send instead.
    """

    def __init__(self, number: int, flaw: Flaw, remedy: str) -> None:
        super().__init__(f"photograph {number}: {flaw.value.replace('_', ' ')}; {remedy}")
        self.number = number
        self.flaw = flaw
        self.remedy = remedy


class PhotographCount(LikenessError):
    """None, or more than ten, photographs were sent."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is to be stored of a person.

    Attributes:
        templates: one vector of shape (128,) per photograph.
        advice: what would make it stronger, for people; empty when nothing would.
    """

    templates: tuple[NDArray[np.float32], ...] = field(repr=False)
    advice: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """How many different photographs it rests on."""
        return len(self.templates)


def enrolment(
    photographs: Sequence[NDArray[np.uint8]], faces: FaceModel, calibration: Calibration
) -> Enrolment:
    """Return the templates of the one person whom all photographs show.

    Args:
        photographs: 1 to 10, each shape (height, width, 3), RGB, with one face of 48 pixels or
            more. Every two must be within the calibration's hold distance.

    Raises:
        PhotographCount: none or too many.
        PhotographRefused: the first one with a flaw, and which.
        PictureUnusable: not an RGB picture.
    """
    if not 1 <= len(photographs) <= MAX_PHOTOGRAPHS:
        raise PhotographCount(f"send 1 to {MAX_PHOTOGRAPHS} photographs, not {len(photographs)}")
    kept: list[Face] = []
    for number, photograph in enumerate(photographs, 1):
        face = _only_face(number, faces.find(photograph))
        _require_quality(number, photograph, face)
        _require_same_person(number, face, kept, calibration)
        kept.append(face)
    return Enrolment(tuple(face.vector for face in kept), _advice(kept))


def _only_face(number: int, seen: Sequence[Face]) -> Face:
    clear = [face for face in seen if face.certain]
    if not clear:
        raise PhotographRefused(
            number, Flaw.NO_FACE, "send one taken from the front, upright and unmasked"
        )
    if len(clear) > 1:
        raise PhotographRefused(number, Flaw.SEVERAL_FACES, "cut it so that only one person shows")
    if clear[0].height_px < DECIDES_FROM_PX:
        raise PhotographRefused(
            number, Flaw.TOO_SMALL, f"the face must be {DECIDES_FROM_PX} pixels high or more"
        )
    return clear[0]


def _require_quality(number: int, photograph: NDArray[np.uint8], face: Face) -> None:
    box = face.box
    cut = photograph[box.y : box.y + box.height, box.x : box.x + box.width]
    chip = Image.fromarray(np.ascontiguousarray(cut)).convert("L")
    grey = np.asarray(chip.resize((CHIP_PX, CHIP_PX), Image.Resampling.BILINEAR), np.float64)
    mean, deviation = float(grey.mean()), float(grey.std())
    if mean < DARK_BELOW:
        raise PhotographRefused(number, Flaw.TOO_DARK, "send one taken in better light")
    if mean > BRIGHT_ABOVE:
        raise PhotographRefused(number, Flaw.TOO_BRIGHT, "send one that is less exposed")
    if deviation < FLAT_BELOW:
        raise PhotographRefused(number, Flaw.FLAT, "send one with more contrast")
    if _sharpness(grey) < SHARP_FROM:
        raise PhotographRefused(number, Flaw.BLURRED, "send one that is sharp")


def _sharpness(grey: NDArray[np.float64]) -> float:
    """Return the variance of the Laplacian, the usual measure of focus."""
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).var())


def _require_same_person(
    number: int, face: Face, kept: Sequence[Face], calibration: Calibration
) -> None:
    for earlier, other in enumerate(kept, 1):
        away = distance(face.vector, other.vector)
        if away < SAME_PHOTOGRAPH_WITHIN:
            raise PhotographRefused(
                number, Flaw.SAME_PHOTOGRAPH, f"it is photograph {earlier} again; send another"
            )
        if away > calibration.hold:
            raise PhotographRefused(
                number, Flaw.ANOTHER_PERSON, f"it does not show the person of photograph {earlier}"
            )


def _advice(kept: Sequence[Face]) -> tuple[str, ...]:
    advice = []
    if len(kept) < ADVISED_PHOTOGRAPHS:
        advice.append(f"{ADVISED_PHOTOGRAPHS} photographs or more are recognised far more surely")
    if min(face.height_px for face in kept) < ADVISED_HEIGHT_PX:
        advice.append(f"faces of {ADVISED_HEIGHT_PX} pixels or more are recognised more surely")
    return tuple(advice)
