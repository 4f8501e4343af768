"""A decision in plain words: who looked, what was seen, which rule, and what would change it.

It decides nothing: it reads a decision as the API has it, beside the policy that made it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from service.audit.entries import Json
from service.decision import Circumstances, Gate
from service.policy_book import UNAVAILABLE, Policy, Thresholds
from service.reasons import NOTHING
from service.wire import JSON

Part = Mapping[str, Json]

_HEADS = {
    "allow": "Allowed: no rule of the policy was met.",
    "hold": "Held: a person has to look at it.",
    "block": "Blocked.",
}
_MODES = {
    "shadow": "It was asked in shadow: it is in the log and permits nothing.",
    "dry_run": "It was a dry run: it is in the log and permits nothing.",
}
_GATES = {"filters": "The filters", "likeness": "Likeness", "rights": "Rights", "policy": "Policy"}
_PARAMS = {
    "prompt": "the prompt",
    "shots": "all texts together",
    "likenesses": "the likenesses named",
    "request": "the request",
    "output": "what came out",
}
_CONDITIONS = {
    "visible_mark": "What is made has to carry the visible mark.",
    "max_seconds": "It may last {value} seconds at most.",
    "steer": "It is to be made from other words than were asked.",
}
_WITHOUT = {"hold": "held", "block": "blocked", "allow": "allowed"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision as the API has it, and what it was judged by.

    Attributes:
        policy: None where it cannot be read any more.
    """

    decision: JSON
    policy: Policy | None
    circumstances: Circumstances

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(int(self.decision["created_at"]), UTC)

    def observations(self) -> Sequence[Part]:
        found: Sequence[Part] = self.decision["observations"]
        return found

    def reasons(self) -> Sequence[Part]:
        found: Sequence[Part] = self.decision["reasons"]
        return found

    def thresholds(self, reason: Part) -> Thresholds | None:
        """Return from where on it is held and blocked; None for a join, or an unknown policy."""
        rule = self.policy.rules.get(str(reason["code"])) if self.policy else None
        seen = self.seen(reason)
        if rule is None or seen is None:
            return None
        return rule.thresholds_on(str(seen["surface"]), self.circumstances, self.at)

    def seen(self, reason: Part) -> Part | None:
        """Return the observation that a reason points at."""
        return self.by_id(str(reason["observation"]))

    def by_id(self, observation: str) -> Part | None:
        return next((one for one in self.observations() if one["id"] == observation), None)


def explained(judged: Judged) -> JSON:
    """Return the explanation: sentences for people, and the same in parts for programs."""
    decision = judged.decision
    gates = [_gate(judged, gate) for gate in Gate if _of_gate(judged, gate)]
    reasons = [_reason(judged, reason) for reason in judged.reasons()]
    return {
        "object": "policy.explanation",
        "decision_id": decision["id"],
        "request_id": decision["request_id"],
        "mode": decision["mode"],
        "verdict": decision["verdict"],
        "sentences": list(_sentences(judged, gates, reasons)),
        "gates": gates,
        "reasons": reasons,
        "conditions": decision["conditions"],
        "policy": decision["policy"],
        "shadow": decision["shadow"],
        "cleared": decision.get("cleared", []),
        "receipt": decision["receipt"],
    }


def _sentences(judged: Judged, gates: Sequence[JSON], reasons: Sequence[JSON]) -> Iterator[str]:
    decision = judged.decision
    yield _HEADS[decision["verdict"]]
    if decision["mode"] in _MODES:
        yield _MODES[decision["mode"]]
    yield from (str(gate["sentence"]) for gate in gates)
    for reason in reasons:
        yield from reason["sentences"]
    if len(reasons) > 1:
        yield f"All {len(reasons)} reasons have to go for it to be allowed."
    for code in decision.get("cleared", []):
        yield f"A person has cleared {code.partition('@')[0]} for this request."
    for condition in decision["conditions"] if decision["verdict"] != "block" else ():
        yield _CONDITIONS[condition["type"]].format(**condition)
    policy = decision["policy"]
    yield (
        f"It was judged by policy {policy['id']} {policy['version']} "
        f"({policy['sha256'][:12]}) on {judged.at:%Y-%m-%d at %H:%M:%S} UTC."
    )
    for other in decision["shadow"]:
        codes = f" ({', '.join(other['codes'])})" if other["codes"] else ""
        yield (
            f"Policy {other['version']}, which decides nothing yet, would have said "
            f"{other['verdict']}{codes}."
        )
    yield from _recourse(decision)
    receipt = decision["receipt"]
    if receipt:
        yield f"It is entry {receipt['index']} of the log {receipt['log']}: {receipt['proof_url']}"


def _recourse(decision: JSON) -> Iterator[str]:
    """Say what whoever was refused can do, as far as the decision says it."""
    review, appeal = decision.get("review"), decision.get("appeal")
    if review:
        said = {"open": "A person is going to look at it", "cleared": "A person has cleared it"}
        yield f"{said.get(review['ruling'], 'A person has refused it')}: review {review['id']}."
    if appeal:
        yield f"It is appealed: {appeal['id']} is {appeal['status']}."
    url = next((one["appeal_url"] for one in decision["reasons"] if one.get("appeal_url")), None)
    if url:
        way = f'POST {url} with "decision": "{decision["id"]}"'
        yield f"If you think that it is wrong, appeal: {way}."


def _of_gate(judged: Judged, gate: Gate) -> list[Part]:
    return [one for one in judged.observations() if one["gate"] == gate.value]


