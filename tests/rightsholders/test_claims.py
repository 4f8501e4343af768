from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightsholders.claims import (
    WORLDWIDE,
    Action,
    Basis,
    Claim,
    ClaimNotPossible,
    ClaimState,
    Kind,
    StepNotPossible,
    applies,
    checked_draft,
    moved,
)
from tests.rightsholders.builders import NOW, a_draft

DAY = timedelta(days=1)


def a_claim(
    state: ClaimState = ClaimState.IN_FORCE,
    *,
    territories: frozenset[str] = WORLDWIDE,
    until: datetime | None = None,
) -> Claim:
    return Claim(
        "clm_1", "hld_1", "A work", Kind.CHARACTER, Action.BLOCK, Basis.COPYRIGHT, territories,
        state, NOW, until, (),
    )  # fmt: skip


@given(st.lists(st.sampled_from(ClaimState)))
def test_what_is_over_stays_over_and_only_a_filed_claim_comes_into_force(
    asked: list[ClaimState],
) -> None:
    claim = a_claim(ClaimState.FILED)
    walked = [claim.state]

    for to in asked:
        try:
            claim = moved(claim, to)
        except StepNotPossible:
            continue
        walked.append(claim.state)

    assert len(walked) == len(set(walked))
    assert not {ClaimState.WITHDRAWN, ClaimState.EXPIRED} & set(walked[:-1])
    assert ClaimState.IN_FORCE not in walked[2:]


@given(
    st.sampled_from(ClaimState),
    st.integers(-3, 3),
    st.none() | st.integers(1, 3),
    st.sampled_from(["DE", "US", "", "de", "??"]),
)
def test_a_claim_applies_only_in_force_in_its_term_and_where_it_may(
    state: ClaimState, day: int, until: int | None, territory: str
) -> None:
    claim = a_claim(
        state,
        territories=frozenset({"DE"}),
        until=None if until is None else NOW + until * DAY,
    )

    expected = (
        state is ClaimState.IN_FORCE
        and day >= 0
        and (until is None or day < until)
        and territory != "US"
    )
    assert applies(claim, territory, NOW + day * DAY) == expected


def test_a_worldwide_claim_applies_everywhere() -> None:
    assert applies(a_claim(), "US", NOW)


def test_a_complete_draft_passes() -> None:
    draft = a_draft("Pikachu", valid_until_at=NOW + DAY, territories=frozenset({"DE", "FR"}))

    assert checked_draft(draft) == draft


@pytest.mark.parametrize(
    "draft",
    [
        a_draft(),
        a_draft("Pikachu", " "),
        replace(a_draft("Pikachu"), holder=""),
        replace(a_draft("Pikachu"), work=" "),
        a_draft("Pikachu", territories=frozenset()),
        a_draft("Pikachu", territories=frozenset({"Germany"})),
        a_draft("Pikachu", territories=frozenset({"de"})),
        a_draft("Pikachu", territories=frozenset({"*", "DE"})),
        a_draft("Pikachu", valid_until_at=NOW),
        a_draft("Pikachu", valid_until_at=NOW - DAY),
        a_draft("Pikachu", valid_from_at=NOW.replace(tzinfo=None)),
    ],
    ids=[
        "no alias", "empty alias", "no holder", "no work", "nowhere", "no code", "lower case",
        "everywhere and somewhere", "no time", "inverted", "no time zone",
    ],
)  # fmt: skip
def test_an_incomplete_draft_is_refused(draft: object) -> None:
    with pytest.raises(ClaimNotPossible):
        checked_draft(draft)  # type: ignore[arg-type]  # parametrised as object
