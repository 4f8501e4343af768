"""A face in a picture: where it is, how big, what it measures, and whether that is enough."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# A 48-pixel copy of a photograph measures 0.27 (median) and 0.32 (95th percentile) from the
# original, a 32-pixel copy 0.38 and 0.45, a 24-pixel copy 0.49 and 0.59 (project notes, 40
# people): below 48 the picture and no longer the person decides, below 32 nothing does.
DECIDES_FROM_PX = 48
INCONCLUSIVE_FROM_PX = 32


class LikenessError(Exception):
    """Base of everything this package raises."""


class ModelUnavailable(LikenessError):
    """A model file is missing, altered or unreadable. The message names it and the remedy."""


class PictureUnusable(LikenessError):
    """What was handed in is not an RGB picture of a usable size."""


class Quality(StrEnum):
    """What a face of this size and certainty can prove."""

    DECIDES = "decides"
    INCONCLUSIVE = "inconclusive"
    TOO_SMALL = "too_small"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the picture as handed in; may touch but never crosses its edge."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Face:
    """One face as measured.

    Attributes:
        height_px: of the detector's box before it was cut at the picture's edge.
        vector: shape (128,), float32: raw biometrics, never logged and kept out of `repr`.
        certain: that it is a face at all, and one the recogniser was made for.
        score: what the detector gave it; comparable only within one detector.
    """

    box: Box
    height_px: int
    vector: NDArray[np.float32] = field(repr=False, compare=False)
    quality: Quality
    certain: bool
    score: float


class FaceModel(Protocol):
    """Finds and measures faces. dlib is embedded; an operator may bring another."""

    @property
    def version(self) -> str:
        """Name and version of detector and recogniser together, such as `likeness.dlib@1`."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the recogniser's file, hex: whose vectors these are."""
        ...

    def find(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Return every face in `picture`, shape (height, width, 3), RGB, largest first.

        Raises:
            PictureUnusable: of another shape or type, or too small or large to look at.
        """
        ...


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the Euclidean distance of two vectors of the same model; 0 is the same picture."""
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))


def quality_of(height_px: int, *, certain: bool) -> Quality:
    """Return what a face can prove; one that the detector half sees is never conclusive."""
    if height_px < INCONCLUSIVE_FROM_PX:
        return Quality.TOO_SMALL
    if height_px < DECIDES_FROM_PX or not certain:
        return Quality.INCONCLUSIVE
    return Quality.DECIDES
