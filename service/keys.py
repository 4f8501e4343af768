"""One key for each purpose, in files that only the service's user can read.

A key file is written once and never changed: rotation adds a file with the next number, and the
highest number signs. Two processes that create the first key at the same moment agree on one,
because the file appears under its final name whole, or not at all, and only once.
"""

import base64
import binascii
import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Clock = Callable[[], datetime]

# A key file is under 300 bytes and a bundle of certificates under 20 kB; more is not ours.
_MAX_FILE_BYTES = 1 << 20


class Purpose(StrEnum):
    """What a key is for. A key that serves two purposes lets one stand in for the other."""

    TICKET = "ticket"
    LOG = "log"
    LOG_COSIGN = "log_cosign"
    MANIFEST = "manifest"
    WEBHOOK = "webhook"
    VAULT = "vault"
    SESSION = "session"
    CURSOR = "cursor"


SIGNING = frozenset({Purpose.TICKET, Purpose.LOG})
# Beside LOG, and only where somebody made one: ML-DSA-44, against quantum computers.
COSIGNING = frozenset({Purpose.LOG_COSIGN})
SECRETS = frozenset({Purpose.WEBHOOK, Purpose.VAULT, Purpose.SESSION, Purpose.CURSOR})


class KeyRingError(Exception):
    """Base of everything this module raises. No message ever holds key material."""


class KeyExposed(KeyRingError):
    """A key file or its folder can be read or replaced by another user."""


class KeyDamaged(KeyRingError):
    """A key file is not what this service wrote."""


class KeyMissing(KeyRingError):
    """There is no such key, and none is made on demand."""


