"""`imprimatur audit`: ask the log, prove an entry, check the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.audit.reading import LoggedEntry

app = typer.Typer(help="The log: entries, proofs, checkpoints, and a check of all of it.")

CONTRADICTED = 20


@app.command("verify")
def verify(
    *,
    seen: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A checkpoint that somebody kept.")
    ] = None,
    json: Json = False,
) -> int:
    """Hash the whole log again; exit 0 sound, 20 contradicted."""
    kept = seen.read_text("utf-8", "replace") if seen else ""
    with opening.books(opening.settings()) as books:
        found = books.log.verify(seen=kept)
    if json:
        emit(
            {
                "object": "audit.verification",
                "sound": found.sound,
                "size": found.size,
                "root": found.root,
                "erased": found.erased,
                "problems": [
                    {"kind": one.kind.value, "where": one.where, "said": one.said}
                    for one in found.problems
                ],
                "not_checked": list(found.not_checked),
            }
        )
    else:
        lines = [f"{one.kind.value} {one.where}: {plain(one.said)}" for one in found.problems]
        head = "agree with what was signed" if found.sound else "contradict what was signed"
        lines.insert(0, f"{found.size} entries {head}; root {found.root}.")
        lines += [f"Not checked: {plain(one)}." for one in found.not_checked]
        out().print("\n".join(lines))
    return 0 if found.sound else CONTRADICTED


@app.command("entries")
def entries(
    *,
    type_: Annotated[str, typer.Option("--type", help="Such as decision.made.")] = "",
    request: Annotated[str, typer.Option(help="Of one request, req_….")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 20,
    json: Json = False,
) -> int:
    """Show entries, newest first."""
    from service.audit.reading import EntryFilter

    with opening.books(opening.settings()) as books:
        found = books.log.entries(EntryFilter(type=type_, request=request, limit=limit))
    if json:
        emit({"object": "list", "data": [_entry(one) for one in found]})
    else:
        for one in found:
            verdict = plain(str(one.facts.get("verdict", "")))
            out().print(f"{one.index:>6}  {one.at}  {one.type}  {one.request}  {verdict}".rstrip())
    return 0


@app.command("proof")
def proof(
    index: Annotated[int, typer.Argument(min=0, help="The entry's number.")], *, json: Json = False
) -> int:
    """Print an entry with its proof, for `python verify_file.py FILE KEY` anywhere."""
    from service.cli.proof import checked

    with opening.books(opening.settings()) as books:
        proved = checked(books.log, index)
        text, keys = books.log.proof_text(index), books.log.verifier_keys()
    if json:
        emit({**proved.as_json(), "object": "audit.proof", "text": text, "keys": list(keys)})
    else:
        typer.echo(text, nl=False)
    return 0


@app.command("checkpoint")
def checkpoint(*, json: Json = False) -> int:
    """Print the newest signed checkpoint; keep it somewhere else, for `audit verify --seen`."""
    with opening.books(opening.settings()) as books:
        note, keys = books.log.checkpoint(), books.log.verifier_keys()
    if json:
        emit({"object": "audit.checkpoint", "checkpoint": note, "keys": list(keys)})
    else:
        typer.echo(note, nl=False)
    return 0


def _entry(entry: LoggedEntry) -> JSON:
    return {
        "index": entry.index,
        "type": entry.type,
        "at": entry.at,
        "logged_at": entry.logged_at,
        "request": entry.request,
        "actor": entry.actor,
        "project": entry.project,
        "facts": dict(entry.facts),
        "commitments": dict(entry.commitments),
    }
