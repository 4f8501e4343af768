"""One export, written: as text while it is read, or as a file that is whole before it is sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

from service.exports import flat, jsonl, ocsf, parquet, sqlite_file, statements
from service.exports.opening import Opened
from service.exports.statements import Told
from service.exports.words import ExportError, Format
from service.policy_book.book import Book

_SENT_CHARACTERS = 1 << 16


def chunks(opened: Opened, told: Told) -> Iterator[str]:
    """Yield an export of a text format, piece by piece.

    What it raises half-way leaves a text without its last line, which no reader takes for whole.

    Raises:
        ExportBroken, AuditError, DatabaseUnavailable: it cannot be read to its end.
    """
    match opened.asked.format:
        case Format.JSONL:
            return jsonl.lines(opened)
        case Format.CSV:
            return flat.csv_lines(opened)
        case Format.OCSF:
            return ocsf.lines(opened)
        case Format.DSA_SOR:
            return statements.lines(opened, told)
        case Format.PARQUET | Format.SQLITE:
            raise ExportError(f"{opened.asked.format} is a file, not a text")
        case _:
            assert_never(opened.asked.format)


def write(opened: Opened, told: Told, path: Path) -> None:
    """Write an export of any format to a new file.

    Raises:
        FileExistsError, OSError: it cannot be written there.
        ExportBroken, AuditError, DatabaseUnavailable: it cannot be read to its end.
    """
    match opened.asked.format:
        case Format.PARQUET:
            parquet.write(opened, path)
        case Format.SQLITE:
            sqlite_file.write(opened, path)
        case Format.JSONL | Format.CSV | Format.OCSF | Format.DSA_SOR:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.writelines(chunks(opened, told))
        case _:
            assert_never(opened.asked.format)


def gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    """Yield the same in pieces large enough to be sent."""
    waiting, size = list[str](), 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _SENT_CHARACTERS:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()


def told_by(book: Book) -> Told:
    """Return what finds the sentence that a policy of the book tells people by a rule."""

    def told(sha256: str, rule: str) -> str:
        policy = book.policy(sha256)
        if policy is None:
            return ""
        rules = {one.id: one.message for one in policy.rules.values()}
        return (rules | {one.id: one.message for one in policy.joins}).get(rule, "")

    return told
