"""A plate that says what made the film, and wanders so that no crop gets rid of it.

It is drawn on the luma plane only: a region of a few thousand pixels, which costs some hundredths
of a millisecond a frame where compositing the whole picture costs milliseconds.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from provenance.failures import FrameTooSmall

TEXT = "AI · imprimatur"
TEXT_BY_RULE = "SYNTHETIC · imprimatur"
"""For what a renderer computed by rule: synthetic, and no work of an AI."""
MIN_SIDE = 128
# Halfway between what was measured after H.264 as we write it, over patterns and photographs: the
# least in 1464 marked frames was 0.925, the greatest in 1464 bare ones 0.517
# (`python -m benchmarks.media --presence --data DIR`).
PRESENT_FROM = 0.72

_SLOT_SECONDS = 1.5  # long enough at one place to be read
_DWELL = 0.6  # part of a slot at rest; the remainder glides to the next station
_INK, _GROUND = 235, 24  # studio-range white on near black: legible on any picture
_GROUND_OPACITY = 0.82  # the picture stays visible through the plate


@dataclass(frozen=True, slots=True)
class Box:
    """A region of a frame in pixels, from its top left corner."""

    x: int
    y: int
    width: int
    height: int


class VisibleMark:
    """The plate's picture and path through one clip.

    Every 1.5 seconds (or thirds of a shorter clip) the plate rests at another station: a corner,
    the centre, the opposite corner, another corner, and so on. It is at the centre at least once
    in any clip of five frames or more, so every crop that keeps more than half of each side keeps
    the plate in some frame; and it is never in one place, so no fixed patch hides it.

    Args:
        width: of the frame, pixels.
        height: of the frame, pixels.
        fps: frames per second.
        frame_count: of the clip.
        seed: chooses the first corner; the same seed gives the same path.
        text: what the plate says.

    Attributes:
        frame_count: of the clip the path is for.
        seed: chose the first corner.

    Raises:
        FrameTooSmall: a side is under `MIN_SIDE`, or the text does not fit.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        fps: Fraction,
        frame_count: int,
        seed: int,
        text: str = TEXT,
    ) -> None:
        if min(width, height) < MIN_SIDE:
            raise FrameTooSmall(f"{width}x{height}: a side is under {MIN_SIDE} pixels")
        self.frame_count = max(1, frame_count)
        self.seed = seed
        plate, opacity = _plate(width, height, text)
        if plate.shape[1] > width - 2 * _margin(width, height):
            raise FrameTooSmall(f"{width}x{height}: the plate has no room for “{text}”")
        self._plate = plate.astype(np.float32) - plate.mean(dtype=np.float32)
        self._energy = float(np.square(self._plate).sum())
        # The blend in integers: (under * keep + add) >> 8, at most 255 * 256, fits 16 bits.
        self._keep = np.rint((1 - opacity) * 256).astype(np.uint16)
        self._add = np.rint(plate * opacity * 256).astype(np.uint16)
        self._stations = _stations(width, height, plate.shape, seed)
        seconds = float(self.frame_count / fps)
        self._slots = max(3, math.ceil(seconds / _SLOT_SECONDS))
        self._shape = (height, width)

    def box(self, frame: int) -> Box:
        """Return where the plate is in `frame`, wholly inside the picture.

        Raises:
            IndexError: the clip has no such frame.
        """
        if not 0 <= frame < self.frame_count:
            raise IndexError(f"frame {frame} of {self.frame_count}")
        height, width = self._keep.shape
        if self.frame_count == 1:
            return Box(*self._stations[0], width, height)
        slot, within = divmod((frame + 0.5) * self._slots / self.frame_count, 1.0)
        here = self._stations[int(slot) % len(self._stations)]
        there = self._stations[(int(slot) + 1) % len(self._stations)]
        if slot == self._slots - 1:
            there = here
        glide = max(0.0, (within - _DWELL) / (1 - _DWELL))
        eased = glide * glide * (3 - 2 * glide)
        x, y = (round(a + (b - a) * eased) for a, b in zip(here, there, strict=True))
        return Box(x, y, width, height)

    def draw(self, luma: NDArray[np.uint8], frame: int) -> None:
        """Draw the plate into `luma` in place.

        Args:
            luma: shape (height, width), uint8, writable.
            frame: index from 0.
        """
        under = self._region(luma, frame)
        blend = under * self._keep  # uint8 * uint16 is uint16
        blend += self._add
        blend >>= 8
        under[...] = blend

    def presence(self, luma: NDArray[np.uint8], frame: int) -> float:
        """Return how surely the plate is where it belongs in `frame`: 0 absent, 1 as drawn.

        The correlation with the plate's own picture, lowered when the contrast is fainter than
        half of what was drawn: a pattern that resembles the plate by chance is faint.
        """
        region = self._region(luma, frame).astype(np.float32)
        region -= region.mean()
        spread = float(np.square(region).sum())
        if spread < 1.0:
            return 0.0
        likeness = float((region * self._plate).sum())
        correlation = likeness / math.sqrt(spread * self._energy)
        contrast = min(1.0, 2 * likeness / self._energy)
        return max(0.0, correlation * contrast)

    def _region(self, luma: NDArray[np.uint8], frame: int) -> NDArray[np.uint8]:
        if luma.shape != self._shape:
            raise ValueError(f"luma has shape {luma.shape}, the mark was made for {self._shape}")
        box = self.box(frame)
        return luma[box.y : box.y + box.height, box.x : box.x + box.width]


def _plate(width: int, height: int, text: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the plate's luma and its opacity, 0..1, both of the plate's shape."""
    side = min(width, height)
    pixels = max(11.0, side * 0.045)
    font = ImageFont.load_default(size=pixels)  # Aileron, inside Pillow: the same everywhere
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    pad = max(4, round(pixels * 0.45))
    size = (right - left + 2 * pad, bottom - top + 2 * pad)
    ink = Image.new("L", size, 0)
    pen = ImageDraw.Draw(ink)
    pen.text((pad - left, pad - top), text, fill=255, font=font)
    # The light edge keeps the plate visible on a black picture.
    pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=200, width=max(1, side // 360))
    cover = np.asarray(ink, dtype=np.float32) / 255
    plate = np.rint(_GROUND + (_INK - _GROUND) * cover).astype(np.uint8)
    return plate, np.maximum(cover, np.float32(_GROUND_OPACITY))


def _margin(width: int, height: int) -> int:
    return max(2, round(min(width, height) * 0.03))


def _stations(width: int, height: int, plate: tuple[int, ...], seed: int) -> list[tuple[int, int]]:
    """Return the top left corners the plate visits in turn; every second one is the centre's."""
    margin = _margin(width, height)
    right, bottom = width - plate[1] - margin, height - plate[0] - margin
    corners = [(margin, margin), (right, bottom), (right, margin), (margin, bottom)]
    if seed % 2:
        corners = corners[2:] + corners[:2]
    if seed // 2 % 2:
        corners = [corners[1], corners[0], corners[3], corners[2]]
    first, opposite, second, other = corners
    centre = ((width - plate[1]) // 2, (height - plate[0]) // 2)
    return [first, centre, opposite, second, centre, other]
