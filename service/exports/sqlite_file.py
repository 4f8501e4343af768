"""An SQLite file: entries, and the reasons and observations of decisions, each in a table."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing as closed
from pathlib import Path

from service.audit.entries import Json
from service.exports.flat import COLUMNS, Flat, compact, flat, members, text
from service.exports.opening import Opened, closing
from service.exports.words import Row

_TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entry ("index" INTEGER PRIMARY KEY, {
    ", ".join(f"{name} TEXT NOT NULL" for name in COLUMNS[1:])
});
CREATE TABLE reason (
    entry INTEGER NOT NULL, code TEXT NOT NULL, verdict TEXT NOT NULL, gate TEXT NOT NULL,
    owner TEXT NOT NULL, category TEXT NOT NULL, param TEXT NOT NULL, rule TEXT NOT NULL,
    score REAL, threshold REAL, observation TEXT NOT NULL
);
CREATE TABLE observation (
    entry INTEGER NOT NULL, id TEXT NOT NULL, gate TEXT NOT NULL, detector TEXT NOT NULL,
    category TEXT NOT NULL, surface TEXT NOT NULL, param TEXT NOT NULL, score REAL,
    matched TEXT NOT NULL, "index" TEXT NOT NULL
);
"""
_INDEXES = """
CREATE INDEX reason_code ON reason (code);
CREATE INDEX reason_entry ON reason (entry);
CREATE INDEX observation_entry ON observation (entry);
CREATE INDEX entry_request ON entry (request);
"""
_REASON = ("code", "verdict", "gate", "owner", "category", "param", "rule")
_OBSERVATION = ("id", "gate", "detector", "category", "surface", "param")
_ROWS_AT_ONCE = 1000
_Values = tuple[object, ...]


def write(opened: Opened, path: Path) -> None:
    """Write a new file at `path`.

    Raises:
        FileExistsError: there is something already.
    """
    if path.exists():
        raise FileExistsError(f"{path.name} exists")
    with closed(sqlite3.connect(path)) as file:
        # Nobody reads it before it is whole, and half of one is thrown away.
        file.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)
        _meta(file, "export", compact(opened.envelope()))
        waiting: list[Row] = []
        for row in opened.rows():
            waiting.append(row)
            if len(waiting) == _ROWS_AT_ONCE:
                _insert(file, waiting)
                waiting = []
        _insert(file, waiting)
        file.executescript(_INDEXES)
        _meta(file, "end", compact(closing(opened.count)))


def _meta(file: sqlite3.Connection, name: str, value: str) -> None:
    with file:
        file.execute("INSERT INTO meta VALUES (?, ?)", (name, value))


def _insert(file: sqlite3.Connection, rows: list[Row]) -> None:
    with file:
        _many(file, "entry", [_entry(flat(row.entry)) for row in rows])
        _many(file, "reason", [one for row in rows for one in _reasons(row)])
        _many(file, "observation", [one for row in rows for one in _observations(row)])


def _many(file: sqlite3.Connection, table: str, values: list[_Values]) -> None:
    if values:
        marks = ",".join("?" * len(values[0]))
        file.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - constants


def _entry(row: Flat) -> _Values:
    found = (getattr(row, name) for name in COLUMNS)
    return tuple(" ".join(one) if isinstance(one, tuple) else one for one in found)


def _reasons(row: Row) -> Iterator[_Values]:
    for one in members(row.entry.facts.get("reasons")):
        said = tuple(text(one.get(name)) for name in _REASON)
        numbers = (_real(one.get("score")), _real(one.get("threshold")))
        yield (row.entry.index, *said, *numbers, text(one.get("observation")))


def _observations(row: Row) -> Iterator[_Values]:
    for one in members(row.entry.facts.get("observations")):
        said = tuple(text(one.get(name)) for name in _OBSERVATION)
        matched = compact(one.get("matched", []))
        yield (row.entry.index, *said, _real(one.get("score")), matched, text(one.get("index")))


def _real(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
