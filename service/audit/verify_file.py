"""Check an entry of the log without the log: one file, the standard library and `cryptography`.

Copy this file anywhere, and run

    python verify_file.py entry.tlog-proof 'example.com/log+a1b2c3d4+AS…'

with the public key that the log publishes, from a source that is not the file. It shares no code
with the log, so that one mistake cannot be on both sides. Exit status: 0 proved, 1 not, 2 usage.
"""

import argparse
import base64
import binascii
import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_MAX_FILE_CHARACTERS = 200_000


class NotProved(Exception):
    """The file does not prove that the entry is in the log."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The entry is number `index` of the first `size` of the log named `origin`."""

    origin: str
    index: int
    size: int
    entry: bytes = field(repr=False)


def verify(text: str, verifier_key: str) -> Proved:
    """Return the entry that the file proves, given the log's public key.

    Args:
        verifier_key: `<name>+<key hash>+<base64 of 0x01 and the Ed25519 key>`.

    Raises:
        NotProved: for any reason at all.
    """
    if len(text) > _MAX_FILE_CHARACTERS:
        raise NotProved("the file is too long")
    # 1. The parts.
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
        raise NotProved("not a tlog-proof file")
    entry = _unbase64(_after("extra ", lines[1]))
    index = _number(_after("index ", lines[2]))
    proof = [_unbase64(line) for line in lines[3:]]
    # 2. The checkpoint is signed by the log.
    origin, size, root = _checkpoint(note, verifier_key)
    # 3. The entry leads to its root.
    if any(len(step) != 32 for step in proof):
        raise NotProved("a hash of the proof is not 32 bytes")
    if _root(entry, index, size, proof) != root:
        raise NotProved("the entry does not lead to the signed root")
    return Proved(origin, index, size, entry)


def _checkpoint(note: str, verifier_key: str) -> tuple[str, int, bytes]:
    name, key_hash, public = _key(verifier_key)
    body, separator, signatures = note.rpartition("\n\n")
    body += "\n"
    lines = body.split("\n")
    if not separator or not note.endswith("\n") or len(lines) < 4 or lines[0] != name:
        raise NotProved("not a checkpoint of this log")
    for line in signatures.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        signature = _unbase64(encoded)
        if dash != "\N{EM DASH}" or signer != name or signature[:4] != key_hash:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], body.encode())
        except InvalidSignature:
            raise NotProved("the checkpoint's signature is wrong") from None
        return name, _number(lines[1]), _unbase64(lines[2])
    raise NotProved("the checkpoint is not signed with this key")


def _key(verifier_key: str) -> tuple[str, bytes, bytes]:
    name, _, rest = verifier_key.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    key = _unbase64(encoded)
    if len(key) != 33 or key[0] != 1:
        raise NotProved("the public key is not an Ed25519 verifier key")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if hashed != expected.hex():
        raise NotProved("the public key does not match its own hash: copy it again")
    return name, expected, key[1:]


def _root(entry: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 6962: from the leaf upwards, along the borders of the tree of `size` entries."""
    if index >= size:
        raise NotProved("the tree has no such entry")
    # Which side the neighbour is on at each height; none where the subtree ends the row alone.
    sides = []
    number, last = index, size - 1
    while last:
        if number % 2 or number < last:
            sides.append(number % 2)
        number, last = number // 2, last // 2
    if len(sides) != len(proof):
        raise NotProved("the proof has the wrong length")
    hashed = hashlib.sha256(b"\x00" + entry).digest()
    for on_the_left, step in zip(sides, proof, strict=True):
        pair = step + hashed if on_the_left else hashed + step
        hashed = hashlib.sha256(b"\x01" + pair).digest()
    return hashed


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise NotProved(f"a line does not start with {word.strip()!r}")
    return line[len(word) :]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20) or str(int(text)) != text:
        raise NotProved("a number is not a plain decimal")
    return int(text)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotProved("a line is not base64") from None


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Check that an entry is in the log.")
    parser.add_argument("file", type=Path, help="a .tlog-proof file")
    parser.add_argument("key", help="the log's public key, <name>+<hash>+<key>")
    asked = parser.parse_args(arguments)
    try:
        proved = verify(asked.file.read_bytes().decode(), asked.key)
    except (NotProved, OSError, UnicodeDecodeError) as wrong:
        sys.stderr.write(f"not proved: {wrong}\n")
        return 1
    sys.stderr.write(
        f"entry {proved.index} of the first {proved.size} of {proved.origin}: proved\n"
    )
    sys.stdout.buffer.write(proved.entry + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
