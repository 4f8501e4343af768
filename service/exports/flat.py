"""An entry as one row of plain columns, for tables; and as CSV."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from service.audit.entries import Json
from service.audit.merkle import leaf_hash
from service.audit.reading import LoggedEntry
from service.exports.opening import Opened, closing

# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Flat:
    """What most people ask of an entry; the rest is in `facts`, as JSON.

    Attributes:
        codes, categories: of the reasons of a decision, each once.
        leaf_sha256: the hash that is in the tree, hex.
    """

    index: int
    key: str
    type: str
    at: str
    logged_at: str
    project: str
    actor: str
    request: str
    decision: str
    verdict: str
    mode: str
    stage: str
    policy: str
    policy_version: str
    policy_sha256: str
    codes: tuple[str, ...]
    categories: tuple[str, ...]
    facts: str
    commitments: str
    leaf_sha256: str
    leaf: str = field(repr=False)


COLUMNS = tuple(one.name for one in fields(Flat))
_IN_CSV = COLUMNS[:-1]


def flat(entry: LoggedEntry) -> Flat:
    """Return an entry as one row."""
    policy = member(entry.facts.get("policy"))
    reasons = members(entry.facts.get("reasons"))
    return Flat(
        index=entry.index,
        key=entry.key,
        type=entry.type,
        at=entry.at,
        logged_at=entry.logged_at,
        project=entry.project,
        actor=entry.actor,
        request=entry.request,
        decision=text(entry.facts.get("decision")),
        verdict=text(entry.facts.get("verdict")),
        mode=text(entry.facts.get("mode")),
        stage=text(entry.facts.get("stage")),
        policy=text(policy.get("id")),
        policy_version=text(policy.get("version")),
        policy_sha256=text(policy.get("sha256")),
        codes=tuple(dict.fromkeys(text(one.get("code")) for one in reasons)),
        categories=tuple(dict.fromkeys(text(one.get("category")) for one in reasons)),
        facts=compact(entry.facts),
        commitments=compact(entry.commitments),
        leaf_sha256=leaf_hash(entry.leaf).hex(),
        leaf=entry.leaf.decode(),
    )


def text(value: object) -> str:
    """Return a fact that is text, and nothing for another."""
    return value if isinstance(value, str) else ""


def member(value: object) -> Mapping[str, Json]:
    """Return a fact that is an object, and an empty one for another."""
    return value if isinstance(value, Mapping) else {}


def members(value: object) -> list[Mapping[str, Json]]:
    """Return the objects in a fact that is a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def compact(value: object) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def csv_lines(opened: Opened) -> Iterator[str]:
    """Yield the export as CSV: the first column says whether a row is an entry.

    The row before the entries has the envelope under `facts`, the one after them their number
    under `index`.
    """
    written = io.StringIO()
    table = csv.writer(written)
    blank = dict.fromkeys(_IN_CSV, "")
    table.writerow(("row", *_IN_CSV))
    table.writerow(("export", *(blank | {"facts": compact(opened.envelope())}).values()))
    for number, row in enumerate(opened.rows(), 1):
        table.writerow(("entry", *map(_cell, _values(flat(row.entry)))))
        if number % _ROWS_AT_ONCE == 0:
            yield _taken(written)
    ended = closing(opened.count)
    cells = {"index": str(opened.count), "facts": compact(ended)}
    table.writerow(("end", *(blank | cells).values()))
    yield _taken(written)


def _values(row: Flat) -> Iterator[object]:
    return (getattr(row, name) for name in _IN_CSV)


def _cell(value: object) -> str:
    said = " ".join(value) if isinstance(value, tuple) else str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _taken(written: io.StringIO) -> str:
    taken = written.getvalue()
    written.seek(0)
    written.truncate()
    return taken
