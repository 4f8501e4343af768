"""`imprimatur audit export`: what the log has, in a file that proves itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import As, Json
from service.cli.terminal import emit, err, progress

if TYPE_CHECKING:
    from service.audit.search.query import Query
    from service.exports.opening import Opened
    from service.exports.statements import Told
    from service.exports.words import Format, Proofs

FORMATS = ("jsonl", "csv", "parquet", "sqlite", "ocsf", "dsa-sor")
_TO_STDOUT = Path("-")


def export(
    *,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}.")
    ] = "jsonl",
    query: Annotated[str, typer.Option("--query", "-q", help="Such as: verdict:block.")] = "",
    since: Annotated[str, typer.Option(help="Logged then or later: 2026-11-01, -7d.")] = "",
    until: Annotated[str, typer.Option(help="Logged before then.")] = "",
    project: Annotated[str, typer.Option(help="Of one project, and of everybody.")] = "",
    proofs: Annotated[str, typer.Option(help="jsonl: each, or none, smaller by a third.")] = "each",
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file.")] = _TO_STDOUT,
    actor: As = "",
    json: Json = False,
) -> int:
    """Write entries with what proves them; `audit verify FILE` checks jsonl anywhere."""
    from service import wiring
    from service.audit.search.language import term
    from service.exports import parquet, writing
    from service.exports.opening import Books, opened
    from service.exports.words import Asked, Exporter, Format
    from service.policy_book.book import Book

    chosen, with_proofs = _chosen(format_, proofs)
    if to == _TO_STDOUT and (json or not chosen.is_text):
        raise Refused("name a file with --out: stdout has the export itself, and only text")
    if to != _TO_STDOUT and to.exists():
        raise Refused(f"{to}: there is such a file already; name another")
    if chosen is Format.PARQUET:
        parquet.require_installed()
    now = wiring.now()
    wanted = term("project", project).value if project else ""
    asked = Asked(chosen, _query(query, since, until), wanted, with_proofs)
    with opening.books(opening.settings()) as books:
        who = opening.person(books.database, actor)
        begun = opened(Books(books.log, books.database), asked, Exporter(who.actor, now))
        told = writing.told_by(Book(books.database, wiring.policy))
        with _shown(begun) as beat:
            _written(replace(begun, beat=beat), told, to)
    said = f"{begun.count} entries under a checkpoint of {begun.size}"
    if json:
        emit(
            {
                "object": "audit.export",
                "format": chosen.value,
                "file": str(to),
                "entries": begun.count,
                "tree_size": begun.size,
                "index": begun.exported.index,
            }
        )
    else:
        err().print(f"{said}; entry {begun.exported.index} of the log says so.")
    return 0


def _chosen(format_: str, proofs: str) -> tuple[Format, Proofs]:
    from service.exports.words import Format, Proofs

    if format_ not in FORMATS:
        raise Refused(f"--format {format_}: there is no such format; known: {', '.join(FORMATS)}")
    if proofs not in ("each", "none"):
        raise Refused(f"--proofs {proofs}: each or none")
    return Format(format_), Proofs(proofs)


def _query(query: str, since: str, until: str) -> Query:
    from service import wiring
    from service.audit.search.asking import query_of

    return query_of(query, since, until, wiring.now())


@contextmanager
def _shown(begun: Opened) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many entries more are written, and shows it on stderr."""
    with progress() as bar:
        task = bar.add_task("exporting", total=begun.count or None)
        yield lambda count: bar.advance(task, count)


def _written(begun: Opened, told: Told, to: Path) -> None:
    from service.exports import writing

    if to == _TO_STDOUT:
        for piece in writing.chunks(begun, told):
            sys.stdout.write(piece)
        sys.stdout.flush()
        return
    done = False
    try:
        writing.write(begun, told, to)
        done = True
    finally:
        # Half an export proves nothing and is taken for one.
        if not done:
            to.unlink(missing_ok=True)
