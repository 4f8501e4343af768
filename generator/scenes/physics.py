"""A scene is set in motion: who starts where, and from then on the laws."""

import math
from dataclasses import dataclass

import numpy as np

from generator.scenes.ballistics import Body, Contact, State, fly
from generator.scenes.paths import Drip, Flutter, Orbit, Poses, Rain, Swing, Times, Tumble
from generator.scenes.scene import Camera, Material, Motion, Scale, Scene, Shape, Thing

Path = Tumble | Swing | Flutter | Drip | Orbit

RADIUS_M = {Scale.SMALL: 0.12, Scale.MEDIUM: 0.18, Scale.LARGE: 0.25}
_RESTITUTION = {
    Material.RUBBER: 0.84,
    Material.WOOD: 0.55,
    Material.METAL: 0.66,
    Material.GLASS: 0.72,
}
_BOX_RESTITUTION = 0.55  # of what a ball of the same material keeps: it lands on edges
_ROLLING_FRICTION = {
    Material.RUBBER: 0.022,
    Material.WOOD: 0.016,
    Material.METAL: 0.009,
    Material.GLASS: 0.009,
}
_SLIDING_FRICTION = 0.16
_DROPS_PER_S_AND_M = 45.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The room there is: `width_m` across, `height_m` above the floor, all of it in view."""

    width_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Touch:
    """A contact of thing number `thing`, nearest to the picture `frame`."""

    thing: int
    frame: int
    contact: Contact


@dataclass(frozen=True, slots=True)
class Truth:
    """What happens, known exactly.

    Attributes:
        times: of the frames, seconds, shape (frames,).
        touches: in order of time.
        poses: of each thing at `times`.
        depths: of each thing, 0 near to 1 far.
    """

    times: Times
    touches: tuple[Touch, ...]
    poses: tuple[Poses, ...]
    paths: tuple[Path, ...]
    depths: tuple[float, ...]
    rain: Rain | None


def radius_m(thing: Thing) -> float:
    """Return the distance from centre to floor when it lies there, in metres."""
    small = {Shape.LEAF: 0.75, Shape.DROP: 0.36, Shape.PENDULUM: 0.8}
    return RADIUS_M[thing.scale] * small.get(thing.shape, 1.0)


def truth(scene: Scene, stage: Stage, times: Times, seconds: float, seed: int) -> Truth:
    """Return what happens in `scene` for `seconds`; the same seed makes the same things happen."""
    rng = np.random.default_rng((seed, 2))
    tame = 1.0 if scene.camera is Camera.STATIC else 0.78
    stage = Stage(stage.width_m * tame, stage.height_m * tame)
    count = len(scene.things)
    paths = tuple(
        _path(thing, _Place(index, count, stage, seconds), rng)
        for index, thing in enumerate(scene.things)
    )
    touches = [
        Touch(index, int(np.argmin(np.abs(times - contact.at_s))), contact)
        for index, path in enumerate(paths)
        for contact in path.contacts
    ]
    return Truth(
        times,
        tuple(sorted(touches, key=lambda touch: touch.contact.at_s)),
        tuple(path.poses(times) for path in paths),
        paths,
        tuple(1 - (index + 0.5) / count if count > 1 else 0.45 for index in range(count)),
        _rain(stage, seconds, rng) if scene.raining else None,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    index: int
    count: int
    stage: Stage
    seconds: float

    @property
    def middle(self) -> float:
        """Metres right of the middle: things share the width evenly."""
        return ((self.index + 0.5) / self.count - 0.5) * self.stage.width_m * 0.8


def _path(thing: Thing, place: _Place, rng: np.random.Generator) -> Path:
    # The same five numbers for every thing, so that one thing's kind never moves another.
    luck = [float(number) for number in rng.uniform(-1, 1, 5)]
    match thing.motion:
        case Motion.BOUNCE | Motion.FALL if thing.shape is not Shape.LEAF:
            return _thrown(thing, place, luck)
        case Motion.ROLL:
            return _rolled(thing, place, luck)
        case Motion.SWING:
            return _hung(thing, place, luck)
        case Motion.DRIP:
            return _dripping(place, luck)
        case Motion.ORBIT:
            return _orbiting(place, luck)
        case _:
            return _fluttering(thing, place, luck)


def _body(thing: Thing) -> Body:
    edges = _BOX_RESTITUTION if thing.shape is Shape.BOX else 1.0
    rolls = thing.shape is not Shape.BOX
    return Body(
        radius_m(thing),
        _RESTITUTION[thing.material] * edges,
        _ROLLING_FRICTION[thing.material] if rolls else _SLIDING_FRICTION,
    )


def _thrown(thing: Thing, place: _Place, luck: list[float]) -> Tumble:
    body = _body(thing)
    ceiling = min(place.stage.height_m - body.radius_m * 1.15, 1.75)
    height = body.radius_m + (ceiling - body.radius_m) * (0.82 + 0.16 * luck[0])
    across = 0.0 if thing.motion is Motion.FALL else luck[1] * 0.25 + math.copysign(0.3, luck[1])
    start = State(
        place.middle + luck[2] * 0.12 * place.stage.width_m / place.count, height, across, 0.0
    )
    flight = fly(body, start, place.stage.width_m / 2, place.seconds)
    return Tumble(flight, body.radius_m, turns=thing.shape is not Shape.BOX)


def _rolled(thing: Thing, place: _Place, luck: list[float]) -> Tumble:
    body = _body(thing)
    half = place.stage.width_m / 2
    way = math.copysign(1.0, luck[0])
    speed = (1.15 + 0.35 * luck[1]) * (1.25 if thing.shape is Shape.BOX else 1.0)
    start = State(
        -way * (half - body.radius_m) * (0.85 + 0.1 * luck[2]), body.radius_m, way * speed, 0.0
    )
    return Tumble(
        fly(body, start, half, place.seconds), body.radius_m, turns=thing.shape is not Shape.BOX
    )


def _hung(thing: Thing, place: _Place, luck: list[float]) -> Swing:
    pivot = min(place.stage.height_m * 0.93, 1.75)
    length = (pivot - radius_m(thing)) * (0.74 + 0.08 * luck[0]) / (1 + 0.12 * place.index)
    room = place.stage.width_m / 2 / place.count - radius_m(thing)
    widest = math.asin(min(max(room / length, 0.15), 0.7))
    amplitude = widest * (0.85 + 0.15 * luck[1])
    return Swing(place.middle, pivot, length, amplitude, 0.6 + 0.5 * luck[2], place.seconds)


def _fluttering(thing: Thing, place: _Place, luck: list[float]) -> Flutter:
    height = min(place.stage.height_m, 1.7) * (0.9 + 0.06 * luck[0])
    return Flutter(
        x=place.middle + 0.1 * luck[1],
        height_m=height,
        starts_s=0.35 * place.index,
        terminal=(0.78 + 0.12 * luck[2]) * (RADIUS_M[thing.scale] / RADIUS_M[Scale.MEDIUM]) ** 0.25,
        sway_m=min(0.22 + 0.06 * luck[3], place.stage.width_m / 6),
        sway_hz=0.62 + 0.12 * luck[4],
        phase=math.pi * luck[0],
        seconds=place.seconds,
    )


def _dripping(place: _Place, luck: list[float]) -> Drip:
    height = min(place.stage.height_m * 0.85, 1.5)
    return Drip(place.middle, height, 0.3 + 0.25 * luck[0], 1.0 + 0.18 * luck[1], place.seconds)


def _orbiting(place: _Place, luck: list[float]) -> Orbit:
    # Inner planets are closer together than outer ones; Kepler's third law sets their periods.
    axis = place.stage.width_m * (0.42 if place.count == 1 else 0.24 + 0.11 * place.index)
    axis = min(axis, 0.28 * place.index + 0.95)
    return Orbit(axis, 0.08 + 0.06 * luck[0], 4.2 * axis**1.5 / 0.8, math.pi * luck[1], 0.34)


def _rain(stage: Stage, seconds: float, rng: np.random.Generator) -> Rain:
    count = int(_DROPS_PER_S_AND_M * stage.width_m * (seconds + 0.5))
    lands = np.sort(rng.uniform(0, seconds + 0.5, count))
    return Rain(
        x=rng.uniform(-0.75, 0.75, count) * stage.width_m,
        depth=rng.random(count),
        lands_at=lands,
        speed=6.5,
    )
