"""The other ways to move: pendulum, leaf, drip, orbit and rain, each a formula of time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.scenes.ballistics import GRAVITY, Contact, Flight, Struck

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Poses:
    """Where one thing is at given times.

    Attributes:
        x, y: centre, metres right of the middle and above the floor (above the middle in space).
        turn: radians, clockwise as seen.
        grow: factor on its radius by distance; 0 while it is not to be seen.
        behind: whether the body in the middle covers it.
    """

    x: Times
    y: Times
    turn: Times
    grow: Times
    behind: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tumble:
    """A flight, and the turning of a ball that rolls as far as it travels."""

    flight: Flight
    radius_m: float
    turns: bool

    @property
    def contacts(self) -> tuple[Contact, ...]:
        return self.flight.contacts

    def poses(self, times: Times) -> Poses:
        at = self.flight.at(times)
        turn = at[:, 0] / self.radius_m if self.turns else np.zeros(len(times))
        return _seen(at[:, 0], at[:, 1], turn)


@dataclass(frozen=True, slots=True)
class Swing:
    """A pendulum without friction, exact at any amplitude (Jacobi's elliptic sn).

    Attributes:
        pivot_x, pivot_y: metres.
        amplitude: radians, below 1.5.
        phase_s: how long before the start it was at its rightmost.
        seconds: how far contacts are listed.
    """

    pivot_x: float
    pivot_y: float
    length_m: float
    amplitude: float
    phase_s: float
    seconds: float

    @property
    def period_s(self) -> float:
        """Return the time of one full swing: 4 K(sin(amplitude / 2)) sqrt(length / g)."""
        mean = _agm(1.0, math.cos(self.amplitude / 2))
        return 2 * math.pi / mean * math.sqrt(self.length_m / GRAVITY)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The ticks: it passes its lowest point and touches the stop there."""
        period = self.period_s
        speed = 2 * math.sqrt(GRAVITY * self.length_m) * math.sin(self.amplitude / 2)
        first = math.ceil((self.phase_s / period - 0.25) * 2)
        passes = ((0.25 + n / 2) * period - self.phase_s for n in range(first, first + 400))
        return tuple(
            Contact(at, self.pivot_x, speed, Struck.STOP) for at in passes if 0 <= at < self.seconds
        )

    def angle(self, times: Times) -> Times:
        """Return radians right of straight down: 2 asin(k sn(u + K)), sn by its Fourier series."""
        k = math.sin(self.amplitude / 2)
        quarter = math.pi / 2 / _agm(1.0, math.sqrt(1 - k * k))
        other = math.pi / 2 / _agm(1.0, k)
        nome = math.exp(-math.pi * other / quarter)
        phase = 2 * math.pi * (times + self.phase_s) / self.period_s + math.pi / 2
        total = np.zeros_like(phase)
        for n in range(12):
            total += nome ** (n + 0.5) / (1 - nome ** (2 * n + 1)) * np.sin((2 * n + 1) * phase)
        sine = 2 * math.pi / quarter * total
        return np.asarray(2 * np.arcsin(np.clip(sine, -1, 1)), dtype=np.float64)

    def poses(self, times: Times) -> Poses:
        angle = self.angle(times)
        x = self.pivot_x + self.length_m * np.sin(angle)
        y = self.pivot_y - self.length_m * np.cos(angle)
        return _seen(x, y, -angle)


@dataclass(frozen=True, slots=True)
class Flutter:
    """A leaf: falls with quadratic drag, sways on the way, lies where it lands."""

    x: float
    height_m: float
    starts_s: float
    terminal: float
    sway_m: float
    sway_hz: float
    phase: float
    seconds: float

    @property
    def lands_at(self) -> float:
        """Return when: height = terminal²/g · ln cosh(g t / terminal), solved for t."""
        deep = math.exp(self.height_m * GRAVITY / self.terminal**2)
        return self.starts_s + self.terminal / GRAVITY * math.acosh(deep)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        at = self.lands_at
        if at >= self.seconds:
            return ()
        speed = self.terminal * math.tanh(GRAVITY * (at - self.starts_s) / self.terminal)
        return (Contact(at, float(self.poses(np.array([at])).x[0]), speed, Struck.FLOOR),)

    def poses(self, times: Times) -> Poses:
        fall = np.clip(times, self.starts_s, self.lands_at) - self.starts_s
        y = self.height_m - self.terminal**2 / GRAVITY * np.log(
            np.cosh(GRAVITY * fall / self.terminal)
        )
        swing = 2 * np.pi * self.sway_hz * fall + self.phase
        x = self.x + self.sway_m * (np.sin(swing) - np.sin(self.phase))
        # It lies flat at the end: the tilt fades over the last 15 cm.
        turn = 0.9 * np.cos(swing) * np.clip(y / 0.15, 0.0, 1.0)
        return _seen(x, np.maximum(y, 0.0), turn)


@dataclass(frozen=True, slots=True)
class Drip:
    """Drops that let go of a tap again and again, and fall freely into water."""

    x: float
    height_m: float
    first_s: float
    period_s: float
    seconds: float

    @property
    def fall_s(self) -> float:
        return math.sqrt(2 * self.height_m / GRAVITY)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        count = math.ceil(self.seconds / self.period_s) + 2
        lands = (self.first_s + self.fall_s + n * self.period_s for n in range(-2, count))
        speed = GRAVITY * self.fall_s
        return tuple(
            Contact(at, self.x, speed, Struck.WATER) for at in lands if 0 <= at < self.seconds
        )

    def poses(self, times: Times) -> Poses:
        since = np.mod(times - self.first_s, self.period_s)
        falling = since < self.fall_s
        # It swells at the tap during the last 0.35 s before it lets go.
        swelling = np.clip(1 - (self.period_s - since) / 0.35, 0.0, 1.0)
        y = np.where(falling, self.height_m - GRAVITY * since**2 / 2, self.height_m)
        grow = np.where(falling, 1.0, swelling)
        nought = np.zeros(len(times))
        return Poses(np.full(len(times), self.x), y, nought, grow, nought > 0)


@dataclass(frozen=True, slots=True)
class Orbit:
    """A Kepler ellipse about the middle, seen from a little above its plane."""

    axis_m: float
    eccentricity: float
    period_s: float
    phase: float
    tilt: float

    @property
    def contacts(self) -> tuple[Contact, ...]:
        return ()

    def poses(self, times: Times) -> Poses:
        mean = 2 * np.pi * times / self.period_s + self.phase
        anomaly = mean.copy()
        # Newton on E - e sin E = M: eight rounds reach 1e-15 for e up to 0.5.
        for _ in range(8):
            wrong = anomaly - self.eccentricity * np.sin(anomaly) - mean
            anomaly -= wrong / (1 - self.eccentricity * np.cos(anomaly))
        x = self.axis_m * (np.cos(anomaly) - self.eccentricity)
        towards = self.axis_m * math.sqrt(1 - self.eccentricity**2) * np.sin(anomaly)
        grow = 1 + 0.28 * towards / self.axis_m
        return Poses(x, -towards * self.tilt, mean * 2, grow, towards < 0)


@dataclass(frozen=True, slots=True)
class Rain:
    """Drops at terminal speed.

    Attributes:
        x: shape (drops,), metres; depth: 0 near to 1 far; lands_at: seconds, rising.
        speed: metres per second.
    """

    x: Times
    depth: Times
    lands_at: Times
    speed: float


def _seen(x: Times, y: Times, turn: Times) -> Poses:
    return Poses(x, y, turn, np.ones(len(x)), np.zeros(len(x), dtype=np.bool_))


def _agm(a: float, b: float) -> float:
    """Return the arithmetic-geometric mean; K(k) is pi / 2 / agm(1, sqrt(1 - k²))."""
    while abs(a - b) > 1e-15 * a:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a
