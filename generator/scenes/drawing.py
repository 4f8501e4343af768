"""Anti-aliased shapes: for many pictures at once, and only where they are.

Light falls from the upper left and from the front.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.scenes.scene import Colour, Material
from generator.scenes.sprite import Floats, Sprite, planes

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
class Patch:
    """Pixel centres around a point: dx (n, 1, w) and dy (n, h, 1), in pixels."""

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    dx: Floats
    dy: Floats


def patch(centres: NDArray[np.float64], half_width: float, half_height: float) -> Patch:
    """Return the pixels within the half sizes of `centres`, (n, 2), and half a pixel more."""
    wide, tall = 2 * int(np.ceil(half_width)) + 2, 2 * int(np.ceil(half_height)) + 2
    left = np.floor(centres[:, 0]).astype(np.int64) - wide // 2
    top = np.floor(centres[:, 1]).astype(np.int64) - tall // 2
    across = np.arange(wide) + 0.5 + (left - centres[:, 0])[:, None]
    down = np.arange(tall) + 0.5 + (top - centres[:, 1])[:, None]
    return Patch(
        left, top, across[:, None, :].astype(np.float32), down[:, :, None].astype(np.float32)
    )


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
    highlight = _highlight(gloss, material)
    white = _whiter(nx, ny, turns) if material is Material.RUBBER else np.float32(0)
    if material is Material.WOOD:
        shade = shade * _grain(nx, ny, turns)
    colour = planes(PAINT[paint]) * (shade * (1 - white)) + 255 * (shade * white + highlight)
    colour += planes(floor) * below
    if material is Material.GLASS:
        cover = cover * (0.42 + 0.5 * np.maximum(1 - nz, 0) ** 1.4 + 0.5 * highlight)
    return Sprite(area.left, area.top, np.clip(colour, 0, 255), np.minimum(cover, 1))


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


def _turned(nx: Floats, ny: Floats, turns: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Return coordinates that turn with the ball."""
    cos = np.cos(turns).astype(np.float32)[:, None, None]
    sin = np.sin(turns).astype(np.float32)[:, None, None]
    return nx * cos + ny * sin, ny * cos - nx * sin


def _grain(nx: Floats, ny: Floats, turns: NDArray[np.float64]) -> Floats:
    u, v = _turned(nx, ny, turns)
    grain: Floats = 1 + 0.10 * np.sin(15 * v + 3 * np.sin(2.2 * u))
    return grain


def _whiter(nx: Floats, ny: Floats, turns: NDArray[np.float64]) -> Floats:
    """Return how much white there is in a ball's paint: it has one paler stripe."""
    u, v = _turned(nx, ny, turns)
    stripe: Floats = np.clip((0.17 - np.abs(u + 0.25 * (1 - v * v) - 0.12)) * 14, 0, 1)
    return stripe * np.float32(0.55)


def box(
    centres: NDArray[np.float64], radii: NDArray[np.float64], *, paint: Colour, material: Material
) -> Sprite:
    """Return boxes with a lit top and a shaded right side; `radii` are half an edge, in pixels."""
    side = radii.astype(np.float32)[:, None, None]
    depth = 0.55 * side
    widest = float(radii.max())
    # The receding faces reach further right and up than the front reaches left and down.
    middle = centres + radii[:, None] * (0.275, -0.215)
    area = patch(middle, 1.275 * widest + 0.5, 1.215 * widest + 0.5)
    x, y = area.dx + np.float32(0.275) * side, area.dy - np.float32(0.215) * side
    front = _inside(side - np.abs(x), side - np.abs(y))
    # Receding edges go up to the right at 38 degrees: both faces are sheared squares.
    rise = np.float32(0.78)
    back = (-side - y) / rise
    top = _inside(np.minimum(-side - y, y + side + depth * rise), side - np.abs(x - back))
    out = x - side
    right = _inside(np.minimum(out, depth - out), side - np.abs(y + out * rise))
    fade = 0.98 - 0.20 * np.clip((y + side) / (2 * side), 0, 1) + 0.05 * np.clip(-x / side, -1, 1)
    if material is Material.WOOD:
        fade = fade * (1 + 0.05 * np.sin(9 * y / side + 1.5 * np.sin(2 * x / side)))
        fade = fade * (1 - 0.25 * np.exp(-((np.mod(y / side + 1.01, 0.66) - 0.33) ** 2) * 900))
    if material is Material.METAL:
        fade = fade + 0.22 * np.exp(-(((x + 0.7 * y) / side + 0.3) ** 2) * 5)
    near = 0.05 * side + 0.4
    edge = 0.12 * np.maximum(np.exp(-np.abs(x + side) / near), np.exp(-np.abs(y + side) / near))
    total = np.maximum(front + top + right, 1e-3)
    light = (front * (fade + edge) + top * 1.22 + right * (0.60 + 0.08 * (1 - out / depth))) / total
    colour = np.minimum(planes(PAINT[paint]) * light, 255) + 14 * (top / total)
    return Sprite(area.left, area.top, np.minimum(colour, 255), np.minimum(front + top + right, 1))


def _inside(across: Floats, along: Floats) -> Floats:
    """Return how much of a pixel is inside both pairs of edges, given how far inside it lies."""
    return np.clip(np.minimum(across, along) + 0.5, 0, 1)


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
    light = (
        0.92 + 0.30 * np.clip(-v / (open_by + 0.01), -1, 1) + 0.08 * np.sin(14 * (u - np.abs(v)))
    )
    light = light * (1 - 0.38 * np.clip(stalk, 0, 1))
    return Sprite(
        area.left,
        area.top,
        np.clip(planes(PAINT[paint]) * light, 0, 255),
        np.maximum(cover, stalk),
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
    return Sprite(area.left, area.top, planes(tint), cover)


def ring(
    centres: NDArray[np.float64],
    half_widths: NDArray[np.float64],
    strengths: NDArray[np.float64],
    thick: float,
) -> Sprite:
    """Return flat bright rings, as on water; `thick` in pixels."""
    wide = float(half_widths.max()) + 2 * thick
    area = patch(centres, wide, wide * 0.36)
    radius = np.sqrt(area.dx**2 + (area.dy / 0.34) ** 2)
    away = np.abs(radius - half_widths.astype(np.float32)[:, None, None])
    near = np.clip(1 - away / (2 * thick), 0, 1)
    cover = np.asarray(near * strengths.astype(np.float32)[:, None, None], dtype=np.float32)
    return Sprite(area.left, area.top, planes((232, 244, 252)), cover)


def rod(starts: NDArray[np.float64], ends: NDArray[np.float64], thick: float) -> Sprite:
    """Return straight rods, `thick` pixels wide, between points of a picture, shape (n, 2)."""
    middles, half = (starts + ends) / 2, np.abs(ends - starts).max(axis=0) / 2 + thick
    area = patch(middles, float(half[0]), float(half[1]))
    across, down = (ends - starts).astype(np.float32).T[:, :, None, None]
    square = across**2 + down**2
    way = np.clip((area.dx * across + area.dy * down) / square, -0.5, 0.5)
    away = np.sqrt((area.dx - way * across) ** 2 + (area.dy - way * down) ** 2)
    cover = np.clip(thick / 2 - away + 0.5, 0, 1)
    side = (area.dx * down - area.dy * across) / (np.sqrt(square) * max(thick, 1.0))
    return Sprite(area.left, area.top, planes((96, 92, 92)) + 70 * np.clip(side, -0.5, 0.5), cover)
