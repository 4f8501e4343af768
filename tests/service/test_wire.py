import json
from datetime import UTC, datetime

from service.decision import (
    Decision,
    Gate,
    MaxSeconds,
    Mode,
    Moment,
    Observation,
    Owner,
    PolicyRef,
    Reason,
    Receipt,
    Region,
    Span,
    Stage,
    Steer,
    Verdict,
    VisibleMark,
)
from service.wire import decision_json, leaf_facts

PLACES = (Span(12, 20), Region(17, 1, 2, 3, 4), Moment(1200, 1900), None)


def a_decision() -> Decision:
    return Decision(
        id="dec_1",
        request_id="req_1",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        mode=Mode.ENFORCE,
        stage=Stage.REQUEST,
        verdict=Verdict.BLOCK,
        reasons=tuple(
            Reason(
                "rights.claim", Verdict.BLOCK, Gate.RIGHTS, Owner.HOLDER, "claim", "A sentence.",
                "A way out.", "prompt", "rights/claim", f"obs_{number}", 0.81, 0.5, place,
            )
            for number, place in enumerate(PLACES)
        ),
        conditions=(VisibleMark(), MaxSeconds(8), Steer("a ball", "a logo")),
        observations=tuple(
            Observation(
                f"obs_{number}", Gate.RIGHTS, "rights.names@1", "rights.claim", "prompt", "prompt",
                1.0, place, ("clm_1",), "claims:7",
            )
            for number, place in enumerate(PLACES)
        ),
        policy=PolicyRef("default", "1", "ab" * 32),
    )  # fmt: skip


def test_the_decision_has_the_fields_of_the_design() -> None:
    sent = decision_json(a_decision(), receipt=Receipt("log", 1, 2, "cp", "/p"), ticket="v1.x")

    assert sent["object"] == "policy.decision"
    assert sent["verdict"] == "block"
    assert sent["reasons"][0]["span"] == [12, 20]
    assert sent["reasons"][1]["frame"] == 17
    assert sent["reasons"][1]["box"] == [1, 2, 3, 4]
    assert sent["reasons"][2]["ms"] == [1200, 1900]
    assert sent["conditions"] == [
        {"type": "visible_mark"},
        {"type": "max_seconds", "value": 8},
        {"type": "steer", "prompt": "a ball", "negative": "a logo"},
    ]
    assert sent["receipt"]["index"] == 1
    assert sent["ticket"] == "v1.x"
    json.dumps(sent)


def test_the_leaf_has_scores_and_codes_but_no_sentence_and_no_span() -> None:
    leaf = json.dumps(leaf_facts(a_decision()))

    assert "rights/claim" in leaf
    assert "0.81" in leaf
    assert "claims:7" in leaf
    assert "span" not in leaf
    assert "A sentence." not in leaf
