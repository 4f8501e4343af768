"""The bytes of a file that a C2PA signature does not cover, and whether they are as they must be.

Flipping one bit in each byte of a signed MP4 showed where the validator looks away: `ftyp` and
`free` boxes (left out of the hash by the standard), the head of the box that holds the manifest,
the names of its structural boxes, and the padding beside the signature. Nothing there can change
the film; but something could be hidden there, and "nothing has changed" would not be true.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.failures import NotReadable, ProvenanceError

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MAX_MANIFEST = 64 << 20
# The C2PA library's time grows with the square of the number of boxes: 10,000 take 0.5 s, 60,000
# took 16 s, at any depth. A film in pieces has about ten a piece; ours have sixty in all.
_MAX_BOXES = 10_000
_CONTAINERS = {
    *(b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"udta"),
    *(b"moof", b"traf"),
}
_UNCOVERED = {b"ftyp", b"free", b"skip", b"mfra"}
_TOO_MANY = "imprimatur.container.boxes"
_FILMS = {"video/mp4", "video/quicktime", "audio/mp4", "image/heic", "image/avif"}
_PURPOSES = {b"manifest", b"original", b"update"}
_LABELS = {
    b"c2pa": {b"c2pa"},
    b"c2as": {b"c2pa.assertions"},
    b"c2cl": {b"c2pa.claim", b"c2pa.claim.v2"},
    b"c2cs": {b"c2pa.signature"},
}
_NAMED, _NAMED_AND_SALTED = b"\x03", b"\x13"
_UNSIGNED_KEYS = {"pad", "pad2", "sigTst", "sigTst2", "rVals", "x5chain", 33}


class HiddenBytes(ProvenanceError):
    """There are bytes where none belong; `code` says in which part."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    head: int
    size: int


def media_type(head: bytes) -> str | None:
    """Return the media type by the first 64 bytes, or None if we cannot check that kind."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in {b"heic", b"heix", b"mif1", b"avif"}:
            return "image/avif" if brand == b"avif" else "image/heic"
        return {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}.get(brand, "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    for magic, kind in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
    ):
        if head.startswith(magic):
            return kind
    return None


def holds_film(path: Path) -> bool:
    """Say whether an MP4 or MOV has an index and pictures; the C2PA library signs it without."""
    try:
        with path.open("rb") as stream:
            kinds = {box.kind for box in _boxes(stream, 0, path.stat().st_size)}
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken
    return {b"ftyp", b"moov", b"mdat"} <= kinds


def crowded(path: Path) -> bool:
    """Say whether an MP4 or PNG is in so many pieces that checking it would take too long.

    Raises:
        NotReadable: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            kind, end = media_type(stream.read(64)), path.stat().st_size
            if kind == "image/png":
                return _many_chunks(stream, end)
            spans = [(0, end)] if kind in _FILMS else []
            count = 0
            while spans:
                for box in _boxes(stream, *spans.pop()):
                    count += 1
                    if box.kind in _CONTAINERS:
                        spans.append((box.start + box.head, box.start + box.size))
                    if count > _MAX_BOXES:
                        return True
    except HiddenBytes as strange:
        return strange.code == _TOO_MANY  # anything else is for the library to judge
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken
    return False


def _many_chunks(stream: BinaryIO, end: int) -> bool:
    at = 8
    for _ in range(_MAX_BOXES):
        stream.seek(at)
        at += 12 + int.from_bytes(stream.read(4))
        if at >= end:
            return False
    return True


def uncovered_sha256(path: Path) -> str:
    """Return the SHA-256 over all boxes of an MP4 that the C2PA hash leaves out, but the manifest.

    Empty for other kinds of file: they have a hash of another kind.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            if media_type(stream.read(64)) not in {"video/mp4", "video/quicktime", "audio/mp4"}:
                return ""
            for box in _boxes(stream, 0, path.stat().st_size):
                if box.kind in _UNCOVERED:
                    stream.seek(box.start)
                    digest.update(stream.read(min(box.size, _MAX_MANIFEST)))
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken
    return digest.hexdigest()


def strict(path: Path) -> None:
    """Check that the unsigned parts of an MP4's manifest store hold nothing.

    Raises:
        HiddenBytes: they do.
        NotReadable: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            if media_type(stream.read(64)) not in {"video/mp4", "video/quicktime", "audio/mp4"}:
                return
            for box in _boxes(stream, 0, path.stat().st_size):
                if box.kind != b"uuid" or box.size > _MAX_MANIFEST:
                    continue
                stream.seek(box.start + box.head)
                content = stream.read(box.size - box.head)
                if content[:16] == _C2PA:
                    _check_store(content[16:])
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    for _ in range(_MAX_BOXES):
        if start >= end:
            return
        stream.seek(start)
        head = stream.read(16)
        if len(head) < 8:
            raise HiddenBytes("imprimatur.container.trailing")
        size, length = int.from_bytes(head[:4]), 8
        if size == 1:
            size, length = int.from_bytes(head[8:16]), 16
        elif size == 0:  # to the end; only the short form can say so
            size = end - start
        if size < length or start + size > end:
            raise HiddenBytes("imprimatur.container.lengths")
        yield _Box(head[4:8], start, length, size)
        start += size
    raise HiddenBytes(_TOO_MANY)


