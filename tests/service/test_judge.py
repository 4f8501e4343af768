from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decision import (
    Circumstances,
    Decision,
    Gate,
    Mode,
    NothingChecked,
    Observation,
    Owner,
    Stage,
    Verdict,
    VisibleMark,
    strictest,
)
from service.judge import decide, judge, standings
from service.policy_book import Join, Joined, Parts, RuleException, Thresholds
from service.reasons import CATEGORIES, SURFACES, numbered
from service.wiring import DEFAULT_POLICY, policy

POLICY = policy(DEFAULT_POLICY.read_bytes())
NOW = datetime(2026, 11, 21, tzinfo=UTC)
GATE_OF = {"filters": Gate.FILTERS, "likeness": Gate.LIKENESS, "rights": Gate.RIGHTS}


def seen(
    category: str, score: float = 1.0, *, surface: str = "prompt", matched: tuple[str, ...] = ()
) -> Observation:
    gate = GATE_OF.get(category.split(".")[0], Gate.FILTERS)
    detector = "filters.text@test"
    return Observation("", gate, detector, category, surface, "prompt", score, None, matched)


HARMLESS = (seen("filters.sexual", 0.0), seen("likeness.none"), seen("rights.none"))


def decided(
    *observations: Observation,
    mode: Mode = Mode.ENFORCE,
    cleared: frozenset[str] = frozenset(),
) -> Decision:
    return decide(
        numbered(observations),
        POLICY,
        decision_id="dec_1",
        request_id="req_1",
        stage=Stage.REQUEST,
        mode=mode,
        now=NOW,
        cleared=cleared,
    )


def test_no_observation_at_all_is_a_mistake() -> None:
    with pytest.raises(NothingChecked):
        decided()


def test_what_every_gate_finds_harmless_is_allowed_and_must_carry_the_mark() -> None:
    decision = decided(*HARMLESS)

    assert decision.verdict is Verdict.ALLOW
    assert decision.conditions == (VisibleMark(),)
    assert decision.billable


@pytest.mark.parametrize("silent", range(3))
def test_a_silent_gate_holds(silent: int) -> None:
    decision = decided(*(one for number, one in enumerate(HARMLESS) if number != silent))

    assert decision.verdict is Verdict.HOLD
    assert [reason.code for reason in decision.reasons] == ["policy.unavailable"]


def test_a_gate_that_failed_holds() -> None:
    decision = decided(*HARMLESS, seen("policy.unavailable"))

    assert decision.verdict is Verdict.HOLD


def test_the_strictest_reason_wins_and_all_are_kept() -> None:
    decision = decided(*HARMLESS, seen("filters.evasion"), seen("rights.claim"))

    assert decision.verdict is Verdict.BLOCK
    assert [reason.code for reason in decision.reasons] == ["rights.claim", "filters.evasion"]
    assert not decision.billable


def test_a_reason_says_which_rule_what_was_seen_and_how_to_change_it() -> None:
    (reason,) = decided(*HARMLESS, seen("rights.claim", matched=("clm_1",))).reasons

    assert reason.rule == "rights/claim"
    assert reason.message
    assert reason.remedy
    assert reason.threshold <= reason.score
    assert reason.observation == "obs_4"


def test_a_cleared_hold_no_longer_holds_but_a_block_is_never_cleared() -> None:
    stranger = seen("likeness.stranger", surface="picture")
    cleared = standings(decided(*HARMLESS, stranger))

    assert decided(*HARMLESS, stranger, cleared=cleared).verdict is Verdict.ALLOW
    blocked = decided(*HARMLESS, seen("rights.claim"))
    assert standings(blocked) == frozenset()
    assert (
        decided(*HARMLESS, seen("rights.claim"), cleared=frozenset({"rights.claim|prompt"})).verdict
        is Verdict.BLOCK
    )


def test_another_person_is_another_hold() -> None:
    one = seen("likeness.uncertain", matched=("lik_1",))
    other = seen("likeness.uncertain", matched=("lik_2",))

    cleared = standings(decided(*HARMLESS, one))

    assert decided(*HARMLESS, other, cleared=cleared).verdict is Verdict.HOLD


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.DRY_RUN])
def test_what_is_not_enforced_is_not_billed(mode: Mode) -> None:
    assert not decided(*HARMLESS, mode=mode).billable


OBSERVATIONS = st.lists(
    st.builds(
        seen,
        st.sampled_from(sorted(CATEGORIES)),
        st.floats(0, 1).map(lambda score: round(score, 4)),
        surface=st.sampled_from(sorted(SURFACES)),
    ),
    min_size=1,
    max_size=12,
)


