"""Check entries of the log without the log: one file, the standard library and `cryptography`.

Copy this file anywhere, and run

    python verify_file.py entry.tlog-proof 'example.com/log+a1b2c3d4+AS…'

with the public key that the log publishes, from a source that is not the file. Several files may
stand before the key, exports as JSON lines among them. `--witness 'w.example+5e6f7a8b+BA…'`,
several times for several, asks for somebody else's signature too: without one, the log may show
others another history. It shares no code with the log, so that one mistake cannot be on both
sides. Exit status: 0 proved, 1 not, 2 usage.
"""

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# An entry of 65,535 bytes, and as many characters of signatures.
_MAX_FILE_CHARACTERS = 300_000
# The bytes before a public key: https://c2sp.org/signed-note, https://c2sp.org/tlog-cosignature.
_LOG, _WITNESS, _WITNESS_ML_DSA_44 = 1, 4, 6
_KEY_BYTES = {_LOG: 32, _WITNESS: 32, _WITNESS_ML_DSA_44: 1312}
_EXPORT, _END = b'{"object":"audit.export",', b'{"object":"audit.export.end",'
# An entry with each of its characters escaped, and its proof; or the head with many signatures.
_MAX_LINE_BYTES = 1 << 20
_HEAD = {
    "object", "version", "format", "log", "made_at", "project", "query", "query_salt", "entries",
    "below", "proofs", "tree_size", "checkpoint", "keys", "exported", "not_proved",
}  # fmt: skip


class NotProved(Exception):
    """The file does not prove that the entry is in the log."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The entry is number `index` of the first `size` of the log named `origin`."""

    origin: str
    index: int
    size: int
    entry: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProvedExport:
    """A file is the export that the log says was made, to the last line.

    Attributes:
        entries: how many, among the first `below` of the log.
        size: of the tree that they are proved in.
        query, project: what was asked for; without a project, of all of them.
        each: whether every entry leads to the root by itself; else the log only vouches for them.
    """

    origin: str
    entries: int
    below: int
    size: int
    query: str
    project: str
    each: bool

    @property
    def said(self) -> str:
        """In a sentence what is proved, and what is not."""
        how = "each proved" if self.each else "which the log vouches for together"
        all_of_them = self.entries == self.below
        more = ": all there are" if all_of_them else "; not proved: that the query met no others"
        return f"{self.entries} entries of the first {self.below}, {how}{more}"


def is_export(start: bytes) -> bool:
    """Whether a file that starts so is meant to be an export."""
    return start.startswith(_EXPORT)


def verify_export(
    lines: Iterable[bytes], verifier_key: str, witnesses: Sequence[str] = ()
) -> ProvedExport:
    """Return what an export proves, read line by line; the arguments are as for `verify`.

    Raises:
        NotProved: for any reason at all; it names the line.
    """
    numbered = enumerate(lines, 1)
    with _line(1):
        head = _object(next(numbered, (1, b""))[1], _HEAD)
        # 1. The checkpoint is signed, and the entry under it says what was exported.
        origin, size, root = _checkpoint(head["checkpoint"], verifier_key)
        for witness in witnesses:
            _cosigned(head["checkpoint"], witness, origin, size, root)
        said = _exported(head, origin, size, root)
    # 2. The entries are in order, and each leads to the root.
    body = _Body(each=head["proofs"] == "each", below=said["below"], size=size, root=root)
    number = 1
    for number, line in numbered:
        with _line(number):
            body.take(line)
    # 3. They are as many as the log says, and the same.
    with _line(number):
        if not body.is_over:
            raise NotProved("the file breaks off after this line")
        if body.count != said["entries"]:
            raise NotProved(f"{said['entries']} entries were exported, not {body.count}")
        if body.summed.hexdigest() != said["entries_sha256"]:
            raise NotProved("these are not the entries that the log says were exported")
    asked = head["query"], head["project"]
    return ProvedExport(origin, body.count, body.below, size, *asked, each=body.each)


@contextmanager
def _line(number: int) -> Iterator[None]:
    try:
        yield
    except NotProved as wrong:
        raise NotProved(f"line {number}: {wrong}") from None
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        # Whatever JSON can be in place of what belongs there.
        raise NotProved(f"line {number}: no line of an export, or it is cut off") from None