def _check_store(content: bytes) -> None:
    # Full box version and flags, the purpose, and the offset of an auxiliary box (there is none).
    purpose = content[4:].split(b"\0", 1)[0]
    if content[:4] == bytes(4) and purpose == b"merkle":
        return
    start = 4 + len(purpose) + 9
    if content[:4] + content[start - 9 : start] != bytes(13) or purpose not in _PURPOSES:
        raise HiddenBytes("imprimatur.manifest.head")
    _check_superboxes(content[start:], depth=0)


def _check_superboxes(content: bytes, depth: int) -> None:
    for kind, inner in _jumbf(content):
        if kind != b"jumb":
            continue
        parts = list(_jumbf(inner))
        if not parts or parts[0][0] != b"jumd" or depth > 8:
            raise HiddenBytes("imprimatur.manifest.structure")
        description = parts[0][1]
        label = description[17:].split(b"\0", 1)[0]
        _check_description(description, label)
        if description[:4] == b"c2cs":
            for inner_kind, body in parts[1:]:
                if inner_kind == b"cbor":
                    _check_signature(body)
        _check_superboxes(inner, depth + 1)


def _check_description(description: bytes, label: bytes) -> None:
    """Check the head of one box: its name, its switches, and nothing after the name but a salt."""
    expected = _LABELS.get(description[:4])
    if expected is not None and label not in expected:
        raise HiddenBytes("imprimatur.manifest.label")
    toggles, rest = description[16:17], description[18 + len(label) :]
    if toggles == _NAMED and rest:
        raise HiddenBytes("imprimatur.manifest.description")
    if toggles not in {_NAMED, _NAMED_AND_SALTED}:
        raise HiddenBytes("imprimatur.manifest.description")


def _jumbf(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4])
        if size < 8 or at + size > len(content):
            raise HiddenBytes("imprimatur.manifest.lengths")
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def _check_signature(cose: bytes) -> None:
    """Check that a COSE_Sign1 holds nothing but what is signed, known keys and zero padding."""
    try:
        start = 1 if cose[0] == 0xD2 else 0
        if cose[start] != 0x84:
            raise HiddenBytes("imprimatur.signature.form")
        _, at = _item(cose, start + 1)
        at = _check_unsigned_header(cose, at)
        if cose[at] != 0xF6:  # the payload is the claim, which is elsewhere: null
            raise HiddenBytes("imprimatur.signature.form")
        _, at = _item(cose, at + 1)
    except (IndexError, UnicodeDecodeError, RecursionError) as broken:
        raise HiddenBytes("imprimatur.signature.form") from broken
    if at != len(cose):
        raise HiddenBytes("imprimatur.signature.trailing")


def _check_unsigned_header(cose: bytes, at: int) -> int:
    if cose[at] >> 5 != 5:
        raise HiddenBytes("imprimatur.signature.form")
    count, at = _argument(cose, at)
    for _ in range(count):
        key, at = _item(cose, at)
        value, at = _item(cose, at)
        if key not in _UNSIGNED_KEYS:
            raise HiddenBytes("imprimatur.signature.unsigned")
        if key in {"pad", "pad2"} and (not isinstance(value, bytes) or any(value)):
            raise HiddenBytes("imprimatur.signature.padding")
    return at


def _argument(data: bytes, at: int) -> tuple[int, int]:
    short = data[at] & 31
    if short < 24:
        return short, at + 1
    if short > 27:
        raise HiddenBytes("imprimatur.signature.form")
    width = 1 << (short - 24)
    return int.from_bytes(data[at + 1 : at + 1 + width]), at + 1 + width


def _item(data: bytes, at: int) -> tuple[object, int]:
    """Return one CBOR item and where the next begins; arrays and maps are only skipped."""
    major = data[at] >> 5
    number, at = _argument(data, at)
    if at > len(data):
        raise IndexError
    if major in {0, 1}:
        return (number if major == 0 else -1 - number), at
    if major in {2, 3}:
        value = data[at : at + number]
        if len(value) < number:
            raise IndexError
        return (value if major == 2 else value.decode()), at + number
    if major in {4, 5}:
        for _ in range(number * (major - 3)):
            _, at = _item(data, at)
    if major == 6:
        return _item(data, at)
    return None, at