def _gate(judged: Judged, gate: Gate) -> JSON:
    """Return what one gate did: where it looked, by what, and what it saw most of."""
    seen = _of_gate(judged, gate)
    failed = any(one["category"] == UNAVAILABLE for one in seen)
    found = [one for one in seen if one["category"] not in {UNAVAILABLE, *NOTHING}]
    most = max(found, key=_score, default=None)
    where = list(dict.fromkeys(str(one["param"]) for one in seen))
    return {
        "gate": gate.value,
        "looked_at": where,
        "detectors": sorted({str(one["detector"]) for one in seen}),
        "could_not_look": failed,
        "seen": len(found),
        "strongest": dict(most) if most is not None else None,
        "sentence": _looked(gate, where, most, failed=failed),
    }


def _looked(gate: Gate, where: Sequence[str], most: Part | None, *, failed: bool) -> str:
    who = _GATES[gate.value]
    if failed and most is None:
        return f"{who}: could not look, and what was not looked at is held."
    places = ", ".join(_param(param) for param in where)
    missing = " A part could not be looked at." if failed else ""
    if most is None:
        return f"{who}: looked at {places} and saw nothing of its concern.{missing}"
    seen = _category(most)
    if gate is Gate.FILTERS:
        seen += f" (score {_score(most):g})"
    return f"{who}: looked at {places}; the strongest was {seen} in {_place(most)}.{missing}"


def _reason(judged: Judged, reason: Part) -> JSON:
    limits = judged.thresholds(reason)
    others = reason.get("joined", ())
    joined = [
        seen
        for one in (others if isinstance(others, Sequence) else ())
        if (seen := judged.by_id(str(one))) is not None
    ]
    milder = _milder(judged, reason, limits)
    return {
        "code": reason["code"],
        "rule": reason["rule"],
        "verdict": reason["verdict"],
        "owner": reason["owner"],
        "seen": judged.seen(reason),
        "joined": joined,
        "score": reason["score"],
        "thresholds": {"hold": limits.hold, "block": limits.block} if limits else None,
        "milder": milder,
        "message": reason["message"],
        "remedy": reason["remedy"],
        "appealable": reason["appealable"],
        "sentences": list(_why(judged, reason, limits, joined, milder)),
    }


def _milder(judged: Judged, reason: Part, limits: Thresholds | None) -> list[JSON]:
    """Return below which scores the same would be judged how; empty where there is no score."""
    seen = judged.seen(reason)
    if limits is None or seen is None or not _is_scored(seen):
        return []
    steps = []
    if reason["verdict"] == "block" and limits.block is not None:
        is_held = limits.hold is not None and limits.hold < limits.block
        steps.append({"under": limits.block, "verdict": "hold" if is_held else "allow"})
    if limits.hold is not None and not (steps and steps[0]["verdict"] == "allow"):
        steps.append({"under": limits.hold, "verdict": "allow"})
    return steps


def _why(
    judged: Judged,
    reason: Part,
    limits: Thresholds | None,
    joined: Sequence[Part],
    milder: Sequence[JSON],
) -> Iterator[str]:
    seen = judged.seen(reason)
    where = _place({**(seen or {}), **reason})
    yield str(reason["message"])
    what = _category(seen) if seen is not None else str(reason["category"])
    if milder:
        yield (
            f"Seen: {what} in {where}, score {_score(reason):g}. Rule {reason['rule']}: "
            f"{_from(limits)}."
        )
        first, *then = [(f"under {one['under']:g}", _WITHOUT[one["verdict"]]) for one in milder]
        more = "".join(f", {under} {milder}" for under, milder in then)
        yield (
            f"{_score(reason):g} reaches {_reached(reason):g}; "
            f"{first[0]} it would be {first[1]}{more}."
        )
    else:
        yield (
            f"Seen: {what} in {where}. Rule {reason['rule']}: what is so is "
            f"{_WITHOUT[str(reason['verdict'])]}, and no score would change it."
        )
    for other in joined:
        yield f"It needs {_category(other)} in {_place(other)} as well: one alone is not it."
    yield f"To change it: {reason['remedy']}"


def _from(limits: Thresholds | None) -> str:
    if limits is None:
        return "its thresholds cannot be read any more"
    said = [
        f"{word} from {at:g}"
        for word, at in (("held", limits.hold), ("blocked", limits.block))
        if at is not None
    ]
    return ", ".join(said)


def _is_scored(seen: Part) -> bool:
    return seen["gate"] == Gate.FILTERS.value and seen["category"] != UNAVAILABLE


def _score(part: Part) -> float:
    return float(str(part["score"]))


def _reached(reason: Part) -> float:
    return float(str(reason["threshold"]))


def _category(seen: Part) -> str:
    gate, _, name = str(seen["category"]).partition(".")
    words = name.replace("_", " ")
    return words if gate == Gate.FILTERS.value else f"“{gate}: {words}”"


def _param(param: str) -> str:
    if param in _PARAMS:
        return _PARAMS[param]
    field, _, number = param.removesuffix("]").partition("[")
    if field == "shots" and number.isdecimal():
        return f"shot {int(number) + 1}"
    return param


def _place(part: Part) -> str:
    """Return where it was seen, for a person; characters until the prompt is erased."""
    param = _param(str(part["param"]))
    match part:
        case {"span": [int(start), int(end)]}:
            return f"{param}, characters {start} to {end}"
        case {"frame": int(frame), "box": [int(x), int(y), int(width), int(height)]}:
            return f"{param}, frame {frame}, {width}x{height} pixels at {x},{y}"
        case {"ms": [int(start), int(end)]}:
            return f"{param}, {start} to {end} ms"
        case _:
            return param
