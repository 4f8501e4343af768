"""The tables of this room and every statement on them. Nothing here commits.

Times are whole microseconds since 1970, UTC. Every write raises one counter, whose row lock also
puts writers in a line: whoever sees change 18 sees all changes before it.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)

from rightsholders.claims import Action, Alias, Basis, Claim, ClaimState, Kind, Tier

metadata = MetaData()

counter = Table(
    "rights_counter",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
changes = Table(
    "rights_changes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # Random, so that an index that read a change which was rolled back notices.
    Column("stamp", String(32), nullable=False),
    Column("claim", String(40), nullable=False),
)
claims = Table(
    "rights_claims",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("holder", String(80), nullable=False, index=True),
    Column("work", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("action", String(10), nullable=False),
    Column("basis", String(20), nullable=False),
    Column("territories", Text, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("valid_from_at", BigInteger, nullable=False),
    Column("valid_until_at", BigInteger),
    Column("filed_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
aliases = Table(
    "rights_aliases",
    metadata,
    # SQLite counts up by itself only in a column declared INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("claim", String(40), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("key", Text, nullable=False, index=True),
    Column("tier", String(16), nullable=False),
)

# Far below what a statement may carry on either database.
_IDS_AT_ONCE = 5_000
_ROWS_AT_ONCE = 10_000
# Both SQLite and PostgreSQL understand it, and two first writers cannot collide.
_FIRST = text(
    "INSERT INTO rights_counter (name, value) VALUES ('claims', 0) ON CONFLICT DO NOTHING"
)
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """One write: its number, a random stamp, and the claim it touched."""

    seq: int
    stamp: str
    claim: str


@dataclass(frozen=True, slots=True)
class NumberedKey:
    """What the index holds of an alias."""

    number: int
    key: str


@dataclass(frozen=True, slots=True)
class OwnedAlias:
    """An alias and the claim it belongs to."""

    claim: str
    alias: Alias


def new_id(prefix: str) -> str:
    """Return a fresh id such as `clm_5f…`, not guessable."""
    return f"{prefix}_{secrets.token_hex(12)}"


def wait_for_writers(conn: Connection) -> None:
    """Wait until no other connection writes here, and make others wait; first step of a write."""
    conn.execute(_FIRST)
    conn.execute(update(counter).where(counter.c.name == "claims").values(value=counter.c.value))


def record_change(conn: Connection, claim: str) -> Change:
    """Number a write to `claim`; last step of a write, so that what it numbers is there."""
    seq = conn.execute(
        update(counter)
        .where(counter.c.name == "claims")
        .values(value=counter.c.value + 1)
        .returning(counter.c.value)
    ).scalar_one()
    change = Change(int(seq), secrets.token_hex(8), claim)
    conn.execute(insert(changes).values(seq=change.seq, stamp=change.stamp, claim=claim))
    return change


def last_change(conn: Connection) -> Change | None:
    """Return the newest change this connection sees; None before the first."""
    row = conn.execute(_NEWEST).mappings().first()
    return None if row is None else _change(row)


def change_at(conn: Connection, seq: int) -> Change | None:
    """Return change `seq` if this connection sees one of that number."""
    row = conn.execute(_CHANGES.where(changes.c.seq == seq)).mappings().first()
    return None if row is None else _change(row)


def add_claim(conn: Connection, claim: Claim, now: datetime) -> None:
    """Write a new claim and its aliases."""
    conn.execute(
        insert(claims).values(
            id=claim.id,
            holder=claim.holder,
            work=claim.work,
            kind=claim.kind.value,
            action=claim.action.value,
            basis=claim.basis.value,
            territories=",".join(sorted(claim.territories)),
            state=claim.state.value,
            valid_from_at=microseconds(claim.valid_from_at),
            valid_until_at=(
                None if claim.valid_until_at is None else microseconds(claim.valid_until_at)
            ),
            filed_at=microseconds(now),
            changed_at=microseconds(now),
        )
    )
    conn.execute(
        insert(aliases),
        [
            {
                "id": alias.id,
                "claim": claim.id,
                "text": alias.text,
                "key": alias.key,
                "tier": alias.tier.value,
            }
            for alias in claim.aliases
        ],
    )


def set_state(conn: Connection, claim: str, state: ClaimState, now: datetime) -> None:
    """Write the state of a claim."""
    conn.execute(
        update(claims)
        .where(claims.c.id == claim)
        .values(state=state.value, changed_at=microseconds(now))
    )


def claims_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, Claim]:
    """Return those of `ids` that exist, with their aliases, by id."""
    found: dict[str, Claim] = {}
    for some in _slices(sorted(set(ids))):
        named: dict[str, list[Alias]] = {}
        for row in conn.execute(
            _ALIASES.where(aliases.c.claim.in_(some)).order_by(aliases.c.number)
        ).mappings():
            named.setdefault(row["claim"], []).append(_alias(row))
        for row in conn.execute(_CLAIMS.where(claims.c.id.in_(some))).mappings():
            found[row["id"]] = _claim(row, tuple(named.get(row["id"], ())))
    return found


def aliases_by_number(conn: Connection, numbers: Iterable[int]) -> dict[int, OwnedAlias]:
    """Return those of `numbers` that exist, by number."""
    found: dict[int, OwnedAlias] = {}
    for some in _slices(sorted(set(numbers))):
        for row in conn.execute(_ALIASES.where(aliases.c.number.in_(some))).mappings():
            found[row["number"]] = OwnedAlias(row["claim"], _alias(row))
    return found


def ended_before(conn: Connection, now: datetime) -> list[str]:
    """Return the ids of claims, filed or in force, whose time is over."""
    live = (ClaimState.FILED.value, ClaimState.IN_FORCE.value)
    query = select(claims.c.id).where(
        claims.c.state.in_(live), claims.c.valid_until_at <= microseconds(now)
    )
    return [row.id for row in conn.execute(query.order_by(claims.c.id))]


def next_start(conn: Connection, now: datetime) -> datetime | None:
    """Return when the next claim in force begins to count; None where none is waiting."""
    query = select(func.min(claims.c.valid_from_at)).where(
        claims.c.state == ClaimState.IN_FORCE.value, claims.c.valid_from_at > microseconds(now)
    )
    found = conn.execute(query).scalar()
    return None if found is None else moment(int(found))


def live_claims_with_keys(conn: Connection, keys: Iterable[str]) -> dict[str, set[str]]:
    """Return for each of `keys` the ids of claims, filed or in force, that have it."""
    live = (ClaimState.FILED.value, ClaimState.IN_FORCE.value)
    found: dict[str, set[str]] = {}
    for some in _slices(sorted(set(keys))):
        query = (
            select(aliases.c.key, aliases.c.claim)
            .join(claims, claims.c.id == aliases.c.claim)
            .where(aliases.c.key.in_(some), claims.c.state.in_(live))
        )
        for row in conn.execute(query):
            found.setdefault(row.key, set()).add(row.claim)
    return found


def keys_in_force(conn: Connection) -> Iterator[NumberedKey]:
    """Yield every alias of a claim in force, in batches that do not fill the memory."""
    last = 0
    while True:
        rows = conn.execute(
            _KEYS.where(aliases.c.number > last).order_by(aliases.c.number).limit(_ROWS_AT_ONCE)
        ).all()
        yield from (NumberedKey(row.number, row.key) for row in rows)
        # What is filed meanwhile is a change of its own; an empty batch might never come.
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1].number


def keys_changed_since(conn: Connection, seq: int) -> list[NumberedKey]:
    """Return the aliases of claims in force that were touched after change `seq`."""
    touched = select(changes.c.claim).where(changes.c.seq > seq)
    rows = conn.execute(_KEYS.where(aliases.c.claim.in_(touched)).order_by(aliases.c.number))
    return [NumberedKey(row.number, row.key) for row in rows]


def microseconds(at: datetime) -> int:
    """Return an aware time as whole microseconds since 1970, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """Return the aware UTC time that many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=us)


_CHANGES = select(changes.c.seq, changes.c.stamp, changes.c.claim)
# Made once: building a statement costs more than running it.
_NEWEST = _CHANGES.order_by(changes.c.seq.desc()).limit(1)
_CLAIMS = select(
    claims.c.id,
    claims.c.holder,
    claims.c.work,
    claims.c.kind,
    claims.c.action,
    claims.c.basis,
    claims.c.territories,
    claims.c.state,
    claims.c.valid_from_at,
    claims.c.valid_until_at,
)
_ALIASES = select(
    aliases.c.number, aliases.c.id, aliases.c.claim, aliases.c.text, aliases.c.key, aliases.c.tier
)
_KEYS = (
    select(aliases.c.number, aliases.c.key)
    .join(claims, claims.c.id == aliases.c.claim)
    .where(claims.c.state == ClaimState.IN_FORCE.value)
)


def _slices(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


def _change(row: RowMapping) -> Change:
    return Change(int(row["seq"]), row["stamp"], row["claim"])


def _alias(row: RowMapping) -> Alias:
    return Alias(row["id"], row["text"], row["key"], Tier(row["tier"]))


def _claim(row: RowMapping, named: tuple[Alias, ...]) -> Claim:
    until = row["valid_until_at"]
    return Claim(
        id=row["id"],
        holder=row["holder"],
        work=row["work"],
        kind=Kind(row["kind"]),
        action=Action(row["action"]),
        basis=Basis(row["basis"]),
        territories=frozenset(row["territories"].split(",")),
        state=ClaimState(row["state"]),
        valid_from_at=moment(row["valid_from_at"]),
        valid_until_at=None if until is None else moment(until),
        aliases=named,
    )
