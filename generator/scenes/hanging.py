"""A picture in the scene: framed on the wall, on an easel in the open, adrift in space.

It is part of the backdrop: it moves with the camera, things pass in front of it, and it costs
nothing per frame. What it shows stays as it is; it is not brought to life.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.scenes.scene import Setting
from generator.scenes.sprite import Floats
from generator.scenes.view import HORIZON, View

# Fractions of the height of the picture. A third of it, with the frame around; in space less,
# so that the sun below stays free.
_TALL, _TALL_IN_SPACE = 0.34, 0.235
# The top edge of the frame: what a zoom leaves in view begins at 0.093.
_TOP = 0.105
# Of the width: what every camera leaves in view, with something of the wall on either side.
_WIDE, _REACH = 0.72, 0.76
# Right of the middle, as far as there is room: a pendulum hangs in the middle.
_ASIDE = 0.26
_MOULDING, _MOUNT = 0.016, 0.011
_FEET = HORIZON + 0.085
_WOOD = (88, 58, 38)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a picture is shown, in whole pixels of the backdrop, without mount and moulding."""

    left: int
    top: int
    width: int
    height: int


def hang(backdrop: Floats, picture: NDArray[np.uint8], setting: Setting, view: View) -> None:
    """Draw `picture` with its frame, and what holds it, over `backdrop`.

    Args:
        backdrop: shape (3, height, width with margins), 0 to 255; changed in place.
        picture: shape (height, width, 3), RGB; its aspect is kept to the nearest pixel.
    """
    pixels, least = float(view.height), min(view.height, view.width)
    moulding, mount = max(_MOULDING * least, 2.0), max(_MOUNT * least, 1.0)
    outer = moulding + mount
    place = _placed(picture, setting, view, outer)
    canvas = _Canvas(backdrop, place, outer, pixels)
    match setting:
        case Setting.ROOM:
            canvas.shade(outer, 0.013 * pixels, 0.022 * pixels, 0.42)
        case Setting.OUTDOORS:
            _easel(canvas, place, outer, pixels)
        case Setting.SPACE:
            pass
    _frame(canvas, moulding, mount)
    backdrop[:, place.top : place.top + place.height, place.left : place.left + place.width] = (
        _resized(picture, place).transpose(2, 0, 1)
    )


def _placed(picture: NDArray[np.uint8], setting: Setting, view: View, around: float) -> _Place:
    tall, wide = picture.shape[:2]
    room = (_TALL_IN_SPACE if setting is Setting.SPACE else _TALL) * view.height
    scale = min(room / tall, (_WIDE * view.width - 2 * around) / wide)
    width, height = max(round(wide * scale), 1), max(round(tall * scale), 1)
    free = max(_REACH * view.width - width - 2 * around, 0) / 2
    middle = view.margin + view.width / 2 + min(_ASIDE * view.height, free)
    # A wide picture is a low one: it hangs with its middle where a tall one has it.
    top = _TOP * view.height + around + (room - height) / 2
    return _Place(round(middle - width / 2), round(top), width, height)


def _resized(picture: NDArray[np.uint8], place: _Place) -> NDArray[np.uint8]:
    size = (place.width, place.height)
    # With the gap a large picture is first averaged down in whole steps: less for the filter to do.
    made = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(made)


