"""What a policy document may say, and what becomes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from service import reasons
from service.decision import Circumstances, Decision, Gate, Mode, Observation, Stage, Verdict
from service.judge import decide, judge, standings
from service.policy_book import Policy, PolicyRefused, Thresholds
from service.reasons import CATEGORIES, DETECTORS, SURFACES, numbered
from service.wiring import DEFAULT_POLICY, policy

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = Circumstances("prj_1", "research", "DE")
Document = dict[str, Any]


def a_document() -> Document:
    return dict(yaml.safe_load(DEFAULT_POLICY.read_bytes()))


def rule_of(document: Document, category: str) -> Document:
    return next(rule for rule in document["rules"] if rule["category"] == category)


def loaded(document: object) -> Policy:
    return policy(yaml.safe_dump(document).encode())


def refused(document: object) -> str:
    with pytest.raises(PolicyRefused) as error:
        loaded(document)
    return str(error.value)


def with_exception(category: str, **exception: object) -> Document:
    document = a_document()
    rule_of(document, category)["exceptions"] = [exception]
    return document


def seen(
    category: str, score: float = 1.0, surface: str = "prompt", param: str = "prompt"
) -> Observation:
    gates = {"likeness": Gate.LIKENESS, "rights": Gate.RIGHTS}
    gate = gates.get(category.partition(".")[0], Gate.FILTERS)
    detector = {"likeness": "likeness.dlib@1", "rights": "rights.names@1"}
    name = detector.get(category.partition(".")[0], "filters.text@1")
    return Observation("", gate, name, category, surface, param, score)


LOOKED = (seen("filters.sexual", 0.0), seen("likeness.none"), seen("rights.none"))


def decided(
    by: Policy,
    *more: Observation,
    to: Circumstances = HERE,
    at: datetime = NOW,
    cleared: frozenset[str] = frozenset(),
    lifted: frozenset[str] = frozenset(),
) -> Decision:
    return decide(
        numbered((*LOOKED, *more)), by, decision_id="dec_1", request_id="req_1",
        stage=Stage.REQUEST, mode=Mode.ENFORCE, now=at, circumstances=to, cleared=cleared,
        lifted=lifted,
    )  # fmt: skip


DEFAULT = policy(DEFAULT_POLICY.read_bytes())
FACE = seen("likeness.granted", surface="picture", param="input_reference")
HINT = seen("filters.sexual", 0.35)


# Exceptions.


@pytest.mark.parametrize(
    ("case", "met"),
    [
        ({"projects": ["prj_1"], "until": "2026-12-31"}, True),
        ({"projects": ["prj_2"], "until": "2026-12-31"}, False),
        ({"plans": ["research"]}, True),
        ({"plans": ["basic"]}, False),
        ({"territories": ["DE", "AT"]}, True),
        ({"territories": ["US"]}, False),
        ({"purposes": ["news"]}, False),
        ({"surfaces": ["prompt"]}, True),
        ({"surfaces": ["frames"]}, False),
        ({"plans": ["research"], "territories": ["US"]}, False),
        ({"plans": ["research"], "until": "2026-11-21"}, True),
        ({"plans": ["research"], "until": "2026-11-20"}, False),
    ],
)
def test_an_exception_counts_for_those_it_names_and_until_its_last_day(
    case: Document, met: bool
) -> None:
    made = loaded(with_exception("filters.violence", hold=0.5, block="never", **case))

    verdict = decided(made, seen("filters.violence", 0.3)).verdict

    assert (verdict is Verdict.ALLOW) == met


def test_the_first_exception_that_applies_counts() -> None:
    document = with_exception("filters.violence", plans=["research"], hold=0.5, block=0.9)
    rule_of(document, "filters.violence")["exceptions"].append(
        {"territories": ["DE"], "hold": 0.01, "block": 0.02}
    )

    assert decided(loaded(document), seen("filters.violence", 0.3)).verdict is Verdict.ALLOW


def test_an_exception_may_make_stricter() -> None:
    made = loaded(with_exception("filters.violence", territories=["DE"], hold=0.01, block=0.02))

    assert decided(made, seen("filters.violence", 0.05)).verdict is Verdict.BLOCK
    elsewhere = Circumstances("prj_1", "", "US")
    assert decided(made, seen("filters.violence", 0.05), to=elsewhere).verdict is Verdict.ALLOW


def test_an_exception_that_allows_a_project_more_has_an_end() -> None:
    assert "until" in refused(
        with_exception("filters.violence", projects=["prj_1"], hold="never", block="never")
    )


@pytest.mark.parametrize("category", ["filters.minors", "policy.unavailable"])
def test_a_fixed_rule_takes_no_exception(category: str) -> None:
    assert "fixed" in refused(with_exception(category, plans=["x"], hold="never", block="never"))


def test_what_could_not_be_checked_cannot_be_allowed_by_any_policy() -> None:
    document = a_document()
    rule_of(document, "policy.unavailable")["thresholds"] = {
        "default": {"hold": 0.5, "block": "never"},
        "frames": {"hold": "never", "block": "never"},
    }
    assert "could not be checked" in refused(document)

    document = a_document()
    del rule_of(document, "policy.unavailable")["fixed"]
    assert "could not be checked" in refused(document)


# Rules over several observations.


def test_a_hint_beside_a_face_is_refused_and_each_alone_is_not() -> None:
    both = decided(DEFAULT, FACE, HINT)

    assert decided(DEFAULT, FACE).verdict is Verdict.ALLOW
    assert decided(DEFAULT, HINT).verdict is Verdict.HOLD
    assert both.verdict is Verdict.BLOCK
    reason = both.reasons[0]
    assert (reason.code, reason.param, reason.gate) == (
        "policy.person_sexual",
        "prompt",
        Gate.POLICY,
    )
    by_id = {one.id: one.category for one in both.observations}
    assert [by_id[one] for one in (reason.observation, *reason.joined)] == [
        "filters.sexual",
        "likeness.granted",
    ]


def a_join(parts: str) -> Policy:
    document = a_document()
    document["joins"] = [
        {
            "id": "policy/split", "code": "policy.split_scene", "owner": "platform",
            "message": "Two parts together are more than each.", "remedy": "Leave one of them out.",
            "verdict": "hold", "parts": parts,
            "all_of": [
                {"categories": ["filters.violence"], "at_least": 0.1},
                {"categories": ["filters.violence"], "at_least": 0.05},
            ],
        }
    ]  # fmt: skip
    return loaded(document)


@pytest.mark.parametrize(
    ("parts", "params", "met"),
    [
        ("different", ("shots[0]", "shots[1]"), True),
        ("different", ("shots[0]", "shots[0]"), False),
        ("same", ("shots[0]", "shots[0]"), True),
        ("same", ("shots[0]", "shots[1]"), False),
        ("anywhere", ("shots[0]", "shots[1]"), True),
        ("anywhere", ("shots[0]", "shots[0]"), True),
    ],
)
def test_a_join_looks_at_parts(parts: str, params: tuple[str, str], met: bool) -> None:
    shots = [seen("filters.violence", 0.12, param=param) for param in params]

    assert (decided(a_join(parts), *shots).verdict is Verdict.HOLD) == met


def test_one_observation_does_not_join_with_itself() -> None:
    assert decided(a_join("anywhere"), seen("filters.violence", 0.12)).verdict is Verdict.ALLOW


def test_a_joined_hold_is_cleared_for_exactly_what_it_joined() -> None:
    document = a_document()
    document["joins"][2] |= {"verdict": "hold"}
    document["joins"][2]["all_of"][0] |= {"categories": ["filters.violence", "filters.gore"]}
    document["joins"][2]["all_of"][0]["at_least"] = 0.1
    by = loaded(document)
    harm, worse = seen("filters.violence", 0.12), seen("filters.gore", 0.12)

    cleared = standings(decided(by, FACE, harm))

    assert decided(by, FACE, harm, cleared=cleared).verdict is Verdict.ALLOW
    assert decided(by, FACE, worse, cleared=cleared).verdict is Verdict.HOLD


# What nobody has thought of.


def test_an_unknown_category_or_detector_is_held_and_cannot_be_cleared() -> None:
    strange = seen("filters.telepathy", 0.0)
    unlisted = Observation(
        "", Gate.FILTERS, "filters.oracle@1", "filters.gore", "prompt", "prompt", 0.0
    )

    for one in (strange, unlisted):
        decision = decided(DEFAULT, one)
        assert decision.verdict is Verdict.HOLD
        assert [reason.code for reason in decision.reasons] == ["policy.unavailable"]
        assert standings(decision) == frozenset()


def test_an_unreachable_or_unlisted_detector_refuses_to_load() -> None:
    document = a_document()
    document["detectors"].append("filters.oracle")
    assert "filters.oracle" in refused(document)

    document = a_document()
    document["detectors"].remove("filters.text")
    assert "filters.text" in refused(document)


# Appeals and reviews.


def test_an_upheld_appeal_lifts_a_block_of_exactly_its_code_and_says_so() -> None:
    claim = seen("rights.claim")

    decision = decided(DEFAULT, claim, lifted=frozenset({"rights.claim"}))

    assert decision.verdict is Verdict.ALLOW
    assert decision.cleared == ("rights.claim@obs_4",)
    assert decided(DEFAULT, claim, lifted=frozenset({"rights.claim_hold"})).verdict is Verdict.BLOCK


@pytest.mark.parametrize("category", ["filters.minors", "policy.unavailable"])
def test_nothing_lifts_a_fixed_rule(category: str) -> None:
    decision = decided(DEFAULT, seen(category), lifted=frozenset({category}))

    assert decision.verdict is not Verdict.ALLOW
    assert decision.cleared == ()


# Documents.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"id: a\nid: b\n", "line 2: the key 'id' is there twice"),
        (b"id: &x a\nversion: *x\n", "line 1: no anchors"),
        (b"id: a\nversion: 2026-99-99\n", "line 2: this is no timestamp"),
        (b"id: !!timestamp abc\n", "line 1: this is no timestamp"),
        (b"id: !!float abc\n", "line 1: this is no float"),
        (b"id: !!bool abc\n", "line 1: this is no bool"),
        (b"? [a]\n: b\n", "line 1: a key is a word"),
        (b"a: [" * 40, "nested over"),
        (b"id: 'a\n", "line"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 300_000, "bytes"),
    ],
)
def test_a_document_that_cannot_be_read_says_where(text: bytes, said: str) -> None:
    with pytest.raises(PolicyRefused, match=r"line|nested|UTF-8|bytes") as error:
        policy(text)
    assert said in str(error.value)


def test_everything_that_is_wrong_is_said_at_once_with_lines() -> None:
    text = DEFAULT_POLICY.read_text()
    lines = text.splitlines()
    first = next(at for at, line in enumerate(lines) if "category: filters.gore" in line)
    lines[first] = lines[first].replace("gore", "gory")
    rule = next(at for at, line in enumerate(lines) if "category: filters.violence" in line)
    second = next(at for at in range(rule, len(lines)) if "hold: 0.15" in lines[at])
    lines[second] = lines[second].replace("0.15", "0.9")

    with pytest.raises(PolicyRefused) as error:
        policy("\n".join(lines).encode())

    assert f"line {first + 1}: no detector reports the category 'filters.gory'" in str(error.value)
    assert f"line {second + 1}: rule filters/violence: hold 0.9 is above block" in str(error.value)
    assert "no rule for the category 'filters.gore'" in str(error.value)


WORDS = ["hold", "never", "0.5", "default", "filters.text", "[", "{", "-", ":", "&a", "*a", "true"]


@settings(deadline=None)
@given(st.data())
def test_a_mangled_document_loads_whole_or_is_refused(data: st.DataObject) -> None:
    lines = DEFAULT_POLICY.read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "word"])):
            case "drop":
                lines[at] = ""
            case "twice":
                lines.insert(at, lines[at])
            case _:
                lines[at] += " " + data.draw(st.sampled_from(WORDS))
    try:
        made = policy("\n".join(lines).encode())
    except PolicyRefused as refusal:
        assert str(refusal)
        return
    assert set(made.rules) == CATEGORIES
    assert decided(made, seen("policy.unavailable")).verdict is not Verdict.ALLOW


# Properties.

OBSERVED = st.lists(
    st.builds(
        seen,
        st.sampled_from(sorted(CATEGORIES)),
        st.floats(0, 1).map(lambda score: round(score, 4)),
        st.sampled_from(sorted(SURFACES)),
        st.sampled_from(["prompt", "shots[0]", "shots[1]", "input_reference"]),
    ),
    max_size=8,
)
LIMITS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@given(OBSERVED, st.sampled_from(sorted(CATEGORIES - {"policy.unavailable"})), LIMITS, LIMITS)
def test_stricter_thresholds_never_give_a_milder_verdict(
    observed: list[Observation], category: str, one: list[float], other: list[float]
) -> None:
    def by(hold: float, block: float) -> Policy:
        limits = {"default": Thresholds(hold, block)}
        rule = replace(DEFAULT.rules[category], thresholds=limits)
        return replace(DEFAULT, rules={**DEFAULT.rules, category: rule})

    strict = decided(by(min(one[0], other[0]), min(one[1], other[1])), *observed).verdict
    mild = decided(by(*one), *observed).verdict

    assert strict >= mild


@given(OBSERVED)
def test_a_join_never_makes_milder_and_order_does_not_matter(observed: list[Observation]) -> None:
    verdict = decided(DEFAULT, *observed).verdict

    assert verdict >= decided(replace(DEFAULT, joins=()), *observed).verdict
    assert verdict == decided(DEFAULT, *reversed(observed)).verdict


@given(OBSERVED, st.sets(st.sampled_from(sorted(CATEGORIES))))
def test_what_was_cleared_is_enough_to_judge_again(
    observed: list[Observation], lifted: set[str]
) -> None:
    first = decided(DEFAULT, *observed, lifted=frozenset(lifted))

    again = judge(
        first.observations, DEFAULT, stage=Stage.REQUEST, circumstances=HERE, at=NOW,
        is_cleared=lambda reason: f"{reason.code}@{reason.observation}" in first.cleared,
    )  # fmt: skip

    assert again.reasons == first.reasons
    assert again.cleared == first.cleared
    assert again.seen == first.observations


def test_the_policy_lists_every_detector_of_this_build() -> None:
    optional = reasons.GUARDS | reasons.IMAGE_MODELS | reasons.READERS

    assert DEFAULT.detectors == DETECTORS | optional
