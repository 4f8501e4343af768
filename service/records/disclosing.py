"""Showing one private value with its salt, so that whoever gets it can check it against the log.

The reading is logged first: no value is shown before the log says who saw it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.store import likeness_by_id
from service.audit import store
from service.audit.entries import Entry
from service.audit.errors import NoEntry
from service.audit.reading import LoggedEntry
from service.audit.values import Disclosure
from service.decision import Receipt
from service.ids import new_id
from service.records.words import Keeper, NotYours, Reach
from service.rooms import Rooms

CHECK = (
    "SHA-256 over the bytes impr/commit/v1, the salt and the text in UTF-8 is the commitment; the "
    "entry has it under this field, and the proof shows that the entry is in the log."
)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A private value, and the proof that its reading is in the log.

    Attributes:
        entry: proof of the entry that the value belongs to.
    """

    value: Disclosure
    entry: Receipt
    receipt: Receipt


def disclosed(rooms: Rooms, keeper: Keeper, index: int, name: str) -> Disclosed:
    """Return the private value `name` of an entry to an auditor, or to whom it is about.

    Args:
        keeper: an officer is an auditor here.

    Raises:
        NoEntry: there is no such entry or value in the keeper's project.
        NotYours: the keeper is no auditor, and it is about somebody else.
        SubjectErased: it was erased, or its term is over.
        CommitmentBroken: it is not what was logged.
        DatabaseUnavailable, AuditError: the reading cannot be logged; nothing is shown.
    """
    entry = rooms.log.entry(index)
    with rooms.database.reading() as conn:
        _require_reader(conn, keeper, entry, name)
        value = rooms.log.disclose(conn, index, name)
    now = rooms.clock()
    receipt = rooms.log.append(
        Entry(
            key=new_id("act", now),
            type="disclosure.made",
            at=now,
            actor=keeper.actor,
            project=keeper.project,
            facts={"index": index, "field": name, "subject": value.subject},
        )
    )
    return Disclosed(value, rooms.log.receipt(index), receipt)


def _require_reader(conn: Connection, keeper: Keeper, entry: LoggedEntry, name: str) -> None:
    stored = store.values(conn, entry.key).get(name)
    if stored is not None and _is_own(conn, keeper, stored.subject):
        return
    if keeper.reach is Reach.PROJECT and entry.project != keeper.project:
        raise NoEntry(f"no entry {entry.index} of this project")
    if not keeper.is_officer:
        raise NotYours("an auditor may read what is about others")


def _is_own(conn: Connection, keeper: Keeper, subject: str) -> bool:
    if subject == keeper.actor:
        return True
    likeness = likeness_by_id(conn, subject)
    return likeness is not None and likeness.owner == keeper.actor
