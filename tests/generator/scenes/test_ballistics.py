"""Flight obeys the laws: energy never grows, contacts are where and when the path says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from generator.scenes.ballistics import GRAVITY, Body, State, Struck, fly

_HALF_M = 1.5
bodies = st.builds(
    Body,
    radius_m=st.floats(0.05, 0.3),
    restitution=st.floats(0.1, 0.95),
    friction=st.floats(0.005, 0.4),
)
throws = st.builds(
    State, x=st.floats(-1, 1), y=st.floats(0.3, 1.8), vx=st.floats(-3, 3), vy=st.floats(-3, 3)
)


def test_a_dropped_ball_lands_when_the_formula_says() -> None:
    ball = Body(radius_m=0.1, restitution=0.8, friction=0.02)

    flight = fly(ball, State(0, 1.1, 0, 0), _HALF_M, seconds=3)

    first = np.sqrt(2 / GRAVITY)
    wanted = [first, first + 2 * 0.8 * first, first + 2 * (0.8 + 0.64) * first]
    assert np.allclose([contact.at_s for contact in flight.contacts[:3]], wanted, atol=1e-12)
    assert np.isclose(flight.contacts[1].speed / flight.contacts[0].speed, 0.8)


@given(bodies, throws)
def test_energy_never_grows(body: Body, start: State) -> None:
    times = np.linspace(0, 6, 700, endpoint=False)

    at = fly(body, start, _HALF_M, seconds=6).at(times)

    energy = GRAVITY * at[:, 1] + (at[:, 2] ** 2 + at[:, 3] ** 2) / 2
    assert np.diff(energy).max() <= 1e-9


@given(bodies, throws)
def test_it_stays_above_the_floor_and_between_the_sides(body: Body, start: State) -> None:
    at = fly(body, start, _HALF_M, seconds=6).at(np.linspace(0, 6, 700, endpoint=False))

    assert at[:, 1].min() >= body.radius_m - 1e-9
    assert np.abs(at[:, 0]).max() <= _HALF_M - body.radius_m + 1e-9


@given(bodies, throws)
def test_at_each_contact_it_touches_what_it_struck(body: Body, start: State) -> None:
    flight = fly(body, start, _HALF_M, seconds=6)

    assert [contact.at_s for contact in flight.contacts] == sorted(
        contact.at_s for contact in flight.contacts
    )
    for contact in flight.contacts:
        x, y, _, _ = flight.at(np.array([contact.at_s]))[0]
        if contact.struck is Struck.FLOOR:
            assert np.isclose(y, body.radius_m, atol=1e-9)
        else:
            assert np.isclose(abs(x), _HALF_M - body.radius_m, atol=1e-9)
        assert contact.speed >= 0


@given(bodies, throws)
def test_the_path_has_no_jumps(body: Body, start: State) -> None:
    flight = fly(body, start, _HALF_M, seconds=6)
    joints = flight.starts[1:]

    before, after = flight.at(joints - 1e-9), flight.at(joints)

    assert np.allclose(before[:, :2], after[:, :2], atol=1e-6)