def _exported(head: dict[str, Any], origin: str, size: int, root: bytes) -> dict[str, Any]:
    """Return what the log says of the export, if the head says the same."""
    own = head["exported"]
    if _root(own["leaf"].encode(), own["index"], size, _hashes(own["proof"])) != root:
        raise NotProved("the export's own entry does not lead to the signed root")
    # From here on it is JSON of the log's.
    entry = json.loads(own["leaf"])
    if entry["type"] != "audit.exported":
        raise NotProved("the entry in the head is not that of an export")
    facts: dict[str, Any] = entry["facts"]
    salted = b"impr/commit/v1" + _unbase64(head["query_salt"]) + head["query"].encode()
    said = {
        "object": "audit.export", "version": 1, "format": facts["format"], "log": origin,
        "made_at": entry["at"], "project": entry["project"], "entries": facts["entries"],
        "below": facts["below"], "tree_size": size,
    }  # fmt: skip
    for name, value in said.items():
        if head[name] != value or type(head[name]) is not type(value):
            raise NotProved(f"{name!r} is not what the log says of this export")
    if hashlib.sha256(salted).hexdigest() != entry["commitments"]["query"]:
        raise NotProved("'query' is not what the log says was asked for")
    if facts["format"] != "jsonl" or head["proofs"] not in ("each", "none"):
        raise NotProved("only an export as jsonl can be checked: not checked")
    return facts


@dataclass(slots=True)
class _Body:
    """The lines behind the head, taken one after another."""

    each: bool
    below: int
    size: int
    root: bytes
    count: int = 0
    last: int = -1
    is_over: bool = False
    summed: Any = field(default_factory=hashlib.sha256)

    def take(self, line: bytes) -> None:
        if self.is_over:
            raise NotProved("nothing may stand behind the last line")
        if line.startswith(_END):
            if _object(line, {"object", "entries"})["entries"] != self.count:
                raise NotProved(f"the file has {self.count} entries, and this line says another")
            self.is_over = True
            return
        found = _object(line, {"index", "leaf", "proof"} if self.each else {"index", "leaf"})
        index, leaf = found["index"], found["leaf"].encode()
        if index == self.last:
            raise NotProved(f"entry {index} is there twice")
        if type(index) is not int or not self.last < index < self.below:
            raise NotProved(f"entry {index} is out of order")
        if self.each and _root(leaf, index, self.size, _hashes(found["proof"])) != self.root:
            raise NotProved(f"entry {index} does not lead to the signed root")
        self.summed.update(index.to_bytes(8, "big") + hashlib.sha256(b"\0" + leaf).digest())
        self.count, self.last = self.count + 1, index


