"""The decision as JSON: one shape for the API, the log, webhooks and the command line."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from service.decision import (
    Condition,
    Decision,
    MaxSeconds,
    Moment,
    Observation,
    Place,
    Reason,
    Receipt,
    Region,
    Span,
    Steer,
    Verdict,
    VisibleMark,
)

JSON = dict[str, Any]
"""A JSON object on its way out. Never travels between functions that decide."""


def decision_json(
    decision: Decision, *, receipt: Receipt | None = None, ticket: str | None = None
) -> JSON:
    """Return the object of DESIGN's "The decision"."""
    return {
        "id": decision.id,
        "object": "policy.decision",
        "request_id": decision.request_id,
        "created_at": int(decision.created_at.timestamp()),
        "mode": decision.mode.value,
        "stage": decision.stage.value,
        "verdict": decision.verdict.word,
        "reasons": [_reason(reason) for reason in decision.reasons],
        "conditions": [_condition(condition) for condition in decision.conditions],
        "observations": [_observation(seen) for seen in decision.observations],
        "policy": {
            "id": decision.policy.id,
            "version": decision.policy.version,
            "sha256": decision.policy.sha256,
        },
        "shadow": [],
        "billable": decision.billable,
        "ticket": ticket,
        "receipt": receipt_json(receipt) if receipt else None,
    }


def leaf_facts(decision: Decision) -> JSON:
    """Return what of a decision goes into the log: all but the sentences and the places in text.

    The sentences stand in the policy, which is named by its hash. A span would tell where in an
    erased prompt the matched word stood.
    """
    reasons = [replace(reason, message="", remedy="") for reason in decision.reasons]
    facts = decision_json(replace(decision, reasons=tuple(reasons)))
    for part in (*facts["reasons"], *facts["observations"]):
        part.pop("span", None)
        part.pop("message", None)
        part.pop("remedy", None)
    for key in ("object", "ticket", "receipt", "shadow", "request_id", "created_at"):
        del facts[key]
    facts["decision"] = facts.pop("id")
    return facts


def spans_json(decision: Decision) -> dict[str, list[int]]:
    """Return where in the text each reason points, by the id of its observation."""
    return {
        reason.observation: [reason.place.start, reason.place.end]
        for reason in decision.reasons
        if isinstance(reason.place, Span)
    }


def receipt_json(receipt: Receipt) -> JSON:
    """Return the receipt: which log, which entry, under which signed checkpoint."""
    return {
        "log": receipt.log,
        "index": receipt.index,
        "tree_size": receipt.tree_size,
        "checkpoint": receipt.checkpoint,
        "proof_url": receipt.proof_url,
    }


def rfc3339(moment: datetime) -> str:
    """Return `moment` in UTC with microseconds, as in `2026-11-21T01:46:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reason(reason: Reason) -> JSON:
    return {
        "code": reason.code,
        "verdict": reason.verdict.word,
        "gate": reason.gate.value,
        "owner": reason.owner.value,
        "category": reason.category,
        "message": reason.message,
        "param": reason.param,
        **_place(reason.place),
        "score": reason.score,
        "threshold": reason.threshold,
        "rule": reason.rule,
        "observation": reason.observation,
        "remedy": reason.remedy,
        "appealable": reason.appealable,
        "appeal_url": None,
    }


def _observation(seen: Observation) -> JSON:
    return {
        "id": seen.id,
        "gate": seen.gate.value,
        "detector": seen.detector,
        "category": seen.category,
        "surface": seen.surface,
        "param": seen.param,
        "score": seen.score,
        **_place(seen.place),
        "matched": list(seen.matched),
        "index": seen.index,
    }


def _place(place: Place | None) -> JSON:
    match place:
        case None:
            return {}
        case Span(start, end):
            return {"span": [start, end]}
        case Region(frame, x, y, width, height):
            return {"frame": frame, "box": [x, y, width, height]}
        case Moment(start_ms, end_ms):
            return {"ms": [start_ms, end_ms]}
        case _:
            assert_never(place)


def _condition(condition: Condition) -> JSON:
    match condition:
        case VisibleMark():
            return {"type": "visible_mark"}
        case MaxSeconds(value):
            return {"type": "max_seconds", "value": value}
        case Steer(prompt, negative):
            return {"type": "steer", "prompt": prompt, "negative": negative}
        case _:
            assert_never(condition)


EXIT_CODES = {Verdict.ALLOW: 0, Verdict.HOLD: 3, Verdict.BLOCK: 4}
"""What `imprimatur check` ends with; 1 means that there is no decision."""
