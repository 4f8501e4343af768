"""Refusals as statements of reasons for the EU's DSA Transparency Database (Article 24(5) DSA).

Each line with `statements` can be posted to the database as it is: it has up to 100. They are
written from what the log holds, so there is no prompt, no name and no id of a person in them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.audit.entries import Json
from service.audit.errors import NoEntry
from service.audit.log import AuditLog
from service.audit.reading import LoggedEntry
from service.exports.flat import member, members, text
from service.exports.grounds import EEA, GROUNDS, UNMAPPED
from service.exports.jsonl import line
from service.exports.opening import Opened, closing
from service.wire import JSON

Told = Callable[[str, str], str]
"""Returns what the policy with this SHA-256 tells a person by this rule; nothing if unknown."""

IN_A_CALL = 100
_SHORT, _LONG, _FACTS = 500, 2000, 5000
_NO_PUID = re.compile(r"[^A-Za-z0-9_-]")
_ASKED = (
    "A recipient of the service asked it to generate a film, and the service examined the request "
    "and what came of it by automated means."
)
_SEEN = {
    "prompt": "the text of the request",
    "picture": "a picture that was sent with the request",
    "frames": "the frames of the generated film",
    "captions": "text that is to be read in the film or stands in a picture",
    "speech": "speech in the generated film",
}
_CAME_OF_IT = {
    "request": ("The requested film was not generated.", "before anything was generated"),
    "half_way": ("The requested film was not finished.", "while the film was being generated"),
    "output": ("The generated film was not released.", "before the generated film was released"),
    "release": ("The generated film was not released.", "before the generated film was released"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision that refused something, by a rule alone or by a person after it was held.

    Attributes:
        ruled: the entry of the review, if a person refused.
    """

    decision: LoggedEntry
    ruled: LoggedEntry | None = None


@dataclass(slots=True)
class _Counts:
    statements: int = 0
    unmapped: int = 0
    outside_eea: int = 0
    decision_missing: int = 0


def lines(opened: Opened, told: Told) -> Iterator[str]:
    """Yield the export line by line."""
    yield line(opened.envelope())
    counts, waiting = _Counts(), list[JSON]()
    for row in opened.rows():
        made = _made(opened.books.log, row.entry, told, counts)
        waiting += [made] if made else []
        if len(waiting) == IN_A_CALL:
            yield line({"statements": waiting})
            waiting = []
    if waiting:
        yield line({"statements": waiting})
    yield line(
        closing(
            opened.count,
            statements=counts.statements,
            unmapped=counts.unmapped,
            outside_eea=counts.outside_eea,
            decision_missing=counts.decision_missing,
        )
    )


def statement(refusal: Refusal, told: Told) -> JSON | None:
    """Return the statement about a refusal; None where it is about another part of the world."""
    facts = refusal.decision.facts
    scope = _scope(facts)
    if not scope:
        return None
    reasons = members(facts.get("reasons"))
    codes = list(dict.fromkeys(text(one.get("code")) for one in reasons)) or [""]
    ground = GROUNDS.get(codes[0], UNMAPPED)
    more = [GROUNDS.get(code, UNMAPPED).category for code in codes[1:]]
    further = list(dict.fromkeys(one for one in more if one != ground.category))
    made = {
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": _came_of_it(facts)[0],
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": _cut(_rule(facts, reasons), _SHORT),
        "incompatible_content_explanation": _cut(_explained(facts, reasons, told), _LONG),
        "content_type": _content_types(facts),
        "category": ground.category,
        "category_specification": list(ground.keywords),
        "territorial_scope": list(scope),
        "content_date": refusal.decision.at[:10],
        "application_date": (refusal.ruled or refusal.decision).at[:10],
        "decision_facts": _cut(_facts(refusal, reasons), _FACTS),
        "source_type": _source(reasons),
        "automated_detection": "Yes",
        "automated_decision": f"AUTOMATED_DECISION_{'PARTIALLY' if refusal.ruled else 'FULLY'}",
        "puid": _NO_PUID.sub("-", text(facts.get("decision")))[:_SHORT],
    }
    if further:
        made["category_addition"] = further
    if "KEYWORD_OTHER" in ground.keywords:
        made["category_specification_other"] = ground.finding
    return made


def _made(log: AuditLog, entry: LoggedEntry, told: Told, counts: _Counts) -> JSON | None:
    refusal: Refusal | None = Refusal(entry)
    if entry.type != "decision.made":
        refusal = _ruled(log, entry)
    if refusal is None:
        counts.decision_missing += 1
        return None
    made = statement(refusal, told)
    if made is None:
        counts.outside_eea += 1
        return None
    reasons = members(refusal.decision.facts.get("reasons"))
    counts.statements += 1
    counts.unmapped += not all(text(one.get("code")) in GROUNDS for one in reasons) or not reasons
    return made


