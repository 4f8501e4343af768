"""Statements of reasons: what the EU's database takes, what a lawyer reads, and nobody's data."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest

from service.audit.log import AuditLog
from service.audit.reading import LoggedEntry
from service.database import Database
from service.exports.grounds import GROUNDS
from service.exports.statements import Refusal, statement
from service.exports.words import Format
from service.wiring import DEFAULT_POLICY, policy
from tests.service.audit.builders import an_entry
from tests.service.exports.builders import a_decision, begun, text_of, told
from tests.service.exports.dsa_schema import STATEMENT

_SCHEMA = jsonschema_rs.validator_for(STATEMENT)


def entry(facts: Mapping[str, Any], type: str = "decision.made") -> LoggedEntry:  # noqa: A002
    at = "2026-11-21T08:00:00.000000Z"
    return LoggedEntry(7, "key", type, at, at, "req_1", "act_1", "prj_1", facts, {}, b"{}")


def stated(facts: Mapping[str, Any], ruled: LoggedEntry | None = None) -> dict[str, Any]:
    made = statement(Refusal(entry(facts), ruled), told)
    assert made is not None
    _SCHEMA.validate(made)
    return made


def test_every_reason_that_the_default_policy_can_give_has_a_ground() -> None:
    default = policy(DEFAULT_POLICY.read_bytes())
    stops = {
        rule.category
        for rule in default.rules.values()
        if any(limits.hold is not None or limits.block is not None for limits in
               rule.thresholds.values())
    }  # fmt: skip

    assert stops | {join.code for join in default.joins} <= GROUNDS.keys()


@pytest.mark.parametrize("code", [*sorted(GROUNDS), "operator.own_rule"])
@pytest.mark.parametrize("stage", ["request", "half_way", "output", "release"])
def test_every_code_at_every_stage_is_what_the_database_takes(code: str, stage: str) -> None:
    made = stated(a_decision("block", code, "filters.sexual", stage=stage))

    assert made["puid"] == "dec_block_2"
    assert code in made["incompatible_content_explanation"]


def test_it_says_what_was_found_and_by_whom_it_was_decided() -> None:
    made = stated(a_decision("block", "filters.sexual"))

    assert made["decision_facts"] == (
        "A recipient of the service asked it to generate a film, and the service examined the "
        "request and what came of it by automated means. The examination of the text of the "
        "request by filters.text@1 found: sexual content, with a score of 0.97 on a scale from 0 "
        "to 1; the rule applies from 0.5. The service refused it before anything was generated. "
        "No person took part in this decision."
    )
    assert made["incompatible_content_explanation"] == (
        "The requested content appears to be sexual; the terms of the service do not permit this "
        "(reason code filters.sexual). The recipient of the service was told: "
        '"This is what the rule filters/sexual tells people."'
    )
    assert made["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert made["category_specification"] == ["KEYWORD_ADULT_SEXUAL_MATERIAL"]


def test_what_a_person_refused_says_so() -> None:
    ruled = entry({"decision": "dec_hold_1"}, "review.refused")

    made = stated(a_decision("hold", "likeness.stranger", stage="output"), ruled)

    assert made["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert "A moderator of the service examined it on 2026-11-21" in made["decision_facts"]
    assert made["decision_visibility_other"] == "The generated film was not released."
    assert "CONTENT_TYPE_VIDEO" in made["content_type"]


@pytest.mark.parametrize(
    ("territory", "scope"),
    [({"territory": "DE"}, ["DE"]), ({"circumstances": {"territory": "NO"}}, ["NO"]), ({}, None)],
)
def test_it_is_about_where_the_film_was_to_be_shown(
    territory: dict[str, Any], scope: list[str] | None
) -> None:
    made = stated(a_decision("block", "filters.sexual", **territory))

    assert made["territorial_scope"] == scope or len(made["territorial_scope"]) == 30


def test_a_refusal_for_another_part_of_the_world_is_no_statement() -> None:
    facts = a_decision("block", "filters.sexual", territory="US")

    assert statement(Refusal(entry(facts)), told) is None


def test_texts_without_end_are_cut_at_the_limit() -> None:
    facts = a_decision("block", *(f"own.rule_{number}" for number in range(400)))

    made = statement(Refusal(entry(facts)), lambda _sha, rule: rule * 30)

    assert made is not None
    _SCHEMA.validate(made)
    assert len(made["incompatible_content_explanation"]) == 2000


def test_statements_come_by_the_hundred_and_the_last_line_counts_all(
    log: AuditLog, database: Database
) -> None:
    block = a_decision("block", "filters.sexual")
    log.append_many([an_entry(f"block_{at}", facts=block) for at in range(230)])
    log.append_many(
        [
            an_entry("own", facts=a_decision("block", "operator.own_rule")),
            an_entry("far", facts=a_decision("block", "filters.sexual", territory="US")),
            an_entry("shadow", facts={**block, "mode": "shadow"}),
            an_entry("dry", facts={**block, "mode": "dry_run"}),
            an_entry("allow", facts=a_decision("allow")),
            an_entry("hold", facts=a_decision("hold", "likeness.stranger")),
            an_entry("decision:dec_hold_1", facts=a_decision("hold", "likeness.stranger")),
            an_entry("act_1", type="review.refused", facts={"decision": "dec_hold_1"}),
            an_entry("act_2", type="review.refused", facts={"decision": "dec_pruned"}),
            an_entry("act_3", type="review.cleared", facts={"decision": "dec_hold_1"}),
        ]
    )

    _, *batches, end = map(json.loads, text_of(begun(log, database, Format.DSA_SOR)).splitlines())

    assert [len(one["statements"]) for one in batches] == [100, 100, 32]
    assert end == {
        "object": "audit.export.end", "entries": 234, "statements": 232, "unmapped": 1,
        "outside_eea": 1, "decision_missing": 1,
    }  # fmt: skip
    for batch in batches:
        for one in batch["statements"]:
            _SCHEMA.validate(one)


def test_no_id_of_a_person_a_request_or_a_project_is_in_a_statement(
    log: AuditLog, database: Database
) -> None:
    log.append(
        an_entry("key", facts=a_decision("block", "likeness.not_granted"), actor="act_person")
    )

    _, batch, _ = text_of(begun(log, database, Format.DSA_SOR)).splitlines()

    assert "statements" in batch
    for word in ("act_", "req_", "prj_", "lik_"):
        assert word not in batch
