"""Anti-aliased shapes: for many pictures at once, and only where they are.

A sprite is a stack of patches, one for each picture: colours (n, h, w, 3), 0 to 255, and coverage
(n, h, w), 0 to 1. Light falls from the upper left and from the front.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.scenes.scene import Colour, Material

Floats = NDArray[np.float32]

PAINT: dict[Colour, tuple[int, int, int]] = {
    Colour.RED: (214, 48, 44),
    Colour.ORANGE: (240, 138, 36),
    Colour.YELLOW: (247, 202, 62),
    Colour.GREEN: (74, 160, 78),
    Colour.TURQUOISE: (52, 178, 178),
    Colour.BLUE: (52, 110, 206),
    Colour.PURPLE: (132, 82, 186),
    Colour.PINK: (238, 126, 166),
    Colour.BROWN: (146, 98, 62),
    Colour.WHITE: (240, 238, 232),
    Colour.GREY: (146, 150, 156),
    Colour.BLACK: (38, 38, 44),
}
_LIGHT = np.array([-0.48, -0.66, 0.58], dtype=np.float32)
_HALF_WAY = (_LIGHT + np.array([0, 0, 1], dtype=np.float32)) / np.sqrt(
    2 + 2 * _LIGHT[2], dtype=np.float32
)


@dataclass(frozen=True, slots=True)
class Sprite:
    """Patches and the pixel of each one's upper left corner: left and top, shape (n,)."""

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    colour: Floats
    cover: Floats


@dataclass(frozen=True, slots=True)
class Patch:
    """Pixel centres around a point: dx (n, 1, w) and dy (n, h, 1), in pixels."""

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    dx: Floats
    dy: Floats


def patch(centres: NDArray[np.float64], half_width: float, half_height: float) -> Patch:
    """Return the pixels within the half sizes of `centres`, shape (n, 2), and a margin of one."""
    wide, tall = 2 * int(np.ceil(half_width)) + 4, 2 * int(np.ceil(half_height)) + 4
    left = np.floor(centres[:, 0]).astype(np.int64) - wide // 2
    top = np.floor(centres[:, 1]).astype(np.int64) - tall // 2
    across = np.arange(wide) + 0.5 + (left - centres[:, 0])[:, None]
    down = np.arange(tall) + 0.5 + (top - centres[:, 1])[:, None]
    return Patch(
        left, top, across[:, None, :].astype(np.float32), down[:, :, None].astype(np.float32)
    )


