"""The frames of a scene, block by block: backdrop, shadows, things from far to near, rain."""

import numpy as np
from numpy.typing import NDArray

from generator.scenes import backdrop, camera, drawing
from generator.scenes.ballistics import Struck
from generator.scenes.paths import Drip, Poses, Swing
from generator.scenes.physics import Truth, radius_m
from generator.scenes.scene import Camera, Material, Scene, Setting, Shape, Thing
from generator.scenes.sprite import Sprite, lay, stamp
from generator.scenes.view import MIDDLE, View

_RIPPLE_S, _SPLASH_S, _STREAK_M = 0.7, 0.16, 0.11


class Picture:
    """Draws any block of frames of one scene; the backdrop is painted once.

    Args:
        hung: a picture to be seen in the scene, as in `Shot.first_frame`.
    """

    def __init__(
        self, scene: Scene, view: View, truth: Truth, seed: int,
        *, hung: NDArray[np.uint8] | None = None,
    ) -> None:  # fmt: skip
        self._scene, self._view, self._truth = scene, view, truth
        self._backdrop = backdrop.paint(scene, view, seed, hung=hung)
        self._floor = backdrop.floor_tint(scene)
        if scene.camera is Camera.STATIC:
            self._fixtures(self._backdrop[None], np.zeros(1))
        else:
            self._fixed: camera.Fixed = self._backdrop.astype(np.uint16)

    def draw(self, frames: NDArray[np.uint8], first: int) -> None:
        """Fill `frames`, shape (n, height, width, 3), with the pictures from number `first` on."""
        block = slice(first, first + len(frames))
        times = self._truth.times[block]
        self._behind(frames, times)
        if self._scene.camera is not Camera.STATIC:
            self._fixtures(frames, times)
        for thing, poses, depth in zip(
            self._scene.things, self._truth.poses, self._truth.depths, strict=True
        ):
            if self._scene.setting is not Setting.SPACE and thing.shape is not Shape.DROP:
                lay(frames, self._shadow(thing, _cut(poses, block), depth, times))
        self._ripples(frames, times)
        for index in range(len(self._scene.things)):
            self._thing(frames, index, block)
        if self._truth.rain is not None:
            self._rain(frames, times)

    def _behind(self, frames: NDArray[np.uint8], times: NDArray[np.float64]) -> None:
        if self._scene.camera is Camera.STATIC:
            frames[:] = self._backdrop
            return
        wide, tall = frames.shape[2], frames.shape[1]
        if self._scene.camera is Camera.PAN:
            for frame, shift in zip(frames, self._view.shift(times), strict=True):
                frame[:] = camera.shifted(self._fixed, self._view.margin + float(shift), wide)
            return
        across, down = np.arange(wide) + 0.5 - wide / 2, np.arange(tall) + 0.5 - MIDDLE * tall
        for frame, zoom in zip(frames, self._view.zoom(times), strict=True):
            columns, rows = across / zoom + wide / 2 - 0.5, down / zoom + MIDDLE * tall - 0.5
            frame[:] = camera.sampled(self._fixed, columns, rows)

    def _radii(self, thing: Thing, poses: Poses, times: NDArray[np.float64]) -> NDArray[np.float64]:
        metres = radius_m(thing) * (0.62 if self._scene.setting is Setting.SPACE else 1.0)
        return metres * self._view.pixels_per_m * poses.grow * self._view.zoom(times)

    def _shadow(
        self, thing: Thing, poses: Poses, depth: float, times: NDArray[np.float64]
    ) -> Sprite:
        radius = radius_m(thing)
        above = np.maximum(poses.y - (0 if thing.shape is Shape.LEAF else radius), 0)
        centres = self._view.place(poses.x + 0.16 * above, np.zeros(len(times)), times, depth)
        half = (radius * 1.12 + 0.14 * above) * self._view.pixels_per_m * self._view.zoom(times)
        strength = 0.62 / (1 + 1.9 * above) * (0.55 if thing.material is Material.GLASS else 1.0)
        return drawing.shade(centres, half, strength)

    def _thing(self, frames: NDArray[np.uint8], index: int, block: slice) -> None:
        thing, poses = self._scene.things[index], _cut(self._truth.poses[index], block)
        times, depth = self._truth.times[block], self._truth.depths[index]
        centres = self._view.place(poses.x, poses.y, times, depth)
        radii = self._radii(thing, poses, times)
        path = self._truth.paths[index]
        if isinstance(path, Swing):
            self._hang(frames, path, centres, times, depth)
        match thing.shape:
            case Shape.BOX:
                sprite = drawing.box(centres, radii, paint=thing.colour, material=thing.material)
            case Shape.LEAF:
                sprite = drawing.leaf(centres, radii * 1.1, poses.turn, paint=thing.colour)
            case _:
                sprite = drawing.ball(
                    centres,
                    radii,
                    poses.turn,
                    paint=thing.colour,
                    material=thing.material,
                    floor=self._floor,
                )
        if poses.behind.any():
            sprite = self._eclipsed(sprite, poses, times)
        shown = (poses.grow > 0)[:, None, None]
        lay(frames, Sprite(sprite.left, sprite.top, sprite.colour, sprite.cover * shown))

    def _eclipsed(self, sprite: Sprite, poses: Poses, times: NDArray[np.float64]) -> Sprite:
        """Return `sprite` without what the body in the middle covers."""
        sun = self._view.place(np.zeros(len(times)), np.zeros(len(times)), times, 0.0)
        tall, wide = sprite.cover.shape[1:]
        dx = np.arange(wide) + 0.5 + (sprite.left - sun[:, 0])[:, None]
        dy = np.arange(tall) + 0.5 + (sprite.top - sun[:, 1])[:, None]
        away = np.sqrt(dx[:, None, :] ** 2 + dy[:, :, None] ** 2)
        edge = backdrop.SUN_RADIUS * self._view.height * self._view.zoom(times)
        clear = np.clip(away - edge[:, None, None] + 0.5, 0, 1).astype(np.float32)
        clear[~poses.behind] = 1
        return Sprite(sprite.left, sprite.top, sprite.colour, sprite.cover * clear)

    def _fixtures(self, frames: NDArray[np.uint8], times: NDArray[np.float64]) -> None:
        """Draw what stands still: the taps and their puddles, the beams pendulums hang from."""
        scale, ones = self._view.pixels_per_m, np.ones(len(times))
        for path, depth in zip(self._truth.paths, self._truth.depths, strict=True):
            if isinstance(path, Drip):
                centres = self._view.place(path.x * ones, 0 * ones, times, depth)
                half = 0.36 * scale * self._view.zoom(times)
                for share, tint in ((1.0, (70, 104, 140)), (0.82, (176, 208, 230))):
                    lay(frames, drawing.shade(centres, half * share, 0.7 * ones, tint=tint))
                thick = max(0.055 * scale, 2.0)
                right, down = np.array([thick, 0]), np.array([0, thick])
                mouths = self._view.place(path.x * ones, path.height_m * ones + 0.05, times, depth)
                mouths -= 1.5 * down
                lay(frames, drawing.rod(mouths - 2.4 * right, mouths, thick))
                lay(frames, drawing.rod(mouths, mouths + 1.1 * down, thick))
            if isinstance(path, Swing):
                thick = max(0.018 * scale, 1.2)
                right, down = np.array([thick, 0]), np.array([0, thick])
                beam = self._pivots(path, times, depth) - down
                lay(frames, drawing.rod(beam - 5 * right, beam + 5 * right, thick * 2.2))

    def _hang(
        self, frames: NDArray[np.uint8], path: Swing, bobs: NDArray[np.float64],
        times: NDArray[np.float64], depth: float,
    ) -> None:  # fmt: skip
        thick = max(0.018 * self._view.pixels_per_m, 1.2)
        lay(frames, drawing.rod(self._pivots(path, times, depth), bobs, thick))

    def _pivots(self, path: Swing, times: NDArray[np.float64], depth: float) -> NDArray[np.float64]:
        ones = np.ones(len(times))
        return self._view.place(path.pivot_x * ones, path.pivot_y * ones, times, depth)

    def _ripples(self, frames: NDArray[np.uint8], times: NDArray[np.float64]) -> None:
        """Draw the rings where drops met the water."""
        for touch in self._truth.touches:
            since = times - touch.contact.at_s
            shown = np.flatnonzero((since > 0) & (since < _RIPPLE_S))
            if touch.contact.struck is not Struck.WATER or not len(shown):
                continue
            scale, at, way = self._view.pixels_per_m, times[shown], since[shown] / _RIPPLE_S
            x = np.full(len(shown), touch.contact.x_m)
            centres = self._view.place(x, 0 * x, at, self._truth.depths[touch.thing])
            half = (0.03 + 0.30 * np.sqrt(way)) * scale * self._view.zoom(at)
            ring = drawing.ring(centres, half, 0.6 * (1 - way), max(0.010 * scale, 0.8))
            # The rings of one contact are seen in consecutive frames.
            lay(frames[shown[0] : shown[-1] + 1], ring)

    def _rain(self, frames: NDArray[np.uint8], times: NDArray[np.float64]) -> None:
        rain, view = self._truth.rain, self._view
        if rain is None:
            return
        scale = view.pixels_per_m
        wait = rain.lands_at - times[:, None]
        for shown, cover in (
            ((wait > 0) & (wait < view.height / scale / rain.speed), _streak(scale)),
            ((wait <= 0) & (wait > -_SPLASH_S), _splash(scale)),
        ):
            which, drops = np.nonzero(shown)
            at, depth = times[which], rain.depth[drops, None]
            above = np.maximum(wait[which, drops], 0) * rain.speed
            near, far = (view.place(rain.x[drops], above, at, end) for end in (0.0, 1.0))
            stamp(frames, which, near + (far - near) * depth, (226, 236, 246), cover)


def _streak(pixels_per_m: float) -> NDArray[np.float32]:
    tall, wide = max(int(_STREAK_M * pixels_per_m), 3), max(round(0.006 * pixels_per_m), 1)
    return np.repeat(np.linspace(0.06, 0.42, tall, dtype=np.float32)[:, None], wide, axis=1)


def _splash(pixels_per_m: float) -> NDArray[np.float32]:
    wide = max(int(0.05 * pixels_per_m), 3)
    tall = max(wide // 3, 1)
    x = (np.arange(wide, dtype=np.float32) + 0.5 - wide / 2) / (wide / 2)
    y = (np.arange(tall, dtype=np.float32) + 0.5 - tall / 2) / (tall / 2)
    square = x[None, :] ** 2 + y[:, None] ** 2 * (tall > 1)
    return np.asarray(0.5 * np.exp(-((square - 0.5) ** 2) * 8), dtype=np.float32)


def _cut(poses: Poses, block: slice) -> Poses:
    return Poses(
        poses.x[block], poses.y[block], poses.turn[block], poses.grow[block], poses.behind[block]
    )
