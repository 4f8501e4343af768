"""Pendulum, leaf, drip and orbit against independent ways to compute them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from generator.scenes.ballistics import GRAVITY
from generator.scenes.paths import Drip, Flutter, Orbit, Swing


@pytest.mark.parametrize("amplitude", [0.1, 0.7, 1.4])
def test_a_pendulum_solves_its_differential_equation(amplitude: float) -> None:
    swing = Swing(0, 2, 1.2, amplitude, phase_s=0, seconds=4)
    times = np.linspace(0, 4, 200)

    truth = solve_ivp(
        lambda _, y: [y[1], -GRAVITY / 1.2 * np.sin(y[0])],
        (0, 4),
        [amplitude, 0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-10,
    )

    assert np.allclose(swing.angle(times), truth.y[0], atol=1e-6)


@given(st.floats(0.05, 1.4), st.floats(0, 3), st.floats(0.3, 2))
def test_a_pendulum_ticks_exactly_when_it_hangs_straight(
    amplitude: float, phase: float, length: float
) -> None:
    swing = Swing(0, 2.5, length, amplitude, phase, seconds=5)

    ticks = np.array([contact.at_s for contact in swing.contacts])

    assert len(ticks) >= int(2 * 5 / swing.period_s) - 1
    assert np.allclose(swing.angle(ticks), 0, atol=1e-7)


@given(st.floats(0.5, 1.7), st.floats(0.4, 1.2), st.floats(0, 1))
def test_a_leaf_never_rises_nor_exceeds_its_terminal_speed(
    height: float, terminal: float, wait: float
) -> None:
    leaf = Flutter(0, height, wait, terminal, 0.2, 0.7, 1.0, seconds=20)
    times = np.linspace(0, leaf.lands_at + 1, 500)

    y = leaf.poses(times).y

    fall = -np.diff(y) / np.diff(times)
    assert fall.min() >= -1e-9
    assert fall.max() <= terminal + 1e-9
    assert np.isclose(leaf.poses(np.array([leaf.lands_at])).y[0], 0, atol=1e-9)
    assert leaf.contacts[0].at_s == leaf.lands_at


def test_drops_meet_the_water_at_the_times_they_say() -> None:
    drip = Drip(0.2, 1.2, first_s=0.4, period_s=1.1, seconds=6)

    just_before = drip.poses(np.array([contact.at_s for contact in drip.contacts]) - 1e-9)

    assert len(drip.contacts) >= 5
    assert np.allclose(just_before.y, 0, atol=1e-6)
    assert (just_before.grow == 1).all()


@given(st.floats(0, 0.4), st.floats(0, 6))
def test_an_orbit_keeps_keplers_second_law(eccentricity: float, phase: float) -> None:
    orbit = Orbit(0.8, eccentricity, period_s=4, phase=phase, tilt=0.34)
    poses = orbit.poses(np.linspace(0, 4, 4001))

    z = -poses.y / 0.34
    swept = np.abs(poses.x[:-1] * z[1:] - poses.x[1:] * z[:-1]) / 2

    assert np.allclose(swept, swept.mean(), rtol=1e-3)
