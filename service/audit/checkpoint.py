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
from collections.abc import Iterable
from dataclasses import dataclass

from service.audit.errors import BadCheckpoint
from service.keys import SigningKey, VerifyingKey

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
# Sixteen signatures are to be read, and one that outlives quantum computers has 3,300 characters.
_MAX_NOTE_CHARACTERS = 65_536
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
    return f"{name}+{key_hash(name, public).hex()}+{base64_of(_ED25519 + public)}"


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return the checkpoint as a signed note."""
    name, body = checkpoint.origin, checkpoint.body
    signed = key_hash(name, key.public) + key.sign(body.encode())
    return f"{body}\n{signature_line(name, signed)}"


def signature_line(name: str, content: bytes) -> str:
    """Return one line under a note: who signed, then key hash and signature in base64."""
    return f"{_DASH} {name} {base64_of(content)}\n"


def read(note: str, origin: str, keys: Iterable[VerifyingKey]) -> Checkpoint:
    """Return what the note states, if this log signed it. Other signatures are passed over.

    Raises:
        BadCheckpoint: malformed, another log's, or not signed with one of `keys`.
    """
    body, lines = parts(note)
    checkpoint = stated(body, origin)
    by_hash = {key_hash(origin, key.public): key for key in keys}
    for line in lines:
        name, signed = signature(line)
        key = by_hash.get(signed[:4])
        if name != origin or key is None:
            continue
        # A wrong signature by a key that we know is never passed over.
        if not key.verifies(signed[4:], body.encode()):
            raise BadCheckpoint("the signature does not match the text")
        return checkpoint
    raise BadCheckpoint("no signature by a trusted key of this log")


def parts(note: str) -> tuple[str, list[str]]:
    """Return the text of a signed note and its signature lines; nothing is verified.

    Raises:
        BadCheckpoint: it is none.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if len(note) > _MAX_NOTE_CHARACTERS or not separator or not note.endswith("\n"):
        raise BadCheckpoint("not a signed note")
    return f"{text}\n", signatures.removesuffix("\n").split("\n")


def stated(text: str, origin: str) -> Checkpoint:
    """Return what the text of a note states of the log `origin`; nothing is verified.

    Raises:
        BadCheckpoint: malformed, or another log's.
    """
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
        raise BadCheckpoint("not origin, size and root, a line each")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise BadCheckpoint("the root is not 32 bytes")
    if checked_origin(lines[0]) != origin:
        raise BadCheckpoint(f"it is the checkpoint of {lines[0]!r}, not of {origin!r}")
    return Checkpoint(origin, int(lines[1]), root)


def signature(line: str) -> tuple[str, bytes]:
    """Return who signed, and the key's hash (4 bytes) with the signature.

    Raises:
        BadCheckpoint: it is no signature line.
    """
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH or not name:
        raise BadCheckpoint("a signature line is a dash, a name and base64")
    content = unbase64(encoded)
    if len(content) < 5:
        raise BadCheckpoint("a signature is too short")
    return name, content


def base64_of(content: bytes) -> str:
    """Return base64 with padding."""
    return base64.b64encode(content).decode()


def unbase64(text: str) -> bytes:
    """Return the bytes of canonical base64.

    Raises:
        BadCheckpoint: it is none.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadCheckpoint("not base64") from None
    # One text for one note: the last character has bits that decoding would ignore.
    if base64_of(content) != text:
        raise BadCheckpoint("not canonical base64")
    return content
