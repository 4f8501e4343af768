"""An entry inside somebody else's transaction: there if that commits, gone if it does not."""

from sqlalchemy import Connection

from service.audit import store, values
from service.audit.entries import Prepared
from service.audit.errors import KeyReused
from service.subjects import SubjectKeys


def stage(conn: Connection, subjects: SubjectKeys, entry: Prepared) -> None:
    """Write `entry` for the sequencer, once.

    Raises:
        KeyReused: another entry with this key, but another body, is staged or in the log.
    """
    is_new = store.stage(conn, entry)
    # Looked up after the insert: before it, a sequencer could slip in between the two.
    place = store.places(conn, [entry.key]).get(entry.key)
    if place is not None:
        store.unstage_key(conn, entry.key)
        _require_same(conn, subjects, entry, store.leaf(conn, place))
        return
    if is_new:
        store.write_values(conn, values.sealed(conn, subjects, [entry]))
        return
    waiting = store.staged_by_key(conn, entry.key)
    _require_same(conn, subjects, entry, waiting.entry.leaf("") if waiting else None)


def _require_same(
    conn: Connection, subjects: SubjectKeys, entry: Prepared, other: bytes | None
) -> None:
    if other is None or not values.same(conn, subjects, entry, other):
        raise KeyReused("another entry has this key")
