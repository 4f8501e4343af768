"""Cosignatures: somebody else's dated word that a checkpoint continues all that they saw before.

Two kinds, told apart by the byte in the key: Ed25519 (0x04) over the text of the checkpoint, and
ML-DSA-44 (0x06), which a quantum computer does not forge, over its fields and the signer's name.
The log itself may put the second kind beside its own signature.

Source: https://c2sp.org/tlog-cosignature (v1), FIPS 204.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from service.audit import checkpoint as notes
from service.audit.checkpoint import Checkpoint
from service.audit.errors import BadCheckpoint, BadCosigner
from service.keys import CosigningKey

_STAMP_BYTES = 8
_LAST_STAMP = 2**63 - 1


class Kind(IntEnum):
    """The byte that stands before a public key."""

    ED25519 = 4
    ML_DSA_44 = 6


_KEY_BYTES = {Kind.ED25519: 32, Kind.ML_DSA_44: 1312}


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Who cosigns: a name, and a public key of one kind."""

    name: str
    kind: Kind
    public: bytes

    @property
    def hash(self) -> bytes:
        """Four bytes that lead a reader to this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._key).digest()[:4]

    @property
    def id(self) -> str:
        """Name and hash; which key it is, not what it is."""
        return f"{self.name}+{self.hash.hex()}"

    @property
    def verifier_key(self) -> str:
        """The public key as one line to publish."""
        return f"{self.id}+{notes.base64_of(self._key)}"

    @property
    def _key(self) -> bytes:
        return bytes([self.kind]) + self.public


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One signature line, verified. `at` is when it was made, in seconds since 1970."""

    line: str
    at: int


def cosigner(verifier_key: str) -> Cosigner:
    """Return whose key this line is: `<name>+<key hash>+<base64 of kind and key>`.

    Raises:
        BadCosigner: it is not one, or does not match its own hash.
    """
    name, _, rest = verifier_key.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    try:
        notes.checked_origin(name)
        key = notes.unbase64(encoded)
        kind = Kind(key[0])
    except (BadCheckpoint, ValueError, IndexError):
        raise BadCosigner(
            "a witness's key is <name>+<8 hexadecimal digits>+<base64>, of the kinds 4 and 6"
        ) from None
    known = Cosigner(name, kind, key[1:])
    if len(known.public) != _KEY_BYTES[kind]:
        raise BadCosigner(f"the key of {name} has {len(known.public)} bytes")
    if hashed != known.hash.hex():
        raise BadCosigner(f"the key of {name} does not match its own hash: copy it again")
    return known


def own(origin: str, key: CosigningKey) -> Cosigner:
    """Return the log as a cosigner of its own checkpoints."""
    return Cosigner(origin, Kind.ML_DSA_44, key.public)


def cosigned(stated: Checkpoint, key: CosigningKey, at: int) -> str:
    """Return the line by which the log cosigns its own checkpoint, made `at` (Unix seconds)."""
    name = stated.origin
    signature = key.sign(_fields(name, at, stated))
    return notes.signature_line(name, own(name, key).hash + _stamp(at) + signature)


def found(lines: Iterable[str], stated: Checkpoint, text: str, by: Cosigner) -> Cosignature | None:
    """Return the cosignature of `by` among signature lines; None where there is none.

    Args:
        text: what the note says, all its lines; an Ed25519 signature covers them.

    Raises:
        BadCheckpoint: a line is malformed, or claims to be theirs and is not.
    """
    for line in lines:
        name, signature = notes.signature(line)
        if name != by.name or signature[:4] != by.hash:
            continue
        stamp, signed = signature[4 : 4 + _STAMP_BYTES], signature[4 + _STAMP_BYTES :]
        at = int.from_bytes(stamp, "big")
        message = (
            _fields(name, at, stated)
            if by.kind is Kind.ML_DSA_44
            else f"cosignature/v1\ntime {at}\n{text}".encode()
        )
        if at > _LAST_STAMP or not _verifies(by, signed, message):
            raise BadCheckpoint(f"the cosignature of {name} does not match the checkpoint")
        return Cosignature(f"{line}\n", at)
    return None


def read(note: str, origin: str, by: Cosigner) -> Checkpoint:
    """Return what the note states, on the word of `by` alone, whoever else signed it.

    Raises:
        BadCheckpoint: malformed, another log's, or not cosigned by them.
    """
    text, lines = notes.parts(note)
    stated = notes.stated(text, origin)
    if found(lines, stated, text, by) is None:
        raise BadCheckpoint(f"no cosignature of {by.id}")
    return stated


def _fields(name: str, at: int, stated: Checkpoint) -> bytes:
    """Return what ML-DSA-44 signs: `cosigned_message`, for a subtree that starts at entry 0."""
    return b"".join(
        (
            b"subtree/v1\n\0",
            _prefixed(name.encode()),
            _stamp(at),
            _prefixed(stated.origin.encode()),
            bytes(8),
            stated.size.to_bytes(8, "big"),
            stated.root,
        )
    )


def _prefixed(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _stamp(at: int) -> bytes:
    return at.to_bytes(_STAMP_BYTES, "big")


def _verifies(by: Cosigner, signature: bytes, message: bytes) -> bool:
    try:
        match by.kind:
            case Kind.ED25519:
                Ed25519PublicKey.from_public_bytes(by.public).verify(signature, message)
            case Kind.ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(by.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