def _ruled(log: AuditLog, ruling: LoggedEntry) -> Refusal | None:
    """Return what a person refused; None if the decision that held it was pruned."""
    try:
        return Refusal(log.entry_by_key(f"decision:{text(ruling.facts.get('decision'))}"), ruling)
    except NoEntry:
        return None


def _scope(facts: Mapping[str, Json]) -> Sequence[str]:
    territory = text(facts.get("territory")) or text(
        member(facts.get("circumstances")).get("territory")
    )
    if not territory:
        return EEA
    return (territory,) if territory in EEA else ()


def _came_of_it(facts: Mapping[str, Json]) -> tuple[str, str]:
    return _CAME_OF_IT.get(text(facts.get("stage")), _CAME_OF_IT["request"])


def _rule(facts: Mapping[str, Json], reasons: Sequence[Mapping[str, Json]]) -> str:
    policy = member(facts.get("policy"))
    rule = text(reasons[0].get("rule")) if reasons else "unknown"
    return (
        f'Rule "{rule}" of the content policy "{text(policy.get("id"))}", version '
        f"{text(policy.get('version'))}, which is part of the terms of the service. The policy "
        f"document has the SHA-256 hash {text(policy.get('sha256'))}."
    )


def _explained(facts: Mapping[str, Json], reasons: Sequence[Mapping[str, Json]], told: Told) -> str:
    """Return why the content does not fit the terms, and what the recipient was told of it."""
    what = "requested" if text(facts.get("stage")) == "request" else "generated"
    by_ground: dict[str, list[str]] = {}
    for one in reasons:
        code = text(one.get("code"))
        by_ground.setdefault(GROUNDS.get(code, UNMAPPED).says, []).append(code)
    said = [
        f"The {what} content {says}; the terms of the service do not permit this "
        f"(reason code {', '.join(dict.fromkeys(codes))})."
        for says, codes in by_ground.items()
    ]
    sha256 = text(member(facts.get("policy")).get("sha256"))
    messages = dict.fromkeys(told(sha256, text(one.get("rule"))) for one in reasons)
    if shown := [f'"{one}"' for one in messages if one]:
        said.append(f"The recipient of the service was told: {' '.join(shown)}")
    return " ".join(said) or f"The {what} content {UNMAPPED.says}; no reason code was recorded."


def _facts(refusal: Refusal, reasons: Sequence[Mapping[str, Json]]) -> str:
    facts = refusal.decision.facts
    seen = {text(one.get("id")): one for one in members(facts.get("observations"))}
    _, when = _came_of_it(facts)
    said = [_ASKED]
    said += dict.fromkeys(
        _examined(one, seen.get(text(one.get("observation")), {})) for one in reasons
    )
    if refusal.ruled is None:
        said.append(f"The service refused it {when}. No person took part in this decision.")
    else:
        said.append(
            f"The service held it for a person to examine, {when}. A moderator of the service "
            f"examined it on {refusal.ruled.at[:10]} and refused it."
        )
    return " ".join(said)


def _examined(reason: Mapping[str, Json], seen: Mapping[str, Json]) -> str:
    """Return a sentence about one finding."""
    where = _SEEN.get(text(seen.get("surface")), "the request as a whole")
    detector = f" by {name}" if (name := text(seen.get("detector"))) else ""
    code = text(reason.get("code"))
    finding = GROUNDS[code].finding if code in GROUNDS else code
    said = f"The examination of {where}{detector} found: {finding}"
    score, threshold = reason.get("score"), reason.get("threshold")
    if not isinstance(score, int | float) or not isinstance(threshold, int | float) or score >= 1:
        # It says yes or no.
        return f"{said}."
    scale = f"a score of {score} on a scale from 0 to 1; the rule applies from {threshold}"
    return f"{said}, with {scale}."


def _content_types(facts: Mapping[str, Json]) -> list[str]:
    surfaces = {text(one.get("surface")) for one in members(facts.get("observations"))}
    kinds = {"CONTENT_TYPE_SYNTHETIC_MEDIA"}
    if text(facts.get("stage")) == "request":
        kinds.add("CONTENT_TYPE_TEXT")
        kinds |= {"CONTENT_TYPE_IMAGE"} if "picture" in surfaces else set()
    else:
        kinds.add("CONTENT_TYPE_VIDEO")
    return sorted(kinds)


def _source(reasons: Sequence[Mapping[str, Json]]) -> str:
    # A claim is a notice that its holder gave before anybody asked.
    claimed = bool(reasons) and text(reasons[0].get("owner")) == "holder"
    return "SOURCE_TYPE_OTHER_NOTIFICATION" if claimed else "SOURCE_VOLUNTARY"


def _cut(said: str, most: int) -> str:
    return said if len(said) <= most else said[: most - 1] + "…"
