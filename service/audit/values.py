"""Private values beside the log: sealed for their subject, tied to the leaf by a commitment."""

import dataclasses
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.audit import retired, store
from service.audit.entries import SALT_BYTES, Committed, Prepared, commitment
from service.audit.errors import CommitmentBroken, NoEntry, ValueRetired
from service.subjects import Opened, Plain, SubjectErased, SubjectKeys


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A private value, opened: with the salt, anyone can check it against the log.

    `SHA-256("impr/commit/v1" || salt || text)` is `commitment`, which is in the leaf.
    """

    index: int
    field: str
    subject: str
    text: str = dataclasses.field(repr=False)
    salt: str
    commitment: str


def sealed(
    conn: Connection, subjects: SubjectKeys, entries: Sequence[Prepared]
) -> list[store.Sealed]:
    """Return the entries' private values as they are stored, each under its subject's key."""
    private = [(entry.key, one) for entry in entries for one in entry.values]
    if not private:
        return []
    hidden = subjects.seal_all(
        conn,
        [
            Plain(one.subject, one.salt + one.text.encode(), _context(key, one.field))
            for key, one in private
        ],
    )
    return [
        store.Sealed(key, one.field, one.subject, content)
        for (key, one), content in zip(private, hidden, strict=True)
    ]


def opened(by: Opened, value: store.Sealed) -> Committed:
    """Return a private value with its salt.

    Args:
        by: `SubjectKeys.at_one_moment`.

    Raises:
        SubjectErased: its subject's key was destroyed.
        SealBroken: it was changed.
    """
    context = _context(value.key, value.field)
    plain = by(value.subject, value.sealed, context)
    return Committed(value.field, value.subject, plain[:SALT_BYTES], plain[SALT_BYTES:].decode())


def disclosed(conn: Connection, subjects: SubjectKeys, index: int, name: str) -> Disclosure:
    """Return one private value of an entry, shown to be what the leaf commits to.

    Raises:
        NoEntry: no such entry, or it has no such value.
        SubjectErased: the value was erased, or (`ValueRetired`) its term was over.
        CommitmentBroken: the stored value is not the one that was logged.
    """
    leaf = store.leaf(conn, index)
    if leaf is None:
        raise NoEntry(f"no entry {index}")
    logged = json.loads(leaf)
    promised = logged["commitments"].get(name)
    if promised is None:
        raise NoEntry(f"entry {index} has no private value {name!r:.100}")
    stored = store.values(conn, logged["key"]).get(name)
    if stored is None:
        if retired.is_retired(conn, index, name):
            raise ValueRetired(f"the term of {name!r:.100} of entry {index} is over")
        raise CommitmentBroken(f"the value {name!r:.100} of entry {index} is gone")
    value = opened(subjects.at_one_moment(conn), stored)
    if not hmac.compare_digest(commitment(value.salt, value.text), promised):
        raise CommitmentBroken(f"the value {name!r:.100} of entry {index} was changed")
    return Disclosure(index, name, value.subject, value.text, value.salt.hex(), promised)


def same(conn: Connection, subjects: SubjectKeys, entry: Prepared, leaf: bytes) -> bool:
    """Whether `entry` says what `leaf` says. Times do not count: a retry comes later.

    Salts are new each time, so private values are compared with the stored ones. One that was
    erased since cannot be compared, and is not logged a second time either: it counts as equal.

    Raises:
        SubjectError: a stored value cannot be opened.
    """
    logged, asked = json.loads(leaf), json.loads(entry.leaf(""))
    if _public(logged) != _public(asked) or set(logged["commitments"]) != set(asked["commitments"]):
        return False
    stored = store.values(conn, entry.key)
    return all(_same_value(conn, subjects, one, stored.get(one.field)) for one in entry.values)


def _same_value(
    conn: Connection, subjects: SubjectKeys, asked: Committed, stored: store.Sealed | None
) -> bool:
    if stored is None:
        raise CommitmentBroken(f"the value {asked.field!r:.100} is gone")
    if stored.subject != asked.subject:
        return False
    try:
        return opened(subjects.at_one_moment(conn), stored).text == asked.text
    except SubjectErased:
        return True


def _public(document: dict[str, Any]) -> dict[str, Any]:
    times = {"at", "logged_at", "commitments"}
    return {name: value for name, value in document.items() if name not in times}


def _context(key: str, name: str) -> str:
    return f"audit/{len(key)}/{key}/{name}"
