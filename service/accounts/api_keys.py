"""API keys: made, shown once, recognised, rotated, revoked."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    LargeBinary,
    RowMapping,
    String,
    Table,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from service.accounts import people
from service.accounts.principal import (
    USED_WITHIN,
    Issued,
    Key,
    NewKey,
    NoSuchAccount,
    NotAuthenticated,
    Principal,
    Role,
)
from service.database import metadata
from service.ids import new_id
from service.jobs import Instant

PREFIX = "impr_live_"
_SHAPE = re.compile(r"impr_live_([0-9a-z]{26})_([A-Za-z0-9_-]{43})")
# Compared with when there is no such key, so that the answer takes as long as for a wrong secret.
_NOBODY = bytes(32)

key_table = Table(
    "api_key",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("actor", String(80), nullable=False),
    Column("project", String(80), nullable=False, index=True),
    Column("roles", JSON, nullable=False),
    Column("label", String(200), nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)
_BY_ID = (
    select(key_table, people.actor_table.c.disabled_at)
    .join(people.actor_table, people.actor_table.c.id == key_table.c.actor)
    .where(key_table.c.id.in_(bindparam("ids", expanding=True)))
)
_KEY = [column for column in key_table.c if column.name != "secret_sha256"]


def create_key(conn: Connection, new: NewKey, now: datetime) -> Issued:
    """Return a new key and its secret, which is shown this once.

    Raises:
        NoSuchAccount: the actor or the project does not exist.
    """
    people.actor(conn, new.actor)
    people.project(conn, new.project)
    key_id = new_id("key", now)
    secret = f"{PREFIX}{key_id.removeprefix('key_')}_{secrets.token_urlsafe(32)}"
    conn.execute(
        insert(key_table).values(
            id=key_id,
            actor=new.actor,
            project=new.project,
            roles=sorted(new.roles),
            label=new.label,
            secret_sha256=_digest(secret),
            created_at=now,
            expires_at=new.expires_at,
        )
    )
    return Issued(key(conn, new.project, key_id), secret)


def authenticate(conn: Connection, presented: str, now: datetime) -> Principal:
    """Return who holds the key. Reads only; `note_use` writes, now and then.

    Raises:
        NotAuthenticated: with the same words whatever is wrong.
    """
    [found] = authenticate_all(conn, [presented], now)
    if isinstance(found, NotAuthenticated):
        raise found
    return found


def authenticate_all(
    conn: Connection, presented: Sequence[str], now: datetime
) -> list[Principal | NotAuthenticated]:
    """Return for each key who holds it, with one look at the database for all of them."""
    shapes = [_SHAPE.fullmatch(one) for one in presented]
    ids = sorted({f"key_{shape[1]}" for shape in shapes if shape})
    rows = {row["id"]: row for row in conn.execute(_BY_ID, {"ids": ids}).mappings()}
    return [
        _principal(one, rows.get(f"key_{shape[1]}") if shape else None, now)
        for one, shape in zip(presented, shapes, strict=True)
    ]


def _principal(
    presented: str, row: RowMapping | None, now: datetime
) -> Principal | NotAuthenticated:
    right = hmac.compare_digest(_digest(presented), row["secret_sha256"] if row else _NOBODY)
    if row is None or not right or not _open(row, now):
        return NotAuthenticated()
    return Principal(row["actor"], row["project"], _roles(row), row["id"])


def note_use(conn: Connection, key_id: str, now: datetime) -> None:
    """Remember that the key was used; writes nothing if that is known to within `USED_WITHIN`."""
    c = key_table.c
    conn.execute(
        update(key_table)
        .where(c.id == key_id, or_(c.last_used_at.is_(None), c.last_used_at < now - USED_WITHIN))
        .values(last_used_at=now)
    )


def key(conn: Connection, project: str, key_id: str) -> Key:
    """Return the key.

    Raises:
        NoSuchAccount: there is none in this project.
    """
    query = select(*_KEY).where(key_table.c.id == key_id, key_table.c.project == project)
    row = conn.execute(query).mappings().first()
    if row is None:
        raise NoSuchAccount(key_id)
    return _as_key(row)


def keys_of(conn: Connection, project: str) -> tuple[Key, ...]:
    """Return the project's keys, oldest first, the revoked ones too."""
    query = select(*_KEY).where(key_table.c.project == project).order_by(key_table.c.id)
    return tuple(_as_key(row) for row in conn.execute(query).mappings())


def revoke(conn: Connection, project: str, key_id: str, now: datetime) -> Key:
    """Close the key from the next request on; again changes nothing.

    Raises:
        NoSuchAccount: there is none in this project.
    """
    key(conn, project, key_id)
    conn.execute(
        update(key_table)
        .where(key_table.c.id == key_id, key_table.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return key(conn, project, key_id)


def rotate(
    conn: Connection, project: str, key_id: str, overlap: timedelta, now: datetime
) -> Issued:
    """Return a new key with the same rights; the old one expires after `overlap`, or before.

    Raises:
        NoSuchAccount: there is none in this project.
        NotAuthenticated: it is revoked or expired, and gives no right to another.
    """
    old = key(conn, project, key_id)
    until = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
    c = key_table.c
    # Asked again by the write: a revocation that commits at this moment wins.
    rotated = conn.execute(
        update(key_table)
        .where(
            c.id == key_id, c.revoked_at.is_(None), or_(c.expires_at.is_(None), c.expires_at > now)
        )
        .values(expires_at=until)
    )
    if not rotated.rowcount:
        raise NotAuthenticated
    return create_key(conn, NewKey(old.actor, project, old.roles, old.label, old.expires_at), now)


def _digest(secret: str) -> bytes:
    # surrogatepass: a header may hold anything, and nothing in it may end in another error.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _open(row: RowMapping, now: datetime) -> bool:
    expired = row["expires_at"] is not None and row["expires_at"] <= now
    return row["revoked_at"] is None and row["disabled_at"] is None and not expired


def _roles(row: RowMapping) -> frozenset[Role]:
    return frozenset(Role(role) for role in row["roles"])


def _as_key(row: RowMapping) -> Key:
    values = {str(name): value for name, value in row.items()}
    return Key(**{**values, "roles": _roles(row)})