class _Canvas:
    """The backdrop around a picture: x and y are counted from the picture's middle, in pixels."""

    def __init__(self, backdrop: Floats, place: _Place, outer: float, pixels: float) -> None:
        # As far as shadow and legs reach; the rest of the backdrop stays as it is.
        reach = int(outer + 0.08 * pixels)
        aside = max(reach, int(0.2 * pixels - place.width / 2))
        left, top = max(place.left - aside, 0), max(place.top - reach, 0)
        right = place.left + place.width + aside
        bottom = max(place.top + place.height + reach, int((_FEET + 0.03) * pixels))
        self._backdrop = backdrop[:, top:bottom, left:right]
        tall, wide = self._backdrop.shape[1:]
        columns = np.arange(left, left + wide, dtype=np.float32)[None, :] + np.float32(0.5)
        rows = np.arange(top, top + tall, dtype=np.float32)[:, None] + np.float32(0.5)
        self.x: Floats = columns - np.float32(place.left + place.width / 2)
        self.y: Floats = rows - np.float32(place.top + place.height / 2)
        self._half = (place.width / 2, place.height / 2)

    def box(self, grown: float) -> Floats:
        """Return how much of each pixel lies within the picture, `grown` on every side."""
        across = np.clip(self._half[0] + grown - np.abs(self.x) + 0.5, 0, 1)
        down = np.clip(self._half[1] + grown - np.abs(self.y) + 0.5, 0, 1)
        return np.asarray(across * down, dtype=np.float32)

    def sides(self) -> tuple[Floats, Floats]:
        """Return how far each pixel is outside the picture: across and down, signed."""
        across, down = np.abs(self.x) - self._half[0], np.abs(self.y) - self._half[1]
        return across.astype(np.float32), down.astype(np.float32)

    def cover(self, share: Floats, colour: tuple[int, int, int] | Floats) -> None:
        """Lay `colour` over the backdrop where `share` is above nought."""
        paint = np.asarray(colour, dtype=np.float32)
        paint = paint[:, None, None] if paint.ndim == 1 else paint
        self._backdrop += share * (paint - self._backdrop)

    def shade(self, grown: float, fall: float, soft: float, strength: float) -> None:
        """Darken where the frame's shadow falls: to the lower right, with a soft edge."""
        out_x = np.abs(self.x - fall) - self._half[0] - grown
        out_y = np.abs(self.y - fall) - self._half[1] - grown
        away = np.hypot(np.maximum(out_x, 0), np.maximum(out_y, 0))
        self._backdrop *= 1 - np.float32(strength) * np.exp(-((away / soft) ** 2))

    def bar(
        self, start: tuple[float, float], end: tuple[float, float], thick: float, light: float
    ) -> None:
        """Draw a wooden bar between two points, in pixels from the picture's middle."""
        along = np.array(end, dtype=np.float32) - np.array(start, dtype=np.float32)
        length = float(np.hypot(*along))
        dx, dy = self.x - np.float32(start[0]), self.y - np.float32(start[1])
        way = np.clip((dx * along[0] + dy * along[1]) / length**2, 0, 1)
        away = np.hypot(dx - way * along[0], dy - way * along[1])
        share = np.clip(thick / 2 - away + 0.5, 0, 1).astype(np.float32)
        self.cover(share, np.array(_WOOD, dtype=np.float32) * np.float32(light))


def _frame(canvas: _Canvas, moulding: float, mount: float) -> None:
    """Draw a bevelled moulding, lit from the upper left, around a pale mount."""
    over_x, over_y = canvas.sides()
    # The corners are mitred: a side ends where the distance to the next one is larger.
    upright = np.clip(over_x - over_y + 0.5, 0, 1)
    light_x = np.where(canvas.x < 0, 1.12, 0.74)
    light_y = np.where(canvas.y < 0, 1.26, 0.62)
    light = light_y + upright * (light_x - light_y)
    # Round across: brightest along the middle of the moulding.
    way = (np.maximum(over_x, over_y) - mount) / moulding
    light = light * (0.80 + 0.75 * np.clip(way * (1 - way), 0, 0.25) * 2)
    wood = np.array(_WOOD, dtype=np.float32)[:, None, None] * light.astype(np.float32)
    canvas.cover(canvas.box(moulding + mount), wood)
    canvas.cover(canvas.box(mount), (238, 233, 222))


def _easel(canvas: _Canvas, place: _Place, outer: float, pixels: float) -> None:
    """Draw three legs and the ledge that the frame stands on."""
    thick = max(0.013 * pixels, 1.5)
    half_wide = max(place.width / 2 + outer, 0.09 * pixels)
    ledge = place.height / 2 + outer + thick / 2
    ground = _FEET * pixels - place.top - place.height / 2
    top = -place.height / 2 - outer - 0.025 * pixels
    lean = min(half_wide * 0.8, 0.16 * pixels)
    canvas.bar((0, top), (0.03 * pixels, ground - 0.04 * pixels), thick, 0.62)
    for side in (-1, 1):
        canvas.bar((side * 0.18 * lean, top), (side * lean, ground), thick, 0.92 - 0.12 * side)
    canvas.bar((-half_wide, ledge), (half_wide, ledge), thick * 1.3, 1.1)
