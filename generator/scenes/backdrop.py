"""What is behind the things: a room, the open, or space. Painted once, then only looked at."""

import numpy as np
from numpy.typing import NDArray

from generator.scenes.drawing import PAINT
from generator.scenes.hanging import hang
from generator.scenes.scene import Colour, Scene, Setting
from generator.scenes.sprite import Floats
from generator.scenes.view import HORIZON, MIDDLE, View


def paint(
    scene: Scene, view: View, seed: int, *, hung: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Return the backdrop: shape (height, width + 2 margins, 3).

    Args:
        hung: a picture that hangs or stands in the scene: shape (height, width, 3), any size.
    """
    # Painted as (3, height, width): numpy is several times slower along an axis of three.
    rng = np.random.default_rng((seed, 3))
    wide = view.width + 2 * view.margin
    # Units of the picture's height, nought at the middle and at the top.
    columns = np.arange(wide, dtype=np.float32)[None, :]
    rows = np.arange(view.height, dtype=np.float32)[:, None]
    x: Floats = (columns + np.float32(0.5 - wide / 2)) / np.float32(view.height)
    y: Floats = (rows + np.float32(0.5)) / np.float32(view.height)
    pixel = 1 / view.height
    picture = _painted(x, y, pixel, scene, rng)
    if hung is not None:
        hang(picture, hung, scene.setting, view)
    half = wide / view.height / 2
    picture *= 1.03 - 0.15 * ((x / half) ** 2 * 0.5 + (2 * y - 1) ** 2 * 0.5)
    # Half a level of noise: eight bits would show bands in gradients as soft as these.
    picture += rng.random((view.height, wide), dtype=np.float32)
    return np.stack(list(np.clip(picture, 0, 255).astype(np.uint8)), axis=2)


def _painted(x: Floats, y: Floats, pixel: float, scene: Scene, rng: np.random.Generator) -> Floats:
    match scene.setting:
        case Setting.ROOM:
            return _room(x, y, pixel, scene)
        case Setting.OUTDOORS:
            return _outdoors(x, y, pixel, scene, rng)
        case Setting.SPACE:
            return _space(x, y, pixel, scene, rng)


def floor_tint(scene: Scene) -> Floats:
    """Return the colour that the floor throws back at what stands on it."""
    return _mixed(scene.floor, (128, 124, 120), 0.15)[:, 0, 0] * np.float32(0.9)


def _plane(red: float, green: float, blue: float) -> Floats:
    """Return a colour that spreads over a picture in planes: shape (3, 1, 1)."""
    return np.array([red, green, blue], dtype=np.float32)[:, None, None]


def _mixed(colour: Colour, other: tuple[int, int, int], share: float) -> Floats:
    base = _plane(*PAINT[colour])
    return np.asarray(base + (_plane(*other) - base) * np.float32(share), dtype=np.float32)


def _glow(x: Floats, y: Floats, at: tuple[float, float], size: tuple[float, float]) -> Floats:
    """Return a soft blob, 1 in its middle."""
    across = np.exp(-(((x - at[0]) / size[0]) ** 2))
    return np.asarray(across * np.exp(-(((y - at[1]) / size[1]) ** 2)), dtype=np.float32)


def _room(x: Floats, y: Floats, pixel: float, scene: Scene) -> Floats:
    wall = _mixed(scene.wall, (242, 238, 230), 0.42)
    ground = _mixed(scene.floor, (150, 140, 130), 0.10)
    light = 0.80 + 0.26 * _glow(x, y, (-0.38, 0.18), (0.85, 0.62)) - 0.04 * np.maximum(x, 0)
    light = light * (1 - 0.10 * np.exp(-((HORIZON - y) / 0.05)))
    picture = wall * light
    # The skirting board, a little lighter than the wall, with a line of light on its upper edge.
    thin = max(0.003, pixel)
    low = _rows(y, HORIZON - 0.026 - 4 * thin, HORIZON + pixel)
    board = np.clip((y[low] - (HORIZON - 0.026)) / pixel + 0.5, 0, 1)
    rim = np.exp(-(((y[low] - (HORIZON - 0.025)) / thin) ** 2))
    picture[:, low] += (board * 0.42 + rim * 0.22) * (250 - picture[:, low])
    low = _rows(y, HORIZON - pixel, 1)
    y, near = y[low], picture[:, low]
    far = np.maximum(y - HORIZON, 0) / (1 - HORIZON)
    shine = 0.74 + 0.26 * far + 0.24 * _glow(x, y, (-0.22, 0.86), (0.62, 0.16))
    shine = shine * (1 - 0.32 * np.exp(-np.maximum(y - HORIZON, 0) / 0.022))
    spread = np.maximum(y - HORIZON + 0.30, 0.05)
    across = x / spread / 0.34
    gap = np.abs(across - np.round(across)) * 0.34 * spread / pixel
    shine = shine * (1 - 0.13 * np.clip(1.3 - gap, 0, 1))
    below = np.clip((y - HORIZON) / pixel + 0.5, 0, 1)
    near += below * (ground * shine - near)
    return np.asarray(picture, dtype=np.float32)


def _outdoors(x: Floats, y: Floats, pixel: float, scene: Scene, rng: np.random.Generator) -> Floats:
    top = _mixed(scene.wall, (210, 226, 244), 0.22)
    pale = _mixed(scene.wall, (255, 246, 230), 0.78)
    if scene.raining:
        top = _mixed(scene.wall, (128, 136, 148), 0.72)
        pale = _mixed(scene.wall, (206, 210, 214), 0.82)
    down = np.clip(y / HORIZON, 0, 1) ** 0.8
    picture = top + (pale - top) * down + np.zeros_like(x)
    sun = _glow(x, y, (-0.42, 0.16), (0.42, 0.36))
    picture += (sun * 0.5) * (_plane(255, 250, 232) - picture)
    high = y[: len(y) // 2]  # no cloud reaches further down
    sky = picture[:, : len(high)]
    sky += ((1 - np.exp(-_clouds(x, high, rng))) * 0.9) * (_plane(255, 253, 250) - sky)
    ground = _mixed(scene.floor, (170, 160, 120), 0.06)
    for height, haze, rough in ((0.105, 0.62, 2.1), (0.045, 0.34, 3.7)):
        hill = ground * 0.80 + ((pale + top) / 2 - ground * 0.80) * haze
        rows = _rows(y, HORIZON - height - pixel, HORIZON + pixel)
        deep = y[rows] - _ridge(x, height, rough, rng)
        inside = np.clip(deep / pixel + 0.5, 0, 1)
        picture[:, rows] += inside * (hill * (1.02 - 0.5 * np.maximum(deep, 0)) - picture[:, rows])
    grain = rng.standard_normal(picture.shape[1:], dtype=np.float32)
    grain += np.roll(grain, 1, 1) + np.roll(grain, 1, 0)
    rows = _rows(y, HORIZON - pixel, 1)
    far = np.maximum(y[rows] - HORIZON, 0) / (1 - HORIZON)
    lit = 0.86 + 0.16 * far + 0.16 * _glow(x, y[rows], (-0.2, 0.84), (0.7, 0.14))
    lit += 0.030 * (0.3 + far) * grain[rows] / 1.7
    near = ground + (pale - ground) * (0.30 * np.exp(-far * 5))
    inside = np.clip((y[rows] - HORIZON) / pixel + 0.5, 0, 1)
    picture[:, rows] += inside * (near * lit - picture[:, rows])
    return np.asarray(picture, dtype=np.float32)


def _rows(y: Floats, first: float, last: float) -> slice:
    """Return the rows between two heights."""
    return slice(*(int(row) for row in np.searchsorted(y[:, 0], (first, last))))


def _clouds(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Return how thick the clouds are."""
    puffs = []
    for _ in range(3):
        at = (float(rng.uniform(-0.8, 0.8)), float(rng.uniform(0.12, 0.36)))
        for offset in rng.uniform(-1, 1, 5):
            # Flat below and domed above: puffs in the middle are taller.
            tall = 0.020 + 0.032 * (1 - abs(offset))
            wide = rng.uniform(0.05, 0.085)
            puffs.append((at[0] + 0.16 * offset, at[1] - 0.7 * tall, wide, tall))
    column, row, wide, tall = np.array(puffs, dtype=np.float32).T
    across = np.exp(-(((x.T - column) / wide) ** 2))
    down = np.exp(-(((y - row) / tall) ** 2))
    return np.asarray(np.float32(0.62) * down @ across.T, dtype=np.float32)


def _ridge(x: Floats, height: float, rough: float, rng: np.random.Generator) -> Floats:
    """Return the upper edge of a chain of hills that reach up to `height` above the horizon."""
    first, second, _ = (float(phase) for phase in rng.uniform(0, 6.28, 3))
    waves: Floats = 0.3 * np.sin(rough * x + first) + 0.15 * np.sin(2.3 * rough * x + second)
    return HORIZON - height * (0.55 + waves)


def _space(x: Floats, y: Floats, pixel: float, scene: Scene, rng: np.random.Generator) -> Floats:
    night = _plane(12, 14, 30)
    tint = _mixed(scene.wall, (40, 30, 70), 0.35)
    picture = night * (1.25 - 0.5 * y) + np.zeros_like(x)
    for _ in range(5):
        at = (float(rng.uniform(-0.9, 0.9)), float(rng.uniform(0.05, 0.95)))
        size = (float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.12, 0.3)))
        picture += (0.16 * _glow(x, y, at, size)) * tint
    tall, wide = picture.shape[1:]
    for _ in range(int(90 * wide / tall)):
        row, column = int(rng.integers(1, tall - 1)), int(rng.integers(1, wide - 1))
        bright = float(rng.uniform(25, 200)) * float(rng.random())
        picture[:, row, column] += bright
        picture[:, row - 1 : row + 2, column] += bright * 0.25
        picture[:, row, column - 1 : column + 2] += bright * 0.25
    away = np.sqrt(x**2 + (y - MIDDLE) ** 2)
    halo = 0.75 * np.exp(-away / 0.07) + 0.30 * np.exp(-away / 0.22)
    picture += halo * _plane(255, 176, 84)
    disc = np.clip((SUN_RADIUS - away) / pixel + 0.5, 0, 1)
    rim = np.sqrt(np.maximum(1 - (away / SUN_RADIUS) ** 2, 0))
    face = _plane(255, 190, 82) + rim * _plane(0, 48, 110)
    picture += disc * (face - picture)
    return picture


SUN_RADIUS = 0.085  # of the picture's height
