"""What an entry can be found by: pairs of a name and a value, read from its leaf."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EDITION = 2
"""Count it up when an entry's terms change: the index is then made anew, by itself."""

MAX_VALUE_CHARACTERS = 200
NO_PROJECT = "none"
"""What stands for the project of an entry that belongs to none and concerns everybody."""

_ENVELOPE = ("type", "request", "actor", "project")
_FACTS: Mapping[str, str] = {
    "allowed_by": "decision",
    "appeal": "appeal",
    "case": "case",
    "claim": "claim",
    "content_sha256": "content",
    "decision": "decision",
    "erasure": "erasure",
    "for": "subject",
    "grant": "grant",
    "hold": "hold",
    "holder": "holder",
    "job": "job",
    "likeness": "subject",
    "manifest": "manifest",
    "mark": "mark",
    "mode": "mode",
    "model": "model",
    "model_sha256": "model",
    "model_version": "model",
    "review": "review",
    "stage": "stage",
    "subject": "subject",
    "target": "subject",
    "territory": "territory",
    "to": "subject",
    "verdict": "verdict",
}
DOTTED = frozenset({"type", "reason", "category"})
"""Names whose values have parts, so that `likeness.*` finds all that begin so."""

_MATCHED = {"lik_": "subject", "clm_": "claim", "grt_": "grant"}

NAMES = tuple(
    sorted(
        {*_ENVELOPE, *_FACTS.values()}
        | {"reason", "category", "detector", "entry", "policy", "register"}
    )
)
"""Everything that can be asked for."""


def terms_of(leaf: bytes) -> frozenset[tuple[str, str]]:
    """Return an entry's terms; none of a leaf that cannot be read, which the tree reports.

    A dotted value is also found by its beginnings: `likeness.no_grant` by `likeness.*`.
    """
    try:
        content = json.loads(leaf)
        return frozenset(
            (name, value)
            for name, value in _terms(content)
            if 0 < len(value) <= MAX_VALUE_CHARACTERS and _is_storable(value)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def _is_storable(value: str) -> bool:
    # Only who tampers gets such a text into a leaf; no database takes it.
    return "\0" not in value and (
        value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)
    )


def beginnings(value: str) -> Iterator[str]:
    """Yield `a.*` and `a.b.*` for `a.b.c`."""
    at = value.find(".")
    while at > 0:
        yield value[: at + 1] + "*"
        at = value.find(".", at + 1)


def _terms(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _ENVELOPE:
        yield from _spelled(name, content[name])
    if not content["project"]:
        yield "project", NO_PROJECT
    facts = content["facts"]
    for key, name in _FACTS.items():
        yield from _spelled(name, facts.get(key))
    # An entry about another entry, such as a disclosure, names it by its number.
    if type(facts.get("index")) is int:
        yield "entry", str(facts["index"])
    yield from _judged(facts)


def _judged(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for policy in _objects([facts.get("policy")]):
        for part in ("sha256", "version", "id"):
            yield from _spelled("policy", policy.get(part))
    for reason in _objects(facts.get("reasons")):
        yield from _spelled("reason", reason.get("code"))
        yield from _spelled("category", reason.get("category"))
    for seen in _objects(facts.get("observations")):
        yield from _spelled("detector", seen.get("detector"))
        yield from _spelled("register", seen.get("index"))
        yield from _matched(seen.get("matched"))


def _matched(value: object) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, Sequence) else ():
        name = _MATCHED.get(one[:4]) if isinstance(one, str) else None
        if name is not None:
            yield name, one


def _spelled(name: str, value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        return
    yield name, value
    if name in DOTTED:
        for beginning in beginnings(value):
            yield name, beginning


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Sequence):
        yield from (one for one in value if isinstance(one, Mapping))
