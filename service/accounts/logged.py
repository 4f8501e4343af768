"""Making and closing API keys, each with its entry in the log in one transaction."""

from datetime import datetime

from service.accounts.api_keys import create_key, revoke
from service.accounts.principal import Issued, Key, NewKey
from service.audit.entries import Entry
from service.audit.log import AuditLog
from service.database import Database
from service.ids import new_id


def issued(database: Database, log: AuditLog, new: NewKey, *, by: str, now: datetime) -> Issued:
    """Return a new key with its secret, once its making is in the log.

    Args:
        by: the actor who makes it.

    Raises:
        NoSuchAccount: the person or the project is unknown.
        DatabaseUnavailable, AuditError: there is no key.
    """
    with database.transaction() as conn:
        made = create_key(conn, new, now)
        entry = log.stage(conn, _entry("key.issued", made.key, by, now))
    log.settle(entry)
    return made


def closed(
    database: Database, log: AuditLog, project: str, key_id: str, *, by: str, now: datetime
) -> Key:
    """Return the key, closed from the next request on, once that is in the log.

    Raises:
        NoSuchAccount: the project has no such key.
        DatabaseUnavailable, AuditError: it is as it was.
    """
    with database.transaction() as conn:
        key = revoke(conn, project, key_id, now)
        entry = log.stage(conn, _entry("key.revoked", key, by, now))
    log.settle(entry)
    return key


def _entry(kind: str, key: Key, by: str, now: datetime) -> Entry:
    return Entry(
        key=new_id("act", now),
        type=kind,
        at=now,
        actor=by,
        project=key.project,
        facts={"key": key.id, "for": key.actor, "roles": sorted(key.roles)},
    )
