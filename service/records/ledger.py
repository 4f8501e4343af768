"""The erasures, outside the database: what a restored backup does not know, this file does.

One JSON object per line, only ever appended to, on the disk before a key is destroyed. It holds
ids and nothing else: an id says nothing without the database, and a hash of one could not be run
again.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from service.records.words import LedgerDamaged, LedgerUnwritable
from service.vault.files import alone, sync_folder

NAME = "erasures.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """An erasure that was about to be done."""

    erasure: str
    subject: str
    project: str
    asked_by: str
    case: str
    films: bool
    at: str


class Ledger:
    """The file, in the folder `home`; whoever appends is alone with it."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self._lock = home / f"{NAME}.lock"

    def append(self, line: Line) -> None:
        """Write a line unless its erasure has one; return when it is on the disk.

        Raises:
            LedgerUnwritable: nothing may be destroyed.
            LedgerDamaged: what is in it cannot be read.
        """
        with self._mapped(), alone(self._lock):
            content = self._content()
            is_known = any(one.erasure == line.erasure for one in _lines(content))
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                if not is_known:
                    # A line that a crash cut off was never acknowledged: it makes room.
                    os.ftruncate(descriptor, len(_whole(content)))
                    os.lseek(descriptor, 0, os.SEEK_END)
                    _write_all(descriptor, json.dumps(asdict(line)).encode() + b"\n")
                # Also where it is known: whoever wrote it may not have come as far as this.
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self.path.parent)

    def lines(self) -> tuple[Line, ...]:
        """Return every line, in order; none where there is no file.

        Raises:
            LedgerDamaged: a line cannot be read: whom it named nobody knows.
            LedgerUnwritable: the file cannot be opened.
        """
        with self._mapped():
            return tuple(_lines(self._content()))

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as broken:
            raise LedgerUnwritable(
                f"{self.path}: {broken.strerror}; nothing is erased without it"
            ) from broken


def _lines(content: bytes) -> Iterator[Line]:
    for number, text in enumerate(_whole(content).splitlines(), 1):
        try:
            line = Line(**json.loads(text))
        except (ValueError, TypeError) as broken:
            raise LedgerDamaged(
                f"line {number} of {NAME} cannot be read: put the file back from a backup, or the "
                "erasure that it names is lost"
            ) from broken
        if not all(isinstance(one, str) for one in (line.erasure, line.subject)):
            raise LedgerDamaged(f"line {number} of {NAME} names nobody")
        yield line


def _whole(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
