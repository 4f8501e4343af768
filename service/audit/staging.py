"""An entry inside somebody else's transaction: there if that commits, gone if it does not.

It waits in the database, unlogged, until a sequencer takes it. So that nobody else can put words
into the log's mouth meanwhile, whoever stages it signs it with the log's key.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from service.audit import reading, store, values
from service.audit.entries import Prepared
from service.audit.errors import KeyReused, LogTampered
from service.keys import SigningKey, VerifyingKey
from service.subjects import SubjectKeys

# No checkpoint begins with a NUL, so that neither signature passes for the other.
_DOMAIN = b"\0impr/log-intake/v1\n"


def stage(conn: Connection, subjects: SubjectKeys, signer: SigningKey, entry: Prepared) -> None:
    """Write `entry` for the sequencer, once.

    Raises:
        KeyReused: another entry with this key, but another body, is staged or in the log.
        LogTampered: the entry in the log is not the one that was logged.
    """
    is_new = store.stage(conn, entry, signer.sign(_signed(entry.head, entry.tail)))
    # Looked up after the insert: before it, a sequencer could slip in between the two.
    if (place := _place(conn, entry.key)) is not None:
        store.unstage_key(conn, entry.key)
        _require_same(conn, subjects, entry, reading.entry(conn, place).leaf)
        return
    if is_new:
        store.write_values(conn, values.sealed(conn, subjects, [entry]))
        return
    waiting = store.staged_by_key(conn, entry.key)
    if waiting is not None:
        _require_same(conn, subjects, entry, waiting.head + waiting.tail)
        return
    # A sequencer took it just now.
    place = _place(conn, entry.key)
    taken = None if place is None else reading.entry(conn, place).leaf
    _require_same(conn, subjects, entry, taken)


def genuine(staged: store.Staged, keys: Iterable[VerifyingKey]) -> Prepared | None:
    """Return the entry that was staged; None if the row is not what one of `keys` signed."""
    message = _signed(staged.head, staged.tail)
    if not any(key.verifies(staged.signature, message) for key in keys):
        return None
    try:
        entry = reading.parsed(staged.place, staged.head + staged.tail)
    except LogTampered:
        return None
    if entry.key != staged.key:
        return None
    return Prepared(entry.key, staged.head, staged.tail)


def _signed(head: bytes, tail: bytes) -> bytes:
    return _DOMAIN + len(head).to_bytes(4, "big") + head + tail


def _place(conn: Connection, key: str) -> int | None:
    return store.places(conn, [key]).get(key)


def _require_same(
    conn: Connection, subjects: SubjectKeys, entry: Prepared, other: bytes | None
) -> None:
    if other is None or not values.same(conn, subjects, entry, other):
        raise KeyReused("another entry has this key")
