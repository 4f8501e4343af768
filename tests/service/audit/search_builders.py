"""A log of random entries beside a plain list of what each was, to hold the index against."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

from service.audit.entries import Entry, Json
from service.audit.log import AuditLog
from service.audit.search.query import (
    All,
    AnyOf,
    Before,
    Not,
    Places,
    Query,
    Since,
    Term,
)
from tests.service.audit.builders import START, Clock

TYPES = ("decision.made", "review.cleared", "review.refused", "policy.live", "release.sealed")
VERDICTS = ("allow", "hold", "block")
CODES = ("likeness.no_grant", "likeness.face.child", "filters.sexual", "rights.claimed")
PROJECTS = ("prj_1", "prj_2", "")


@dataclass(frozen=True, slots=True)
class Known:
    """One entry as the test made it."""

    place: int
    logged_at: datetime
    has: Mapping[str, frozenset[str]]


def a_long_log(log: AuditLog, clock: Clock, count: int, seed: int = 7) -> list[Known]:
    """Fill the log, some entries at a time, and return what is in it."""
    random, known = Random(seed), list[Known]()  # noqa: S311 - the same entries each time
    while len(known) < count:
        clock.move(random.choice((0, 0.5, 60)))
        some = [_entry(random, len(known) + at) for at in range(random.randint(1, 900))]
        for entry, receipt in zip(some, log.append_many(some), strict=True):
            known.append(Known(receipt.index, clock.now, _has(entry)))
    return known


def _entry(random: Random, number: int) -> Entry:
    codes = random.sample(CODES, random.choice((0, 0, 0, 1, 2)))
    facts: dict[str, Json] = {
        "verdict": random.choices(VERDICTS, (90, 8, 2))[0],
        "reasons": [{"code": code} for code in codes],
    }
    # Some come only in one stretch of the log, and some hardly ever.
    if random.random() < 0.001 or 4000 < number < 4010:
        facts["likeness"] = f"lik_{random.randrange(5)}"
    return Entry(
        key=f"key_{number}",
        type=random.choices(TYPES, (90, 3, 3, 1, 3))[0],
        at=START,
        request=f"req_{number // 3}",
        actor=f"act_{random.randrange(30)}",
        project=random.choice(PROJECTS),
        facts=facts,
    )


def _has(entry: Entry) -> dict[str, frozenset[str]]:
    reasons = entry.facts["reasons"]
    assert isinstance(reasons, list)
    codes = [str(one["code"]) for one in reasons]
    return {
        "type": frozenset(_with_beginnings([entry.type])),
        "request": frozenset({entry.request}),
        "actor": frozenset({entry.actor}),
        "project": frozenset({entry.project or "none"}),
        "verdict": frozenset({str(entry.facts["verdict"])}),
        "reason": frozenset(_with_beginnings(codes)),
        "subject": frozenset({str(entry.facts.get("likeness", ""))} - {""}),
    }


def _with_beginnings(values: list[str]) -> list[str]:
    parts = [value.split(".") for value in values]
    return values + [".".join(one[:n]) + ".*" for one in parts for n in range(1, len(one))]


def naively(query: Query, known: Known) -> bool:
    """Whether an entry meets a query, as a person would work it out."""
    match query:
        case Term(name, value):
            return value in known.has.get(name, ())
        case All(parts):
            return all(naively(part, known) for part in parts)
        case AnyOf(parts):
            return any(naively(part, known) for part in parts)
        case Not(part):
            return not naively(part, known)
        case Since(at):
            return known.logged_at >= at
        case Before(at):
            return known.logged_at < at
        case Places(first, end):
            return first <= known.place < end
