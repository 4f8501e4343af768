"""What is behind the things: a room, the open, or space. Painted once, then only looked at."""

import numpy as np
from numpy.typing import NDArray

from generator.scenes.drawing import PAINT, Floats
from generator.scenes.scene import Colour, Scene, Setting
from generator.scenes.view import HORIZON, MIDDLE, View


def paint(scene: Scene, view: View, seed: int) -> NDArray[np.uint8]:
    """Return the backdrop: shape (height, width + 2 margins, 3)."""
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
    half = wide / view.height / 2
    picture *= 1.03 - 0.15 * ((x / half) ** 2 * 0.5 + (2 * y - 1) ** 2 * 0.5)
    # Half a level of noise: eight bits would show bands in gradients as soft as these.
    picture += rng.random((view.height, wide), dtype=np.float32)
    return np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8).transpose(1, 2, 0))


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
    board = np.clip((y - (HORIZON - 0.026)) / pixel + 0.5, 0, 1)
    rim = np.exp(-(((y - (HORIZON - 0.025)) / max(0.003, pixel)) ** 2))
    picture += (board * 0.42 + rim * 0.22) * (250 - picture)
    far = np.maximum(y - HORIZON, 0) / (1 - HORIZON)
    shine = 0.74 + 0.26 * far + 0.24 * _glow(x, y, (-0.22, 0.86), (0.62, 0.16))
    shine = shine * (1 - 0.32 * np.exp(-np.maximum(y - HORIZON, 0) / 0.022))
    spread = np.maximum(y - HORIZON + 0.30, 0.05)
    across = x / spread / 0.34
    gap = np.abs(across - np.round(across)) * 0.34 * spread / pixel
    shine = shine * (1 - 0.13 * np.clip(1.3 - gap, 0, 1))
    below = np.clip((y - HORIZON) / pixel + 0.5, 0, 1)
    return np.asarray(picture + below * (ground * shine - picture), dtype=np.float32)


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
    cloud = np.zeros(np.broadcast_shapes(x.shape, high.shape), dtype=np.float32)
    for _ in range(3):
        at = (float(rng.uniform(-0.8, 0.8)), float(rng.uniform(0.12, 0.36)))
        for offset in rng.uniform(-1, 1, 5):
            # Flat below and domed above: puffs in the middle are taller.
            tall = 0.020 + 0.032 * (1 - abs(float(offset)))
            puff = (at[0] + 0.16 * float(offset), at[1] - 0.7 * tall)
            cloud += 0.62 * _glow(x, high, puff, (float(rng.uniform(0.05, 0.085)), tall))
    sky = picture[:, : len(high)]
    sky += ((1 - np.exp(-cloud)) * 0.9) * (_plane(255, 253, 250) - sky)
    ground = _mixed(scene.floor, (170, 160, 120), 0.06)
    air = (pale + top) / 2
    for height, haze, rough in ((0.105, 0.62, 2.1), (0.045, 0.34, 3.7)):
        phase = rng.uniform(0, 6.28, 3)
        ridge = HORIZON - height * (
            0.55 + 0.3 * np.sin(rough * x + phase[0]) + 0.15 * np.sin(2.3 * rough * x + phase[1])
        )
        hill = ground * np.float32(0.80) + (air - ground * np.float32(0.80)) * np.float32(haze)
        inside = np.clip((y - ridge) / pixel + 0.5, 0, 1)
        picture += inside * (hill * (1.02 - 0.5 * np.maximum(y - ridge, 0)) - picture)
    far = np.maximum(y - HORIZON, 0) / (1 - HORIZON)
    lit = 0.86 + 0.16 * far + 0.16 * _glow(x, y, (-0.2, 0.84), (0.7, 0.14))
    grain = rng.standard_normal(lit.shape, dtype=np.float32)
    lit = lit + 0.030 * (0.3 + far) * (grain + np.roll(grain, 1, 1) + np.roll(grain, 1, 0)) / 1.7
    near = ground + (pale - ground) * (0.30 * np.exp(-far * 5))
    inside = np.clip((y - HORIZON) / pixel + 0.5, 0, 1)
    picture += inside * (near * lit - picture)
    return np.asarray(picture, dtype=np.float32)


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
    away = np.hypot(x, y - MIDDLE)
    halo = 0.75 * np.exp(-away / 0.07) + 0.30 * np.exp(-away / 0.22)
    picture += halo * _plane(255, 176, 84)
    disc = np.clip((SUN_RADIUS - away) / pixel + 0.5, 0, 1)
    rim = np.sqrt(np.maximum(1 - (away / SUN_RADIUS) ** 2, 0))
    face = _plane(255, 190, 82) + rim * _plane(0, 48, 110)
    picture += disc * (face - picture)
    return picture


SUN_RADIUS = 0.085  # of the picture's height
