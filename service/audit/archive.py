"""Entries in a file, before they are pruned: with every hash that shows where they stood.

JSON lines. First what it is and a signed checkpoint with the consistency proof from the archived
part to it; then the leaf hashes of that part, 256 to a line; then the entries, each with its index;
last how many there are. Whoever has the log's public key checks it without the log.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.audit import checkpoint as notes
from service.audit import merkle
from service.audit.errors import ArchiveBroken, BadCheckpoint, BadProof
from service.keys import VerifyingKey

_KIND = "audit.archive"


@dataclass(frozen=True, slots=True)
class Proved:
    """What the entries of an archive are held against.

    Attributes:
        hashes: of every entry before the end of the archived part, in order.
        consistency: from that part to the checkpoint.
    """

    origin: str
    checkpoint: str
    hashes: Sequence[bytes]
    consistency: Sequence[bytes]


def write(path: Path, proved: Proved, entries: Iterable[tuple[int, bytes]]) -> int:
    """Write a new archive and return how many entries it has, once it is on the disk.

    Raises:
        OSError: `path` exists, or cannot be written.
    """
    count = 0
    with path.open("x", encoding="utf-8") as file:
        head = {
            "object": _KIND,
            "log": proved.origin,
            "below": len(proved.hashes),
            "checkpoint": proved.checkpoint,
            "consistency": [one.hex() for one in proved.consistency],
        }
        file.write(json.dumps(head) + "\n")
        for first in range(0, len(proved.hashes), merkle.TILE_WIDTH):
            some = b"".join(proved.hashes[first : first + merkle.TILE_WIDTH])
            file.write(json.dumps({"hashes": some.hex()}) + "\n")
        for index, leaf in entries:
            file.write(json.dumps({"index": index, "entry": leaf.decode()}) + "\n")
            count += 1
        file.write(json.dumps({"entries": count}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return count


def checked(path: Path, origin: str, keys: Sequence[VerifyingKey]) -> frozenset[int]:
    """Return the indexes of the entries that an archive has, each shown to have been logged.

    Raises:
        ArchiveBroken: it is not whole, or something in it was never in this log.
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        try:
            lines = _objects(file)
            head = next(lines)
            if head["object"] != _KIND:
                raise ArchiveBroken("this is no archive")
            signed = notes.read(head["checkpoint"], origin, keys)
            hashes = _hashes(lines, int(head["below"]))
            edge = merkle.Edge()
            edge.extend(hashes)
            proof = [bytes.fromhex(one) for one in head["consistency"]]
            merkle.check_consistency((len(hashes), edge.root()), (signed.size, signed.root), proof)
            return _indexes(lines, hashes)
        except (ValueError, KeyError, TypeError, StopIteration) as broken:
            raise ArchiveBroken("the archive is not whole") from broken
        except (BadCheckpoint, BadProof) as broken:
            raise ArchiveBroken(f"the archive is of another log: {broken}") from broken


def _objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ArchiveBroken("a line is no object")
        yield found


def _hashes(lines: Iterator[dict[str, Any]], below: int) -> list[bytes]:
    hashes: list[bytes] = []
    while len(hashes) < below:
        some = bytes.fromhex(next(lines)["hashes"])
        if not some or len(some) % merkle.HASH_BYTES:
            raise ArchiveBroken("a line of hashes is cut off")
        width = merkle.HASH_BYTES
        hashes += [some[at : at + width] for at in range(0, len(some), width)]
    return hashes


def _indexes(lines: Iterator[dict[str, Any]], hashes: Sequence[bytes]) -> frozenset[int]:
    found: set[int] = set()
    for line in lines:
        if "entries" in line:
            if line["entries"] != len(found) or next(lines, None) is not None:
                raise ArchiveBroken("the archive has not as many entries as it says")
            return frozenset(found)
        index = line["index"]
        if (
            not 0 <= index < len(hashes)
            or merkle.leaf_hash(line["entry"].encode()) != hashes[index]
        ):
            raise ArchiveBroken(f"entry {index!r:.20} is not the one that was logged")
        found.add(index)
    raise ArchiveBroken("the archive breaks off")
