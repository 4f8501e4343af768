"""Personal values under one key per subject, so that destroying the key erases them all at once.

A sealed value is `0x01 || generation (4 bytes, big-endian) || nonce (12) || AES-256-GCM`, bound to
its subject, generation and context. The subject's data key lies in `subject_key`, wrapped by the
vault key. Destroying overwrites the wrapped key in its row; the row stays, so that a copy of the
key in another process's memory is seen to be out of date.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.database import metadata
from service.keys import SecretKey

subject_key = Table(
    "subject_key",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("vault_key", String(32), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("alive", Boolean, nullable=False),
)

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_HEADER_BYTES = 5
_CACHED_KEYS = 4096


class SubjectError(Exception):
    """Base of everything this module raises."""


class SubjectErased(SubjectError):
    """The subject's key was destroyed: the value cannot be read again, by anyone."""


class SealBroken(SubjectError):
    """The value was changed, or belongs to another subject or context."""


class VaultKeyMissing(SubjectError):
    """The vault key that wrapped this subject's key is not in the key ring."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A value to seal: about whom, and what it belongs to."""

    subject: str
    value: bytes = field(repr=False)
    context: str


@dataclass(frozen=True, slots=True)
class _Row:
    subject: str
    generation: int
    vault_key: str
    wrapped: bytes = field(repr=False)
    alive: bool


Opened = Callable[[str, bytes, str], bytes]
"""Return the value of a subject, sealed so, in this context; raises what `open` raises."""


