"""The newest checkpoint that each witness cosigned, as it is kept here, and how far each lags.

Whoever can write the database can remove these rows, and no more: what a row says counts only
when the witness's own key signed it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from service.audit import checkpoint as notes
from service.audit import cosign
from service.audit.checkpoint import Checkpoint
from service.audit.cosign import Cosignature, Cosigner
from service.audit.errors import BadCheckpoint, BadCosigner
from service.database import metadata
from service.keys import CosigningKey

log_cosignature = Table(
    "log_cosignature",
    metadata,
    Column("cosigner", String(120), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("cosigned_at", BigInteger, nullable=False),
    Column("problem", String(40), nullable=False),
    Column("tried_at", BigInteger, nullable=False),
)

_LOOPBACK = {"127.0.0.1", "[::1]", "localhost"}
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~%-]+)*/?"
)


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns our checkpoints. `url` is where they are sent, without a slash."""

    url: str
    key: Cosigner


@dataclass(frozen=True, slots=True)
class Outside:
    """How the log is vouched for beyond its own Ed25519 signature.

    Attributes:
        witnesses: whose cosignatures are asked for and believed.
        key: the log's own cosigning key, if it has one.
    """

    witnesses: tuple[Witness, ...] = ()
    key: CosigningKey | None = None


NOBODY = Outside()


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint with one witness's verified cosignature, as it was sent and answered."""

    by: Cosigner
    stated: Checkpoint
    note: str
    at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one witness is.

    Attributes:
        stated: the newest checkpoint it cosigned.
        lag: how many entries it has not seen yet.
        cosigned_at: when, in seconds since 1970; 0 for never.
        problem: why the last try failed, such as `unreachable`; empty where it did not.
    """

    witness: Witness
    stated: Checkpoint | None
    lag: int
    cosigned_at: int
    problem: str

    @property
    def size(self) -> int:
        """How many entries the newest cosigned checkpoint covers; 0 where there is none."""
        return self.stated.size if self.stated else 0


def witnesses(text: str, *, loopback: bool) -> tuple[Witness, ...]:
    """Return the witnesses that a setting names: address and public key, parted by commas.

    Args:
        loopback: whether this machine itself may be asked without TLS, for a trial.

    Raises:
        BadCosigner: an address or a key is none, or a key stands twice.
    """
    found: dict[str, Witness] = {}
    for one in filter(None, map(str.strip, text.replace("\n", ",").split(","))):
        url, _, key = one.partition(" ")
        witness = Witness(_address(url, loopback=loopback), cosign.cosigner(key))
        if found.setdefault(witness.key.id, witness) is not witness:
            raise BadCosigner(f"the witness {witness.key.id} is named twice")
    return tuple(found.values())


def _address(url: str, *, loopback: bool) -> str:
    named = _URL.fullmatch(url)
    if named is None:
        raise BadCosigner("a witness is <https address> <key>, without a query or a password")
    if named["scheme"] == "http" and not (loopback and named["host"] in _LOOPBACK):
        raise BadCosigner(f"the witness at {named['host']} must be asked over https")
    return url.rstrip("/")


class OwnLine:
    """The log's own cosignature under the newest checkpoint, made once for each.

    It costs a millisecond and 3,300 characters, so receipts go without.
    """

    def __init__(self, key: CosigningKey | None, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._clock = clock
        self._last = ("", "")

    def under(self, note: str, stated: Checkpoint) -> str:
        """Return `note` with our line under it, or as it is where there is no key."""
        if self._key is None:
            return note
        known, line = self._last
        if known != note:
            line = cosign.cosigned(stated, self._key, int(self._clock().timestamp()))
            self._last = (note, line)
        return note + line


def kept(conn: Connection, by: Iterable[Cosigner], origin: str) -> list[Kept]:
    """Return what each of `by` cosigned last, where the row is still what they signed."""
    cosigners = {one.id: one for one in by}
    if not cosigners:
        return []
    rows = conn.execute(
        select(log_cosignature.c.cosigner, log_cosignature.c.note).where(
            log_cosignature.c.cosigner.in_(cosigners)
        )
    )
    found = (_kept(row.note, origin, cosigners[row.cosigner]) for row in rows)
    return [one for one in found if one is not None]


def best(conn: Connection, by: Iterable[Cosigner], origin: str) -> tuple[str, Checkpoint] | None:
    """Return the checkpoint that most witnesses cosigned, the newest of these, with all lines."""
    together: dict[str, list[Kept]] = {}
    for one in kept(conn, by, origin):
        together.setdefault(notes.parts(one.note)[0], []).append(one)
    if not together:
        return None
    most = max(together.values(), key=lambda some: (len(some), some[0].stated.size))
    text, _ = notes.parts(most[0].note)
    # The log's own lines are in every one of them; the order stays.
    lines = dict.fromkeys(line for one in most for line in notes.parts(one.note)[1])
    return "\n".join([text, *lines, ""]), most[0].stated


def standings(conn: Connection, outside: Outside, now: Checkpoint) -> list[Standing]:
    """Return how far each witness of the log that stands at `now` is, in the settings' order."""
    origin = now.origin
    by_name = {one.by.id: one for one in kept(conn, (w.key for w in outside.witnesses), origin)}
    problems = {row.cosigner: row.problem for row in conn.execute(select(log_cosignature))}
    found = []
    for witness in outside.witnesses:
        one = by_name.get(witness.key.id)
        stated, at = (one.stated, one.at) if one else (None, 0)
        lag = max(0, now.size - (stated.size if stated else 0))
        found.append(Standing(witness, stated, lag, at, problems.get(witness.key.id, "")))
    return found


def keep(conn: Connection, by: Cosigner, note: str, signed: Cosignature, size: int) -> None:
    """Keep `note` with the witness's line under it, unless a longer one is kept already."""
    row = {
        "cosigner": by.id, "size": size, "note": note + signed.line,
        "cosigned_at": signed.at, "problem": "", "tried_at": signed.at,
    }  # fmt: skip
    made = _insert(conn).values(row)
    conn.execute(
        made.on_conflict_do_update(
            index_elements=["cosigner"],
            set_={name: made.excluded[name] for name in row},
            where=log_cosignature.c.size <= size,
        )
    )


def blame(conn: Connection, by: Cosigner, problem: str, at: datetime) -> None:
    """Write down why the witness did not cosign; what it cosigned before stays."""
    said = {"problem": problem, "tried_at": int(at.timestamp())}
    empty = {"cosigner": by.id, "size": 0, "note": "", "cosigned_at": 0}
    made = _insert(conn).values(empty | said)
    conn.execute(made.on_conflict_do_update(index_elements=["cosigner"], set_=said))


def _insert(conn: Connection) -> sqlite.Insert:
    if conn.dialect.name == "postgresql":
        # The two have the clause in common, and no class.
        return cast("sqlite.Insert", postgresql.insert(log_cosignature))
    return sqlite.insert(log_cosignature)


def _kept(note: str, origin: str, by: Cosigner) -> Kept | None:
    """Return the row, or nothing for one that its witness did not sign."""
    try:
        text, lines = notes.parts(note)
        stated = notes.stated(text, origin)
        found = cosign.found(lines, stated, text, by)
    except BadCheckpoint:
        return None
    return None if found is None else Kept(by, stated, note, found.at)