@given(OBSERVATIONS, OBSERVATIONS)
def test_seeing_more_never_makes_a_verdict_milder_once_all_gates_have_looked(
    first: list[Observation], more: list[Observation]
) -> None:
    some, all_of_it = decided(*HARMLESS, *first), decided(*HARMLESS, *first, *more)

    assert all_of_it.verdict >= some.verdict


@given(OBSERVATIONS)
def test_same_observations_same_decision(observations: list[Observation]) -> None:
    assert decided(*observations) == decided(*observations)


@given(OBSERVATIONS)
def test_only_a_decision_without_reasons_allows(observations: list[Observation]) -> None:
    decision = decided(*observations)

    assert (decision.verdict is Verdict.ALLOW) == (not decision.reasons)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (("shots[0]", "shots[1]"), Verdict.BLOCK),
        (("prompt", "shots[0]"), Verdict.BLOCK),
        (("prompt", "input_reference"), Verdict.BLOCK),
        (("shots", "input_reference"), Verdict.BLOCK),
        (("shots[0]", "shots[0]"), Verdict.ALLOW),
        # All texts joined hold what each of them holds.
        (("shots", "shots[0]"), Verdict.ALLOW),
        (("prompt", "shots"), Verdict.ALLOW),
        (("ancestors[0]", "shots"), Verdict.ALLOW),
        (("ancestors[0]", "prompt"), Verdict.BLOCK),
    ],
)
def test_a_text_and_all_texts_joined_are_not_two_parts(
    params: tuple[str, str], expected: Verdict
) -> None:
    parts = (
        Joined(frozenset({"filters.violence"}), frozenset(), 0.1),
        Joined(frozenset({"filters.hate"}), frozenset(), 0.1),
    )
    join = Join(
        "join/both", "policy.both", Owner.PLATFORM, "Both.", "One.", Verdict.BLOCK,
        Parts.DIFFERENT, parts,
    )  # fmt: skip
    both = [
        Observation(f"obs_{at}", Gate.FILTERS, "filters.text@1", category, "prompt", param, 0.11)
        for at, (category, param) in enumerate(
            zip(("filters.violence", "filters.hate"), params, strict=True)
        )
    ]
    judging = replace(POLICY, joins=(join,), requires={Stage.REQUEST: frozenset()})

    judged = judge(both, judging, stage=Stage.REQUEST, circumstances=Circumstances(), at=NOW)

    assert strictest(judged.reasons) is expected


LIMITS = st.builds(
    Thresholds,
    st.none() | st.floats(0, 1).map(lambda score: round(score, 2)),
    st.none() | st.floats(0, 1).map(lambda score: round(score, 2)),
)


@given(OBSERVATIONS, LIMITS, LIMITS, LIMITS, st.sampled_from(["", "plan_a"]))
def test_what_is_not_asked_about_would_have_been_allowed_by_its_rule(
    observations: list[Observation],
    default: Thresholds,
    frames: Thresholds,
    excepted: Thresholds,
    plan: str,
) -> None:
    rules = {
        name: replace(
            rule,
            thresholds={"default": default, "frames": frames},
            exceptions=(RuleException(excepted, plans=frozenset({"plan_a"})),),
        )
        for name, rule in POLICY.rules.items()
        if name != "policy.unavailable"
    }
    changed = replace(POLICY, rules={**POLICY.rules, **rules})
    there = Circumstances("prj_1", plan, "DE")
    heard = changed.heard(observations)

    for one in observations:
        verdict, _ = changed.rules[one.category].verdict(one.score, one.surface, there, NOW)
        assert verdict is Verdict.ALLOW or one in heard


def test_what_nobody_has_thought_of_is_always_asked_about() -> None:
    unknown = replace(seen("filters.sexual", 0.0), detector="elsewhere@1")

    assert POLICY.heard([unknown]) == [unknown]
    assert decided(*HARMLESS, unknown).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("category", "fixed"), [("filters.minors", True), ("filters.violence", False)]
)
def test_a_join_over_a_fixed_rule_is_fixed_too(category: str, fixed: bool) -> None:
    parts = (
        Joined(frozenset({category}), frozenset(), 0.1),
        Joined(frozenset({"likeness.granted"}), frozenset(), 0.1),
    )
    join = Join(
        "join/both", "policy.both", Owner.PLATFORM, "Both.", "One.", Verdict.BLOCK,
        Parts.ANYWHERE, parts,
    )  # fmt: skip

    assert replace(POLICY, joins=(join,)).is_fixed("policy.both") is fixed
    assert POLICY.is_fixed("policy.both")  # nobody has thought of it