class SubjectKeys:
    """Seals and opens values of subjects, and destroys their keys.

    Args:
        vault: vault keys, the newest first; new data keys are wrapped by that one.

    Raises:
        VaultKeyMissing: no vault key, or not the one that a row names.
    """

    def __init__(self, vault: Sequence[SecretKey]) -> None:
        if not vault:
            raise VaultKeyMissing("no vault key: nothing can be sealed")
        self._newest = vault[0].id
        self._vault = {key.id: AESGCM(key.secret) for key in vault}
        self._opened: OrderedDict[_Row, AESGCM] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, conn: Connection, subject: str, value: bytes, context: str) -> bytes:
        """Return `value` sealed for `subject`; `open` wants the same `context`.

        A subject whose key was destroyed gets a new one: what comes after an erasure is new.
        """
        return self.seal_all(conn, [Plain(subject, value, context)])[0]

    def seal_all(self, conn: Connection, values: Sequence[Plain]) -> list[bytes]:
        """Return the values sealed, in order, with one read of the keys for all of them."""
        rows = self._living(conn, sorted({one.subject for one in values}))
        sealed = []
        for one in values:
            row = rows[one.subject]
            nonce = os.urandom(_NONCE_BYTES)
            hidden = self._cipher(row).encrypt(nonce, one.value, _bound(row, one.context))
            sealed.append(_FORMAT + row.generation.to_bytes(4, "big") + nonce + hidden)
        return sealed

    def open(self, conn: Connection, subject: str, sealed: bytes, context: str) -> bytes:
        """Return the value.

        The row is read on every call, so that a key destroyed by another process is gone here.

        Raises:
            SubjectErased: the key was destroyed.
            SealBroken: changed, or another subject's or context's.
        """
        return self.at_one_moment(conn)(subject, sealed, context)

    def at_one_moment(self, conn: Connection) -> Opened:
        """Return what opens values as `open` does, but reads the row of each subject once.

        For the length of one read of the database, in which no row changes.
        """
        rows: dict[str, _Row | None] = {}

        def opened(subject: str, sealed: bytes, context: str) -> bytes:
            if len(sealed) < _HEADER_BYTES + _NONCE_BYTES or sealed[:1] != _FORMAT:
                raise SealBroken("not a sealed value")
            if subject not in rows:
                rows[subject] = _rows(conn, [subject]).get(subject)
            return self._unsealed(subject, rows[subject], sealed, context)

        return opened

    def _unsealed(self, subject: str, row: _Row | None, sealed: bytes, context: str) -> bytes:
        if row is None:
            raise SealBroken("this subject never had a key")
        if not row.alive or row.generation != generation_of(sealed):
            self._forget(subject)
            raise SubjectErased("the subject's key was destroyed")
        nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        try:
            return self._cipher(row).decrypt(
                nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], _bound(row, context)
            )
        except InvalidTag:
            raise SealBroken("the sealed value does not belong here") from None

    def destroy(self, conn: Connection, subject: str) -> bool:
        """Destroy the subject's key; True if there was one. Final once the caller commits."""
        row = _rows(conn, [subject]).get(subject)
        self._forget(subject)
        if row is None or not row.alive:
            return False
        # Zeros of the same length: the row is rewritten in place, where NULL would leave the
        # old bytes in the free part of an SQLite page.
        conn.execute(
            update(subject_key)
            .where(subject_key.c.subject == subject)
            .values(wrapped=bytes(len(row.wrapped)), alive=False)
        )
        return True

    def _living(self, conn: Connection, subjects: Sequence[str]) -> dict[str, _Row]:
        found = _rows(conn, subjects)
        lacking = [name for name in subjects if name not in found or not found[name].alive]
        if not lacking:
            return found
        for subject in lacking:
            self._create(conn, subject, found.get(subject))
        # Read again: of two processes that created the same key, one has won.
        return _rows(conn, subjects)

    def _create(self, conn: Connection, subject: str, erased: _Row | None) -> None:
        generation = erased.generation + 1 if erased else 1
        nonce = os.urandom(_NONCE_BYTES)
        bound = f"impr/subject-key/v1/{generation}/{subject}".encode()
        wrapped = nonce + self._vault[self._newest].encrypt(nonce, os.urandom(32), bound)
        values = {
            "generation": generation,
            "vault_key": self._newest,
            "wrapped": wrapped,
            "alive": True,
        }
        if erased is None:
            dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
            made = dialect.insert(subject_key).values(subject=subject, **values)
            conn.execute(made.on_conflict_do_nothing())
            return
        conn.execute(
            update(subject_key)
            .where(
                subject_key.c.subject == subject,
                subject_key.c.generation == erased.generation,
                subject_key.c.alive.is_(False),
            )
            .values(**values)
        )

    def _cipher(self, row: _Row) -> AESGCM:
        with self._lock:
            if row in self._opened:
                self._opened.move_to_end(row)
                return self._opened[row]
        vault = self._vault.get(row.vault_key)
        if vault is None:
            raise VaultKeyMissing(f"vault key {row.vault_key} is not in the key ring")
        bound = f"impr/subject-key/v1/{row.generation}/{row.subject}".encode()
        try:
            key = vault.decrypt(row.wrapped[:_NONCE_BYTES], row.wrapped[_NONCE_BYTES:], bound)
        except InvalidTag:
            raise SealBroken("the subject's wrapped key was changed") from None
        cipher = AESGCM(key)
        with self._lock:
            self._opened[row] = cipher
            while len(self._opened) > _CACHED_KEYS:
                self._opened.popitem(last=False)
        return cipher

    def _forget(self, subject: str) -> None:
        with self._lock:
            for row in [row for row in self._opened if row.subject == subject]:
                del self._opened[row]


def generation_of(sealed: bytes) -> int:
    """Return under which of its subject's keys a value is sealed: the first is 1."""
    return int.from_bytes(sealed[1:_HEADER_BYTES], "big")


_BY_SUBJECT = select(subject_key).where(
    subject_key.c.subject.in_(bindparam("subjects", expanding=True))
)


def _rows(conn: Connection, subjects: Sequence[str]) -> dict[str, _Row]:
    found = conn.execute(_BY_SUBJECT, {"subjects": list(subjects)})
    return {
        row.subject: _Row(row.subject, row.generation, row.vault_key, bytes(row.wrapped), row.alive)
        for row in found
    }


def _bound(row: _Row, context: str) -> bytes:
    return f"impr/subject/v1/{row.generation}/{len(row.subject)}/{row.subject}/{context}".encode()
