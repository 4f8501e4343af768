from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.consent import (
    EVERYONE,
    LONGEST_GRANT,
    Grant,
    GrantNotPossible,
    HandleNotPossible,
    Use,
    checked_grant,
    checked_handle,
    permits,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
actors = st.sampled_from(["ana", "ben", EVERYONE, ""])


def a_grant(**changes: object) -> Grant:
    fields: dict[str, object] = {
        "id": "grt_1",
        "likeness": "lik_1",
        "to": "ben",
        "uses": frozenset({Use.FACE}),
        "from_at": NOON,
        "until_at": NOON + DAY,
    }
    return Grant(**(fields | changes))  # type: ignore[arg-type]  # a builder of any field


grants = st.builds(
    Grant,
    id=st.just("grt_1"),
    likeness=st.just("lik_1"),
    to=actors,
    uses=st.frozensets(st.sampled_from(Use)),
    from_at=moments,
    until_at=moments,
    revoked_at=st.none() | moments,
)


def test_a_grant_permits_whom_it_names() -> None:
    assert permits(a_grant(), "ben", Use.FACE, NOON)


def test_a_grant_to_everyone_permits_anybody() -> None:
    assert permits(a_grant(to=EVERYONE), "somebody", Use.FACE, NOON)


@given(grants, actors, st.sampled_from(Use), moments)
def test_what_is_permitted_is_unrevoked_in_term_named_and_of_that_use(
    grant: Grant, actor: str, use: Use, now: datetime
) -> None:
    permitted = permits(grant, actor, use, now)

    assert not permitted or grant.revoked_at is None
    assert not permitted or grant.from_at <= now < grant.until_at
    assert not permitted or use in grant.uses
    assert not permitted or (grant.to in {actor, EVERYONE} and actor not in {"", EVERYONE})


@given(grants, actors, st.sampled_from(Use), moments, moments)
def test_nothing_is_permitted_once_revoked(
    grant: Grant, actor: str, use: Use, revoked_at: datetime, now: datetime
) -> None:
    revoked = Grant(
        grant.id, grant.likeness, grant.to, grant.uses, grant.from_at, grant.until_at, revoked_at
    )

    assert not permits(revoked, actor, use, now)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": ""},
        {"uses": frozenset()},
        {"until_at": NOON},
        {"until_at": NOON - DAY},
        {"until_at": NOON + LONGEST_GRANT + DAY},
        {"from_at": NOON.replace(tzinfo=None)},
    ],
    ids=["to nobody", "for no use", "empty", "inverted", "over a year", "without time zone"],
)
def test_a_grant_that_cannot_hold_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(GrantNotPossible):
        checked_grant(a_grant(**changes))


@pytest.mark.parametrize("handle", ["ana", "ana_bell", "a23"])
def test_a_plain_handle_is_possible(handle: str) -> None:
    assert checked_handle(handle) == handle


@pytest.mark.parametrize(
    "handle", ["", "an", "Ana", "@ana", "1na", "ana-bell", "an\u0430", "a" * 31, "ana\n"]
)
def test_any_other_handle_is_refused(handle: str) -> None:
    with pytest.raises(HandleNotPossible):
        checked_handle(handle)