class WrongPurpose(KeyRingError):
    """This purpose has a key of another kind."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a signing key. `public` is 32 bytes, raw Ed25519."""

    id: str
    public: bytes

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` over `message` was made with the private half."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key that signs. Its private half is in no `repr`."""

    id: str
    public: bytes
    private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""
        return self.private.sign(message)

    @property
    def verifying(self) -> VerifyingKey:
        """What others check this key's signatures with."""
        return VerifyingKey(self.id, self.public)


@dataclass(frozen=True, slots=True)
class CosigningKey:
    """An ML-DSA-44 key that signs. Its private half is in no `repr`."""

    id: str
    public: bytes
    private: MLDSA44PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """Return the 2,420-byte signature of `message`; another one each time."""
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """32 random bytes. They are in no `repr`."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A private key with its certificates, PEM, made elsewhere. In no `repr`."""

    id: str
    pem: bytes = field(repr=False)


def signing_key(seed: bytes) -> SigningKey:
    """Return the Ed25519 key of a 32-byte seed; its id is a fingerprint of the public half."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SigningKey(_fingerprint("ed25519", public), public, private)


def cosigning_key(seed: bytes) -> CosigningKey:
    """Return the ML-DSA-44 key of a 32-byte seed."""
    private = MLDSA44PrivateKey.from_seed_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return CosigningKey(_fingerprint("ml-dsa-44", public), public, private)


def secret_key(secret: bytes) -> SecretKey:
    """Return 32 bytes as a key; the id is a hash, which says nothing about 256 random bits."""
    return SecretKey(_fingerprint("secret", secret), secret)


class KeyRing:
    """The keys in one folder. Each is created when it is first asked for.

    Args:
        folder: created with mode 0700 when absent; keep it outside the repository.
        clock: now, aware UTC; written beside each key.

    Raises:
        KeyExposed: another user can read or replace the keys.
        KeyDamaged: a file is not a key of this purpose.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._signing: dict[Purpose, tuple[int, int, Path, SigningKey]] = {}

    def signing(self, purpose: Purpose) -> SigningKey:
        """Return the key that signs for `purpose` now; read again when a file changed."""
        _require(purpose, SIGNING)
        known = self._signing.get(purpose)
        if known is None or known[:2] != self._stamps(known[2]):
            self._seeds(purpose)
            newest = self._files(purpose)[-1]
            # Stamped before it is read: what changes meanwhile is read again next time.
            stamps = self._stamps(newest)
            known = (*stamps, newest, signing_key(_seed(newest, purpose)))
            self._signing[purpose] = known
        return known[3]

    def verifying(self, purpose: Purpose) -> tuple[VerifyingKey, ...]:
        """Return every key whose signatures still count, the newest first."""
        _require(purpose, SIGNING)
        return tuple(signing_key(seed).verifying for seed in reversed(self._seeds(purpose)))

    def cosigning(self) -> CosigningKey | None:
        """Return the key that signs checkpoints beside the log's, if `rotate` ever made one."""
        files = self._files(Purpose.LOG_COSIGN)
        return cosigning_key(_seed(files[-1], Purpose.LOG_COSIGN)) if files else None

    def secrets(self, purpose: Purpose) -> tuple[SecretKey, ...]:
        """Return the secrets of `purpose`, the newest first; new work uses that one."""
        _require(purpose, SECRETS)
        return tuple(secret_key(seed) for seed in reversed(self._seeds(purpose)))

    def rotate(self, purpose: Purpose) -> str:
        """Make a new key for `purpose` and return its id; the old ones stay for verification."""
        _require(purpose, SIGNING | SECRETS | COSIGNING)
        optional = purpose in COSIGNING
        made = len(self._files(purpose) if optional else self._seeds(purpose))
        for number in range(made + 1, made + 100):
            if self._write(purpose, number, self._new(purpose)):
                break
        return _id(purpose, self._seeds(purpose)[-1])

    def store_bundle(self, pem: bytes) -> Bundle:
        """Keep a signing key with its certificates for manifests; it replaces the one before."""
        if b"-----BEGIN " not in pem or len(pem) > _MAX_FILE_BYTES:
            raise KeyDamaged("a bundle is PEM text of at most 1 MiB")
        number = len(self._files(Purpose.MANIFEST)) + 1
        while not self._write(Purpose.MANIFEST, number, pem):
            number += 1
        return Bundle(_fingerprint("bundle", pem), pem)

    def load_bundle(self) -> Bundle:
        """Return the newest bundle.

        Raises:
            KeyMissing: none was stored.
        """
        return self.bundles()[0]

    def bundles(self) -> tuple[Bundle, ...]:
        """Return every bundle that was stored, the newest first.

        Raises:
            KeyMissing: none was stored.
        """
        files = self._files(Purpose.MANIFEST)
        if not files:
            raise KeyMissing(f"no signing bundle in {self._folder}")
        return tuple(_bundle(path) for path in reversed(files))

    def _seeds(self, purpose: Purpose) -> list[bytes]:
        files = self._files(purpose)
        if not files:
            # Whoever loses this race reads the winner's key below.
            self._write(purpose, 1, self._new(purpose))
            files = self._files(purpose)
        return [_seed(path, purpose) for path in files]

    def _stamps(self, path: Path) -> tuple[int, int]:
        """Return when the folder and the file last changed in any way, their modes included."""
        try:
            return self._folder.lstat().st_ctime_ns, path.lstat().st_ctime_ns
        except FileNotFoundError:
            return 0, 0

    def _files(self, purpose: Purpose) -> list[Path]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_exposed(self._folder, self._folder.lstat())
        return sorted(self._folder.glob(f"{purpose}-[0-9][0-9][0-9][0-9].key"))

    def _new(self, purpose: Purpose) -> bytes:
        seed = os.urandom(32)
        fields = {
            "purpose": purpose.value,
            "id": _id(purpose, seed),
            "created_at": self._clock().astimezone(UTC).isoformat(),
            "seed": base64.b64encode(seed).decode(),
        }
        return json.dumps(fields, indent=1).encode() + b"\n"

    def _write(self, purpose: Purpose, number: int, content: bytes) -> bool:
        """Write one file whole or not at all; False when the number is already taken."""
        final = self._folder / f"{purpose}-{number:04d}.key"
        # NamedTemporaryFile opens with O_EXCL and mode 0600.
        with NamedTemporaryFile(dir=self._folder, prefix=".new-") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            try:
                # A hard link is a rename that refuses to overwrite: one process wins.
                os.link(file.name, final)
            except FileExistsError:
                return False
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return True


def _bundle(path: Path) -> Bundle:
    pem = _read_private(path)
    if b"-----BEGIN " not in pem:
        raise KeyDamaged(f"{path} is not PEM")
    return Bundle(_fingerprint("bundle", pem), pem)


def _require(purpose: Purpose, allowed: frozenset[Purpose]) -> None:
    if purpose not in allowed:
        raise WrongPurpose(f"{purpose} has no key of this kind")


def _id(purpose: Purpose, seed: bytes) -> str:
    if purpose in COSIGNING:
        return cosigning_key(seed).id
    return signing_key(seed).id if purpose in SIGNING else secret_key(seed).id


def _fingerprint(kind: str, material: bytes) -> str:
    return hashlib.sha256(f"impr/key-id/v1/{kind}/".encode() + material).hexdigest()[:16]


def _refuse_exposed(path: Path, seen: os.stat_result) -> None:
    if stat.S_ISLNK(seen.st_mode):
        raise KeyExposed(f"{path} is a symbolic link: put the keys there themselves")
    if seen.st_mode & 0o077:
        wanted = "700" if stat.S_ISDIR(seen.st_mode) else "600"
        raise KeyExposed(f"others can open {path}: run chmod {wanted} on it, then rotate the keys")
    if seen.st_uid not in {os.geteuid(), 0}:
        raise KeyExposed(f"{path} belongs to user {seen.st_uid}: give it to the service's user")


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as failed:
        raise KeyExposed(f"{path} cannot be opened as a file: {failed.strerror}") from failed
    with os.fdopen(descriptor, "rb") as file:
        _refuse_exposed(path, os.fstat(descriptor))
        return file.read(_MAX_FILE_BYTES + 1)


def _seed(path: Path, purpose: Purpose) -> bytes:
    seed = _parsed(_read_private(path), purpose)
    # Raised out here: a JSONDecodeError carries the whole document, and an exception's context
    # is printed by whatever logs it.
    if seed is None:
        raise KeyDamaged(f"{path} is not a {purpose} key of this service: restore it from a backup")
    return seed


def _parsed(content: bytes, purpose: Purpose) -> bytes | None:
    try:
        fields = json.loads(content)
        seed = base64.b64decode(fields["seed"], validate=True)
        intact = fields["purpose"] == purpose.value and len(seed) == 32
        named = fields["id"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    return seed if intact and named == _id(purpose, seed) else None
