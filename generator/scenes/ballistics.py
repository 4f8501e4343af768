"""Flight, impact and rolling in closed form: parabolas between contacts whose times are exact."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

GRAVITY = 9.81
# Slower than this it does not leave the floor any more: at 0.15 m/s it would rise 1.1 mm, less
# than a pixel at 720 lines.
RESTS_BELOW = 0.15


class Struck(StrEnum):
    """What was struck."""

    FLOOR = "floor"
    SIDE = "side"
    WATER = "water"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact, at its exact time.

    Attributes:
        at_s: seconds from the start.
        x_m: where, in metres right of the middle.
        speed: metres per second into the surface, before.
    """

    at_s: float
    x_m: float
    speed: float
    struck: Struck


@dataclass(frozen=True, slots=True)
class Body:
    """What a thing is thrown with, and what it loses.

    Attributes:
        radius_m: centre to floor when it lies.
        restitution: speed after over speed before, at the floor and at the sides.
        friction: deceleration on the floor over `GRAVITY`.
    """

    radius_m: float
    restitution: float
    friction: float


@dataclass(frozen=True, slots=True)
class State:
    """Where a centre is and how fast, in metres and metres per second; y is up from the floor."""

    x: float
    y: float
    vx: float
    vy: float


@dataclass(frozen=True, slots=True)
class Flight:
    """A path of parabolas: piece i holds from `starts[i]` until `starts[i + 1]`.

    Attributes:
        starts: seconds, rising.
        motion: shape (pieces, 6): x, y, vx, vy, ax, ay at the start of each piece.
    """

    starts: NDArray[np.float64]
    motion: NDArray[np.float64]
    contacts: tuple[Contact, ...]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x, y, vx, vy at each time: shape (times, 4); the first piece goes back forever."""
        piece = np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)
        x, y, vx, vy, ax, ay = self.motion[piece].T
        t = times - self.starts[piece]
        return np.stack(
            [x + vx * t + ax * t * t / 2, y + vy * t + ay * t * t / 2, vx + ax * t, vy + ay * t],
            axis=1,
        )


def fly(body: Body, start: State, half_width_m: float, seconds: float) -> Flight:
    """Return the path of `body` between two side walls, until `seconds` or until it rests."""
    wall = max(half_width_m - body.radius_m, 1e-3)
    time, state = 0.0, start
    starts: list[float] = []
    motion: list[tuple[float, ...]] = []
    contacts: list[Contact] = []
    while time < seconds:
        rolling = state.y <= body.radius_m and state.vy == 0
        ax = -math.copysign(body.friction * GRAVITY, state.vx) if rolling and state.vx else 0.0
        ay = 0.0 if rolling else -GRAVITY
        starts.append(time)
        motion.append((state.x, state.y, state.vx, state.vy, ax, ay))
        to_side = _until_side(state, ax, wall)
        to_floor = _until_rest(state, ax) if rolling else _until_floor(state, body.radius_m)
        wait = min(to_side, to_floor)
        time += wait
        if time >= seconds:
            break
        state = _moved(state, ax, ay, wait)
        if to_side <= to_floor:
            contacts.append(
                Contact(time, math.copysign(half_width_m, state.vx), abs(state.vx), Struck.SIDE)
            )
            side = math.copysign(wall, state.vx)
            state = State(side, state.y, -body.restitution * state.vx, state.vy)
        elif rolling:
            state = State(state.x, body.radius_m, 0.0, 0.0)
        else:
            # A fall shorter than a rounding error can end on its way up.
            contacts.append(Contact(time, state.x, max(-state.vy, 0.0), Struck.FLOOR))
            rebound = -body.restitution * state.vy
            state = State(
                state.x, body.radius_m, state.vx, rebound if rebound > RESTS_BELOW else 0.0
            )
    return Flight(np.array(starts), np.array(motion), tuple(contacts))


def _moved(state: State, ax: float, ay: float, t: float) -> State:
    return State(
        state.x + state.vx * t + ax * t * t / 2,
        state.y + state.vy * t + ay * t * t / 2,
        state.vx + ax * t,
        state.vy + ay * t,
    )


def _until_floor(state: State, radius: float) -> float:
    """Return the positive root of y + vy t - g t²/2 = radius."""
    return (state.vy + math.sqrt(state.vy**2 + 2 * GRAVITY * max(state.y - radius, 0.0))) / GRAVITY


def _until_rest(state: State, ax: float) -> float:
    return abs(state.vx / ax) if ax else math.inf


def _until_side(state: State, ax: float, wall: float) -> float:
    """Return when the centre reaches the wall it moves towards, or infinity."""
    if not state.vx:
        return math.inf
    gap = max(wall - math.copysign(1.0, state.vx) * state.x, 0.0)
    speed, slowing = abs(state.vx), abs(ax)
    square = speed**2 - 2 * slowing * gap
    if square < 0:
        return math.inf
    # The root of the quadratic in the form that loses no digits when `slowing` is small or nought.
    return 2 * gap / (speed + math.sqrt(square))
