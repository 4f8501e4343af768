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
    PolicyRef,
    Purpose,
    Reason,
    Receipt,
    Region,
    Shadow,
    Span,
    Steer,
    Verdict,
    VisibleMark,
)

# `policy_book.UNAVAILABLE`, which stands above this module.
_NOT_LOOKED_AT = "policy.unavailable"

JSON = dict[str, Any]
"""A JSON object on its way out. Never travels between functions that decide."""


def decision_json(
    decision: Decision,
    *,
    receipt: Receipt | None = None,
    ticket: str | None = None,
    appeals: str = "",
) -> JSON:
    """Return the object of DESIGN's "The decision".

    Args:
        appeals: where one can appeal against it now; empty where one cannot.
    """
    return {
        "id": decision.id,
        "object": "policy.decision",
        "request_id": decision.request_id,
        "created_at": int(decision.created_at.timestamp()),
        "mode": decision.mode.value,
        "stage": decision.stage.value,
        "verdict": decision.verdict.word,
        "reasons": [_reason(reason, appeals) for reason in decision.reasons],
        "conditions": [_condition(condition) for condition in decision.conditions],
        "observations": [_observation(seen) for seen in decision.observations],
        "policy": policy_json(decision.policy),
        "shadow": [_shadow(one, decision.verdict) for one in decision.shadow],
        **({"cleared": list(decision.cleared)} if decision.cleared else {}),
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
    for key in ("object", "ticket", "receipt", "request_id", "created_at"):
        del facts[key]
    if not decision.shadow:
        del facts["shadow"]
    asked = decision.circumstances
    said = {"plan": asked.plan, "territory": asked.territory}
    if asked.purpose is not Purpose.UNSTATED:
        said["purpose"] = asked.purpose.value
    facts.update({name: word for name, word in said.items() if word})
    facts["decision"] = facts.pop("id")
    return facts


def spans_json(decision: Decision) -> dict[str, list[int]]:
    """Return where in the text each reason points, by the id of its observation."""
    return {
        reason.observation: [reason.place.start, reason.place.end]
        for reason in decision.reasons
        if isinstance(reason.place, Span)
    }


def policy_json(policy: PolicyRef) -> JSON:
    """Return which policy: id, version and the hash of its document."""
    return {"id": policy.id, "version": policy.version, "sha256": policy.sha256}


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


def appeal_json(code: str, appeals: str) -> JSON:
    """Return what a reason says about appeals: none where nothing could be looked at."""
    at = appeals if code != _NOT_LOOKED_AT else ""
    return {"appealable": bool(at), "appeal_url": at or None}


def _reason(reason: Reason, appeals: str) -> JSON:
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
        **({"joined": list(reason.joined)} if reason.joined else {}),
        "remedy": reason.remedy,
        **appeal_json(reason.code, appeals),
    }


def _shadow(other: Shadow, verdict: Verdict) -> JSON:
    return {
        "version": other.policy.version,
        "sha256": other.policy.sha256,
        "verdict": other.verdict.word,
        "codes": list(other.codes),
        "differs": other.verdict is not verdict,
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
