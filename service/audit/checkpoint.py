"""Signed statements of what the log holds, as C2SP checkpoints in signed notes.

Three lines (origin, size, root in base64), an empty line, then one line per signature:
`— <name> <base64 of key hash and signature>`. Any tool that reads Go's checksum database,
Sigstore or Certificate Transparency tiles reads these.

Source: https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.audit.errors import BadCheckpoint
from service.keys import SigningKey, VerifyingKey

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
_MAX_NOTE_CHARACTERS = 16_384
# A name ends at a space, and a `+` parts name and hash in a verifier key.
_NAME = re.compile(r"[!-*,-~]{1,100}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log's `size` and `root` hash (32 bytes) at one moment. `origin` names the log."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def checked_origin(origin: str) -> str:
    """Return `origin` if it can name a log: printable ASCII without spaces or `+`.

    Raises:
        BadCheckpoint: it cannot.
    """
    if not _NAME.fullmatch(origin):
        raise BadCheckpoint("an origin is 1 to 100 printable ASCII characters, no space, no +")
    return origin


def key_hash(name: str, public: bytes) -> bytes:
    """Return the four bytes that tell a reader which key signed."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """Return the public key as one line to publish: `<name>+<key hash>+<key>`."""
    key = base64.b64encode(_ED25519 + public).decode()
    return f"{name}+{key_hash(name, public).hex()}+{key}"


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return the checkpoint as a signed note."""
    name, body = checkpoint.origin, checkpoint.body
    signature = key_hash(name, key.public) + key.sign(body.encode())
    return f"{body}\n{_DASH} {name} {base64.b64encode(signature).decode()}\n"


def read(note: str, origin: str, keys: Iterable[VerifyingKey]) -> Checkpoint:
    """Return what the note states, if this log signed it. Other signatures are passed over.

    Raises:
        BadCheckpoint: malformed, another log's, or not signed with one of `keys`.
    """
    body, separator, signatures = note.rpartition("\n\n")
    if len(note) > _MAX_NOTE_CHARACTERS or not separator or not note.endswith("\n"):
        raise BadCheckpoint("not a signed note")
    body += "\n"
    checkpoint = _parsed(body.split("\n"))
    if checkpoint.origin != origin:
        raise BadCheckpoint(f"it is the checkpoint of {checkpoint.origin!r}, not of {origin!r}")
    by_hash = {key_hash(origin, key.public): key for key in keys}
    for line in signatures.removesuffix("\n").split("\n"):
        name, signature = _signature(line)
        key = by_hash.get(signature[:4])
        if name != origin or key is None:
            continue
        # A wrong signature by a key that we know is never passed over.
        if not key.verifies(signature[4:], body.encode()):
            raise BadCheckpoint("the signature does not match the text")
        return checkpoint
    raise BadCheckpoint("no signature by a trusted key of this log")


def _parsed(lines: Sequence[str]) -> Checkpoint:
    if len(lines) < 4 or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
        raise BadCheckpoint("not origin, size and root, a line each")
    root = _unbase64(lines[2])
    if len(root) != 32:
        raise BadCheckpoint("the root is not 32 bytes")
    return Checkpoint(checked_origin(lines[0]), int(lines[1]), root)


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH or not name:
        raise BadCheckpoint("a signature line is a dash, a name and base64")
    signature = _unbase64(encoded)
    if len(signature) < 5:
        raise BadCheckpoint("a signature is too short")
    return name, signature


def _unbase64(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadCheckpoint("not base64") from None
    # One text for one note: the last character has bits that decoding would ignore.
    if base64.b64encode(content).decode() != text:
        raise BadCheckpoint("not canonical base64")
    return content
