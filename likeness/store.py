"""The tables of this room, its change counter, and likenesses. Nothing here commits.

Times are whole microseconds since 1970, UTC. Every write raises one counter, whose row lock also
puts writers in a line: whoever sees change 18 sees all changes before it.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
    update,
)

from likeness.consent import Likeness, State

metadata = MetaData()

counter = Table(
    "likeness_counter",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
changes = Table(
    "likeness_changes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # Random, so that an index that read a change which was rolled back notices.
    Column("stamp", String(32), nullable=False),
    Column("likeness", String(40), nullable=False),
)
likenesses = Table(
    "likeness_likenesses",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("handle", String(30), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
Index(
    "likeness_likenesses_active_handle",
    likenesses.c.handle,
    unique=True,
    sqlite_where=likenesses.c.state == "active",
    postgresql_where=likenesses.c.state == "active",
)
# The one above does not know whose a handle was before its likeness was revoked.
Index("likeness_likenesses_handle", likenesses.c.handle)
Index("likeness_likenesses_owner", likenesses.c.owner)
templates = Table(
    "likeness_templates",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("likeness", String(40), nullable=False, index=True),
    Column("model", String(64), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("key_id", String(64), nullable=False),
)
keys = Table(
    "likeness_keys",
    metadata,
    Column("template", String(40), primary_key=True),
    Column("likeness", String(40), nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)
grants = Table(
    "likeness_grants",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("likeness", String(40), nullable=False, index=True),
    Column("to_actor", String(80), nullable=False, index=True),
    Column("uses", String(40), nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
uses = Table(
    "likeness_uses",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("likeness", String(40), nullable=False),
    Column("request_id", String(80), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    # A request is decided several times: when it came, when its film was looked at, and so on.
    UniqueConstraint("likeness", "request_id", name="likeness_uses_once"),
)
Index("likeness_uses_likeness_at", uses.c.likeness, uses.c.at)

# Both SQLite and PostgreSQL understand it, and two first writers cannot collide.
_FIRST = text(
    "INSERT INTO likeness_counter (name, value) VALUES ('likeness', 0) ON CONFLICT DO NOTHING"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """One write: its number, a random stamp, and the likeness it touched."""

    seq: int
    stamp: str
    likeness: str


def new_id(prefix: str) -> str:
    """Return a fresh id such as `lik_5f…`, not guessable."""
    return f"{prefix}_{secrets.token_hex(12)}"


def wait_for_writers(conn: Connection) -> None:
    """Wait until no other connection writes here, and make others wait; first step of a write."""
    conn.execute(_FIRST)
    conn.execute(update(counter).where(counter.c.name == "likeness").values(value=counter.c.value))


def record_change(conn: Connection, likeness: str) -> Change:
    """Number a write to `likeness`; last step of a write, so that what it numbers is there."""
    seq = conn.execute(
        update(counter)
        .where(counter.c.name == "likeness")
        .values(value=counter.c.value + 1)
        .returning(counter.c.value)
    ).scalar_one()
    change = Change(int(seq), secrets.token_hex(8), likeness)
    conn.execute(insert(changes).values(seq=change.seq, stamp=change.stamp, likeness=likeness))
    return change


def last_change(conn: Connection) -> Change | None:
    """Return the newest change this connection sees; None before the first."""
    row = conn.execute(_NEWEST).mappings().first()
    return None if row is None else _change(row)


def change_at(conn: Connection, seq: int) -> Change | None:
    """Return change `seq` if this connection sees one of that number."""
    row = conn.execute(_CHANGES.where(changes.c.seq == seq)).mappings().first()
    return None if row is None else _change(row)


def changed_since(conn: Connection, seq: int) -> set[str]:
    """Return the ids of likenesses touched after change `seq`."""
    query = select(changes.c.likeness).where(changes.c.seq > seq).distinct()
    return {row.likeness for row in conn.execute(query)}


def add_likeness(conn: Connection, likeness: Likeness) -> None:
    """Write a new likeness."""
    conn.execute(
        insert(likenesses).values(
            id=likeness.id,
            handle=likeness.handle,
            owner=likeness.owner,
            state=likeness.state.value,
            depth=likeness.depth,
            created_at=microseconds(likeness.created_at),
        )
    )


def mark_revoked(conn: Connection, likeness: str, now: datetime) -> None:
    """Take a likeness out of use for good."""
    conn.execute(
        update(likenesses)
        .where(likenesses.c.id == likeness, likenesses.c.state == State.ACTIVE.value)
        .values(state=State.REVOKED.value, revoked_at=microseconds(now))
    )


def likeness_by_id(conn: Connection, likeness: str) -> Likeness | None:
    """Return the likeness, active or revoked."""
    row = conn.execute(_LIKENESSES.where(likenesses.c.id == likeness)).mappings().first()
    return None if row is None else _likeness(row)


def active_by_handle(conn: Connection, handles: Iterable[str]) -> dict[str, Likeness]:
    """Return the active likenesses with these handles, by handle."""
    query = _LIKENESSES.where(
        likenesses.c.handle.in_(sorted(set(handles))), likenesses.c.state == State.ACTIVE.value
    )
    return {row["handle"]: _likeness(row) for row in conn.execute(query).mappings()}


def last_by_handle(conn: Connection, handles: Iterable[str]) -> dict[str, Likeness]:
    """Return whose these handles are, or were until the last revocation, by handle."""
    query = _LIKENESSES.where(likenesses.c.handle.in_(sorted(set(handles)))).order_by(
        likenesses.c.state == State.ACTIVE.value, likenesses.c.revoked_at, likenesses.c.id
    )
    # Of several of one handle the last in this order stays.
    return {row["handle"]: _likeness(row) for row in conn.execute(query).mappings()}


def active_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, Likeness]:
    """Return those of `ids` that are active, by id."""
    query = _LIKENESSES.where(
        likenesses.c.id.in_(sorted(set(ids))), likenesses.c.state == State.ACTIVE.value
    )
    return {row["id"]: _likeness(row) for row in conn.execute(query).mappings()}


def active_owned(conn: Connection, owner: str) -> list[Likeness]:
    """Return the active likenesses of `owner`."""
    query = _LIKENESSES.where(
        likenesses.c.owner == owner, likenesses.c.state == State.ACTIVE.value
    ).order_by(likenesses.c.created_at, likenesses.c.id)
    return [_likeness(row) for row in conn.execute(query).mappings()]


def owned(conn: Connection, owner: str) -> list[Likeness]:
    """Return every likeness of `owner`, revoked ones too."""
    query = _LIKENESSES.where(likenesses.c.owner == owner)
    return [_likeness(row) for row in conn.execute(query.order_by(likenesses.c.id)).mappings()]


def count_active(conn: Connection) -> int:
    """Return how many likenesses are active."""
    query = select(func.count()).where(likenesses.c.state == State.ACTIVE.value)
    return int(conn.execute(query).scalar_one())


def microseconds(at: datetime) -> int:
    """Return an aware time as whole microseconds since 1970, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """Return the aware UTC time that many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=us)


_CHANGES = select(changes.c.seq, changes.c.stamp, changes.c.likeness)
# Made once: building a statement costs more than running it.
_NEWEST = _CHANGES.order_by(changes.c.seq.desc()).limit(1)
_LIKENESSES = select(
    likenesses.c.id,
    likenesses.c.handle,
    likenesses.c.owner,
    likenesses.c.state,
    likenesses.c.depth,
    likenesses.c.created_at,
)


def _change(row: RowMapping) -> Change:
    return Change(int(row["seq"]), row["stamp"], row["likeness"])


def _likeness(row: RowMapping) -> Likeness:
    return Likeness(
        row["id"],
        row["handle"],
        row["owner"],
        State(row["state"]),
        moment(row["created_at"]),
        row["depth"],
    )
