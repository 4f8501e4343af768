"""Why, in plain words, and the proof of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from filters.finding import FilterError
from service import judge
from service.accounts import Role
from service.audit import verify_file
from service.decision import (
    Circumstances,
    Gate,
    Mode,
    Observation,
    Owner,
    Shadow,
    Span,
    Stage,
    Verdict,
)
from service.explaining import Judged, explained
from service.policy_book import Join, Joined, Parts
from service.wire import decision_json
from service.wiring import DEFAULT_POLICY, policy
from tests.service.api.site import PROMPT, Site
from tests.service.api.site import _person as a_person

DEFAULT = policy(DEFAULT_POLICY.read_bytes())
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def asked(site: Site, prompt: str, **more: object) -> dict[str, Any]:
    return dict(site.call("POST", "/v1/policy/decisions", json={"prompt": prompt, **more}).json())


def why(site: Site, decision: dict[str, Any], who: str = "creator") -> dict[str, Any]:
    reply = site.call("GET", f"/v1/policy/decisions/{decision['id']}/explain", who)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_a_block_says_what_was_seen_which_rule_and_under_what_it_would_be_milder(
    site: Site,
) -> None:
    told = why(site, asked(site, "a nude model"))

    (reason,) = told["reasons"]
    said = " ".join(told["sentences"])
    assert told["verdict"] == "block"
    assert (reason["rule"], reason["thresholds"]) == (
        "filters/sexual",
        {"hold": 0.15, "block": 0.5},
    )
    assert reason["milder"] == [
        {"under": 0.5, "verdict": "hold"},
        {"under": 0.15, "verdict": "allow"},
    ]
    assert "0.97 reaches 0.5; under 0.5 it would be held, under 0.15 allowed." in said
    assert "Leave out nudity and sex" in said
    assert "appeal: POST" in said
    assert f"entry {told['receipt']['index']} of the log" in said


def test_an_allow_says_who_looked_and_how_near_it_came(site: Site) -> None:
    told = why(site, asked(site, PROMPT))

    assert told["sentences"][0] == "Allowed: no rule of the policy was met."
    assert {gate["gate"] for gate in told["gates"]} == {"filters", "likeness", "rights"}
    assert any("score 0.001" in one for one in told["sentences"])
    assert any("saw nothing of its concern" in one for one in told["sentences"])
    assert told["reasons"] == []


def test_what_was_found_or_not_has_no_score_to_change(site: Site) -> None:
    told = why(site, asked(site, "a ball beside @nobody_knows"))

    (reason,) = told["reasons"]
    said = " ".join(told["sentences"])
    assert reason["milder"] == []
    assert "characters 14 to 27" in said
    assert "no score would change it" in said
    assert "A person is going to look at it" in said


def test_a_gate_that_could_not_look_says_so(site: Site) -> None:
    site.words.broken = FilterError("gone")
    try:
        decision = asked(site, PROMPT)
    finally:
        site.words.broken = None

    told = why(site, decision)

    assert "The filters: could not look, and what was not looked at is held." in told["sentences"]
    assert told["gates"][0]["could_not_look"] is True


def test_shots_are_counted_like_people_count(site: Site) -> None:
    decision = site.call(
        "POST", "/v1/policy/decisions", json={"shots": ["a ball", "a nude model"]}
    ).json()

    said = " ".join(why(site, decision)["sentences"])

    assert "in shot 2" in said
    assert "in all texts together" in said
    assert "All 2 reasons have to go" in said


@pytest.mark.parametrize("mode", ["shadow", "dry_run"])
def test_a_trial_says_that_it_permits_nothing(site: Site, mode: str) -> None:
    told = why(site, asked(site, PROMPT, mode=mode))

    assert "permits nothing" in told["sentences"][1]


@pytest.mark.parametrize("part", ["explain", "proof"])
def test_anothers_decision_is_not_there(site: Site, part: str) -> None:
    decision = asked(site, PROMPT)

    reply = site.call("GET", f"/v1/policy/decisions/{decision['id']}/{part}", "other")
    unknown = site.call("GET", f"/v1/policy/decisions/dec_{'0' * 26}/{part}")
    role = site.call("GET", f"/v1/policy/decisions/{decision['id']}/{part}", "rights_holder")

    assert (reply.status_code, unknown.status_code, role.status_code) == (404, 404, 403)


def test_an_erased_prompt_takes_the_places_along(site: Site) -> None:
    who, rooms = "gone", site.house.rooms
    with rooms.database.transaction() as conn:
        a_person(site, conn, who, frozenset({Role.CREATOR}), "ours")
    decision = site.call(
        "POST", "/v1/policy/decisions", who, json={"prompt": "near @nobody_at_all"}
    ).json()
    before = " ".join(why(site, decision, who)["sentences"])

    with rooms.database.transaction() as conn:
        rooms.subjects.destroy(conn, site.actors[who])
    after = " ".join(why(site, decision, who)["sentences"])

    assert "characters 5 to 19" in before
    assert "characters" not in after
    assert "in the prompt" in after


def test_the_proof_holds_offline(site: Site) -> None:
    decision = asked(site, "a nude model")

    proof = site.call("GET", f"/v1/policy/decisions/{decision['id']}/proof")

    proved = verify_file.verify(proof.text, site.house.rooms.log.verifier_keys()[0])
    assert proof.headers["content-type"].startswith("text/plain")
    assert decision["id"].encode() in proved.entry


def seen(number: int, category: str, score: float, param: str = "prompt") -> Observation:
    gate = Gate(category.partition(".")[0])
    place = Span(2, 6) if number == 1 else None
    return Observation(
        f"obs_{number}", gate, "filters.text@1", category, "prompt", param, score, place
    )


def test_a_join_names_both_parts() -> None:
    join = Join(
        "joins/both", "policy.both", Owner.PLATFORM, "Both at once.", "Leave one out.",
        Verdict.BLOCK, Parts.ANYWHERE,
        (
            Joined(frozenset({"filters.violence"}), frozenset(), 0.1),
            Joined(frozenset({"filters.hate"}), frozenset(), 0.1),
        ),
    )  # fmt: skip
    both = replace(DEFAULT, joins=(join,), requires={Stage.REQUEST: frozenset()})
    decision = judge.decide(
        [seen(1, "filters.violence", 0.12), seen(2, "filters.hate", 0.11, "shots[0]")],
        both, decision_id="dec_1", request_id="req_1", stage=Stage.REQUEST, mode=Mode.ENFORCE,
        now=AT,
    )  # fmt: skip
    shadow = Shadow(replace(DEFAULT.ref, version="next"), Verdict.HOLD, ("filters.hate",))

    told = explained(
        Judged(decision_json(replace(decision, shadow=(shadow,))), both, Circumstances())
    )

    said = " ".join(told["sentences"])
    assert "violence in the prompt, characters 2 to 6" in said
    assert "It needs hate in shot 1 as well" in said
    assert "Policy next, which decides nothing yet, would have said hold (filters.hate)." in said


def test_without_its_policy_it_says_what_the_log_knows() -> None:
    decision = judge.decide(
        [seen(1, "filters.sexual", 0.9)],
        DEFAULT, decision_id="dec_1", request_id="req_1", stage=Stage.REQUEST, mode=Mode.ENFORCE,
        now=AT,
    )  # fmt: skip

    told = explained(Judged(decision_json(decision), None, Circumstances()))

    assert told["reasons"][0]["thresholds"] is None
    assert told["verdict"] == "block"