def _object(line: bytes, members: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line.decode(), object_pairs_hook=_once)
    if not line.endswith(b"\n") or found.keys() != members:
        raise NotProved(f"not one object with {', '.join(sorted(members))}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotProved("a member is there twice")
    return found


def _hashes(steps: list[str]) -> list[bytes]:
    hashes = [_unbase64(one) for one in steps]
    if type(steps) is not list or any(len(one) != 32 for one in hashes):
        raise NotProved("the proof is not a list of hashes of 32 bytes")
    return hashes


def verify(text: str, verifier_key: str, witnesses: Sequence[str] = ()) -> Proved:
    """Return the entry that the file proves, given the log's public key.

    Args:
        verifier_key: `<name>+<key hash>+<base64 of 0x01 and the Ed25519 key>`.
        witnesses: keys, likewise with 0x04, or 0x06 and an ML-DSA-44 key; each must have signed.

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
    proof = _hashes(lines[3:])
    # 2. The checkpoint is signed by the log.
    origin, size, root = _checkpoint(note, verifier_key)
    for witness in witnesses:
        _cosigned(note, witness, origin, size, root)
    # 3. The entry leads to its root.
    if _root(entry, index, size, proof) != root:
        raise NotProved("the entry does not lead to the signed root")
    return Proved(origin, index, size, entry)


def _checkpoint(note: str, verifier_key: str) -> tuple[str, int, bytes]:
    name, key_hash, kind, public = _key(verifier_key)
    if kind != _LOG:
        raise NotProved("the log's public key is not an Ed25519 verifier key")
    body, separator, _ = note.rpartition("\n\n")
    body += "\n"
    lines = body.split("\n")
    if not separator or not note.endswith("\n") or len(lines) < 4 or lines[0] != name:
        raise NotProved("not a checkpoint of this log")
    signature = _signature(note, name, key_hash)
    if signature is None:
        raise NotProved("the checkpoint is not signed with this key")
    if not _signed(kind, public, signature, body.encode()):
        raise NotProved("the checkpoint's signature is wrong")
    return name, _number(lines[1]), _unbase64(lines[2])


def _cosigned(note: str, verifier_key: str, origin: str, size: int, root: bytes) -> None:
    name, key_hash, kind, public = _key(verifier_key)
    if kind == _LOG:
        raise NotProved(f"the key of {name} is not a witness's")
    content = _signature(note, name, key_hash)
    if content is None:
        raise NotProved(f"the witness {name} has not signed the checkpoint")
    stamp, signature = content[:8], content[8:]
    if kind == _WITNESS:
        body = note.rpartition("\n\n")[0] + "\n"
        message = f"cosignature/v1\ntime {int.from_bytes(stamp, 'big')}\n{body}".encode()
    else:
        names = [bytes([len(one)]) + one for one in (name.encode(), origin.encode())]
        end = size.to_bytes(8, "big")
        message = b"subtree/v1\n\0" + names[0] + stamp + names[1] + bytes(8) + end + root
    if len(stamp) != 8 or not _signed(kind, public, signature, message):
        raise NotProved(f"the signature of the witness {name} is wrong")


def _signature(note: str, name: str, key_hash: bytes) -> bytes | None:
    """Return what stands after the key's hash in the line of this signer."""
    for line in note.rpartition("\n\n")[2].removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        content = _unbase64(encoded)
        if dash == "\N{EM DASH}" and signer == name and content[:4] == key_hash:
            return content[4:]
    return None


def _signed(kind: int, public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        if kind == _WITNESS_ML_DSA_44:
            # Older versions of the library have it not, and are good enough for the others.
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    except (ImportError, UnsupportedAlgorithm):
        raise NotProved("this `cryptography` has no ML-DSA: install a newer one") from None
    return True


def _key(verifier_key: str) -> tuple[str, bytes, int, bytes]:
    name, _, rest = verifier_key.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    key = _unbase64(encoded)
    if not key or _KEY_BYTES.get(key[0]) != len(key) - 1 or not 0 < len(name.encode()) < 256:
        raise NotProved("a public key is not a verifier key")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if hashed != expected.hex():
        raise NotProved("a public key does not match its own hash: copy it again")
    return name, expected, key[0], key[1:]


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
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotProved("a line is not base64") from None
    # One text for one proof: the last character has bits that decoding would ignore.
    if base64.b64encode(content).decode() != text:
        raise NotProved("a line is not canonical base64")
    return content


def _check(file: Path, key: str, witnesses: list[str]) -> None:
    with file.open("rb") as opened:
        if not is_export(opened.peek(len(_EXPORT))):
            proved = verify(opened.read().decode(), key, witnesses)
            sys.stderr.write(
                f"entry {proved.index} of the first {proved.size} of {proved.origin}: proved\n"
            )
            sys.stdout.buffer.write(proved.entry + b"\n")
            return
        export = verify_export(lines_of(opened), key, witnesses)
    sys.stderr.write(f"{export.origin}: {export.said}\n")


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; one that never ends is cut."""
    return iter(lambda: file.readline(_MAX_LINE_BYTES + 1), b"")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Check that entries are in the log.")
    parser.add_argument("files", type=Path, nargs="+", help=".tlog-proof files, and exports")
    parser.add_argument("key", help="the log's public key, <name>+<hash>+<key>")
    parser.add_argument(
        "--witness", action="append", default=[], help="public key of who must have signed too"
    )
    asked = parser.parse_args(arguments)
    for file in asked.files:
        try:
            _check(file, asked.key, asked.witness)
        except (NotProved, OSError, UnicodeDecodeError) as wrong:
            sys.stderr.write(f"not proved: {file}: {wrong}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
