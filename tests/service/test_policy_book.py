from pathlib import Path

import pytest
import yaml

from service.decision import Verdict
from service.policy_book import Policy, PolicyRefused
from service.reasons import CATEGORIES
from service.wiring import DEFAULT_POLICY, policy


def a_document() -> dict[str, object]:
    return dict(yaml.safe_load(DEFAULT_POLICY.read_bytes()))


def loaded(document: object) -> Policy:
    return policy(yaml.safe_dump(document).encode())


def refused(document: object) -> str:
    with pytest.raises(PolicyRefused) as error:
        loaded(document)
    return str(error.value)


def test_the_packaged_policy_is_whole_and_names_its_document() -> None:
    default = policy(DEFAULT_POLICY.read_bytes())

    assert set(default.rules) == CATEGORIES
    assert len(default.ref.sha256) == 64


def test_every_rule_that_can_refuse_says_what_to_do() -> None:
    for rule in loaded(a_document()).rules.values():
        assert rule.message.endswith((".", "hour.")), rule.id
        assert rule.remedy.endswith("."), rule.id


def test_an_unknown_category_refuses_to_load() -> None:
    document = a_document()
    document["rules"][0]["category"] = "filters.sexuall"  # type: ignore[index]

    assert "filters.sexuall" in refused(document)
    assert "no rule for the category 'filters.sexual'" in refused(document)


def test_a_missing_rule_refuses_to_load() -> None:
    document = a_document()
    del document["rules"][3]  # type: ignore[attr-defined]

    assert "no rule for the category" in refused(document)


@pytest.mark.parametrize("gone", ["hold", "block"])
def test_a_missing_threshold_refuses_to_load(gone: str) -> None:
    document = a_document()
    del document["rules"][0]["thresholds"]["default"][gone]  # type: ignore[index]

    assert gone in refused(document)


@pytest.mark.parametrize("value", [1.5, -0.1, "often", None, True])
def test_a_threshold_that_is_no_score_refuses_to_load(value: object) -> None:
    document = a_document()
    document["rules"][0]["thresholds"]["default"]["hold"] = value  # type: ignore[index]

    assert "thresholds.default.hold" in refused(document)


def test_an_unknown_key_or_surface_refuses_to_load() -> None:
    document = a_document()
    document["treshold"] = 1
    assert "treshold" in refused(document)

    document = a_document()
    document["rules"][0]["thresholds"]["framez"] = {"hold": 0.1, "block": 0.2}  # type: ignore[index]
    assert "framez" in refused(document)


def test_a_stage_that_no_gate_looks_at_refuses_to_load() -> None:
    document = a_document()
    document["requires"]["output"] = []  # type: ignore[index]

    assert "output" in refused(document)


@pytest.mark.parametrize("content", [b"", b"- 1", b"{", b"id: x", b"\xff"])
def test_what_is_no_policy_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyRefused):
        policy(content)


def test_one_changed_byte_is_another_policy(tmp_path: Path) -> None:
    content = DEFAULT_POLICY.read_bytes()

    one = policy(content)
    other = policy(content + b"\n")

    assert one.ref.sha256 != other.ref.sha256


def test_a_surface_may_have_thresholds_of_its_own() -> None:
    rule = loaded(a_document()).rule_for("likeness.inconclusive")

    assert rule.verdict(1.0, "picture")[0] is Verdict.HOLD
    assert rule.verdict(1.0, "frames")[0] is Verdict.ALLOW