def over(frame: NDArray[np.uint8], sprite: Sprite, index: int) -> None:
    """Lay patch `index` of `sprite` over `frame`, as far as it lies inside."""
    left, top = int(sprite.left[index]), int(sprite.top[index])
    tall, wide = sprite.cover.shape[1:]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + wide, frame.shape[1]), min(top + tall, frame.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    cut = (index, slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    under = frame[y0:y1, x0:x1].astype(np.float32)
    under += (sprite.colour[cut] - under) * sprite.cover[cut][..., None]
    frame[y0:y1, x0:x1] = under + 0.5


def ball(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    turns: NDArray[np.float64],
    *,
    paint: Colour,
    material: Material,
    floor: NDArray[np.float32],
) -> Sprite:
    """Return shaded spheres; `turns` shows on a stripe or the grain, in radians."""
    area = patch(centres, float(radii.max()), float(radii.max()))
    radius = np.maximum(radii, 1e-3).astype(np.float32)[:, None, None]
    nx, ny = area.dx / radius, area.dy / radius
    square = nx * nx + ny * ny
    cover = np.clip((1 - np.sqrt(square)) * radius + 0.5, 0, 1)
    nz = np.sqrt(np.maximum(1 - square, 0))
    base = _turned(nx, ny, turns, np.array(PAINT[paint], dtype=np.float32), material)
    lit = np.maximum(_LIGHT[0] * nx + _LIGHT[1] * ny + _LIGHT[2] * nz, 0)
    shade = 0.42 + 0.70 * lit
    shade = shade * (0.80 + 0.20 * nz)
    gloss = np.clip(_HALF_WAY[0] * nx + _HALF_WAY[1] * ny + _HALF_WAY[2] * nz, 0, 1)
    below = np.maximum(ny, 0) * (0.22 if material is Material.RUBBER else 0.4) * (1 - nz * 0.6)
    if material is Material.METAL:
        # What a polished ball mirrors: bright above, a dark band at the horizon, floor below.
        mirrored = (
            0.72 + 0.5 * np.tanh(-4 * (ny + 0.05)) * -ny - 0.42 * np.exp(-((ny - 0.12) ** 2) * 60)
        )
        shade = 0.45 * shade + 0.55 * (mirrored + 0.3 * lit)
    colour = base * shade[..., None] + floor * below[..., None]
    colour += (255.0 * _highlight(gloss, material))[..., None]
    if material is Material.GLASS:
        cover = cover * (
            0.42 + 0.5 * np.maximum(1 - nz, 0) ** 1.4 + 0.5 * _highlight(gloss, material)
        )
    return Sprite(
        area.left, area.top, np.clip(colour, 0, 255), np.minimum(cover, 1).astype(np.float32)
    )


def _highlight(gloss: Floats, material: Material) -> Floats:
    # Powers of two by squaring: numpy's power takes ten times as long.
    four: Floats = np.square(np.square(gloss))
    sixteen: Floats = np.square(np.square(four))
    sixty_four: Floats = np.square(np.square(sixteen))
    match material:
        case Material.RUBBER:
            return np.float32(0.26) * sixteen + np.float32(0.10) * four
        case Material.WOOD:
            return np.float32(0.12) * four * four
        case Material.METAL:
            return np.float32(0.85) * sixty_four + np.float32(0.22) * four * four
        case Material.GLASS:
            return np.float32(0.95) * sixty_four + np.float32(0.16) * four


def _turned(
    nx: Floats,
    ny: Floats,
    turns: NDArray[np.float64],
    base: NDArray[np.float32],
    material: Material,
) -> Floats:
    """Return the ball's own colour with what shows that it turns."""
    cos = np.cos(turns).astype(np.float32)[:, None, None]
    sin = np.sin(turns).astype(np.float32)[:, None, None]
    u, v = nx * cos + ny * sin, ny * cos - nx * sin
    if material is Material.WOOD:
        grain = 1 + 0.10 * np.sin(15 * v + 3 * np.sin(2.2 * u))
        return np.asarray(base * grain[..., None], dtype=np.float32)
    if material is not Material.RUBBER:
        return np.broadcast_to(base, (*u.shape, 3))
    lighter = base + (255 - base) * np.float32(0.55)
    stripe = np.clip((0.17 - np.abs(u + 0.25 * (1 - v * v) - 0.12)) * 14, 0, 1)[..., None]
    return np.asarray(base + (lighter - base) * stripe, dtype=np.float32)


def box(
    centres: NDArray[np.float64], radii: NDArray[np.float64], *, paint: Colour, material: Material
) -> Sprite:
    """Return boxes with a lit top and a shaded right side; `radii` are half an edge, in pixels."""
    side = radii.astype(np.float32)[:, None, None]
    depth = 0.55 * side
    area = patch(centres, float(radii.max()) * 1.6, float(radii.max()) * 1.6)
    x, y = area.dx, area.dy
    front = _inside(x + side, side - x, y + side, side - y)
    # Receding edges go up to the right at 38 degrees: both faces are sheared squares.
    rise = np.float32(0.78)
    back = (-side - y) / rise
    top = _inside(x + side - back, side - x + back, -side - y, y + side + depth * rise)
    out = x - side
    right = _inside(out, depth - out, y + side + out * rise, side - y - out * rise)
    base = np.array(PAINT[paint], dtype=np.float32)
    fade = 0.98 - 0.20 * np.clip((y + side) / (2 * side), 0, 1) + 0.05 * np.clip(-x / side, -1, 1)
    if material is Material.WOOD:
        fade = fade * (1 + 0.05 * np.sin(9 * y / side + 1.5 * np.sin(2 * x / side)))
        fade = fade * (1 - 0.25 * np.exp(-((np.mod(y / side + 1.01, 0.66) - 0.33) ** 2) * 900))
    if material is Material.METAL:
        fade = fade + 0.22 * np.exp(-(((x + 0.7 * y) / side + 0.3) ** 2) * 5)
    edge = 0.12 * np.exp(-np.minimum(np.abs(x + side), np.abs(y + side)) / (0.05 * side + 0.4))
    total = np.maximum(front + top + right, 1e-3)
    light = (front * (fade + edge) + top * 1.22 + right * (0.60 + 0.08 * (1 - out / depth))) / total
    colour = np.clip(base * light[..., None], 0, 255) + 14 * (top / total)[..., None]
    return Sprite(area.left, area.top, np.clip(colour, 0, 255), np.minimum(front + top + right, 1))


def _inside(*distances: Floats) -> Floats:
    """Return how much of a pixel is inside all edges, given how far inside each it lies."""
    cover = np.minimum(distances[0], distances[1])
    for distance in distances[2:]:
        cover = np.minimum(cover, distance)
    return np.clip(cover + 0.5, 0, 1)


def leaf(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    turns: NDArray[np.float64],
    *,
    paint: Colour,
) -> Sprite:
    """Return pointed leaves with a midrib, tilted by `turns`, flatter the less they tilt."""
    area = patch(centres, float(radii.max()) * 1.3, float(radii.max()) * 1.3)
    radius = np.maximum(radii, 1e-3).astype(np.float32)[:, None, None]
    angle = turns.astype(np.float32)[:, None, None] * 0.8 + np.float32(0.25)
    u = (area.dx * np.cos(angle) + area.dy * np.sin(angle)) / radius
    v = (area.dy * np.cos(angle) - area.dx * np.sin(angle)) / radius
    open_by = 0.34 + 0.26 * np.abs(turns).astype(np.float32)[:, None, None]
    along = np.clip((u + 1) / 2, 0, 1)
    width = open_by * np.sin(np.pi * along**0.8) * (1 - 0.35 * along)
    cover = np.clip((width - np.abs(v)) * radius + 0.5, 0, 1) * (np.abs(u) < 1)
    stalk = np.clip((0.035 - np.abs(v)) * radius + 0.5, 0, 1) * ((u > -1.25) & (u < 0.95))
    base = np.array(PAINT[paint], dtype=np.float32)
    light = (
        0.92 + 0.30 * np.clip(-v / (open_by + 0.01), -1, 1) + 0.08 * np.sin(14 * (u - np.abs(v)))
    )
    light = light * (1 - 0.38 * np.clip(stalk, 0, 1))
    return Sprite(
        area.left,
        area.top,
        np.clip(base * light[..., None], 0, 255),
        np.maximum(cover, stalk).astype(np.float32),
    )


def shade(
    centres: NDArray[np.float64],
    half_widths: NDArray[np.float64],
    strengths: NDArray[np.float64],
    *,
    tint: tuple[int, int, int] = (22, 20, 34),
) -> Sprite:
    """Return soft flat shadows or puddles: ellipses three times as wide as deep."""
    wide = float(half_widths.max())
    area = patch(centres, wide, wide * 0.36)
    half = np.maximum(half_widths, 0.5).astype(np.float32)[:, None, None]
    square = (area.dx / half) ** 2 + (area.dy / (0.34 * half)) ** 2
    cover = np.maximum(1 - square, 0) ** 1.3 * strengths.astype(np.float32)[:, None, None]
    dark = np.broadcast_to(np.array(tint, dtype=np.float32), (*cover.shape, 3))
    return Sprite(area.left, area.top, dark, cover)


def ring(
    centres: NDArray[np.float64],
    half_widths: NDArray[np.float64],
    strengths: NDArray[np.float64],
    thick: float,
) -> Sprite:
    """Return flat bright rings, as on water; `thick` in pixels."""
    wide = float(half_widths.max()) + thick
    area = patch(centres, wide, wide * 0.36 + thick)
    radius = np.sqrt(area.dx**2 + (area.dy / 0.34) ** 2)
    away = np.abs(radius - half_widths.astype(np.float32)[:, None, None])
    near = np.clip(1 - away / (2 * thick), 0, 1)
    cover = near * strengths.astype(np.float32)[:, None, None]
    bright = np.broadcast_to(np.array([232, 244, 252], dtype=np.float32), (*cover.shape, 3))
    return Sprite(area.left, area.top, bright, cover.astype(np.float32))


def rod(start: tuple[float, float], end: tuple[float, float], thick: float) -> Sprite:
    """Return one straight rod between two points of a picture, `thick` pixels wide."""
    a, b = np.array(start), np.array(end)
    middle = (a + b) / 2
    half = np.abs(b - a) / 2 + thick
    area = patch(middle[None], float(half[0]), float(half[1]))
    along = (b - a).astype(np.float32)
    length = float(np.hypot(*along))
    dx, dy = area.dx + np.float32(middle[0] - a[0]), area.dy + np.float32(middle[1] - a[1])
    way = np.clip((dx * along[0] + dy * along[1]) / length**2, 0, 1)
    away = np.hypot(dx - way * along[0], dy - way * along[1])
    cover = np.clip(thick / 2 - away + 0.5, 0, 1)
    side = (dx * along[1] - dy * along[0]) / length / max(thick, 1.0)
    colour = np.array([96, 92, 92], dtype=np.float32) + 70 * np.clip(side, -0.5, 0.5)[..., None]
    return Sprite(
        area.left, area.top, np.clip(colour, 0, 255).astype(np.float32), cover.astype(np.float32)
    )
