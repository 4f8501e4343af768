"""`imprimatur audit`: ask the log, prove an entry, check the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli import audit_entries, opening, story
from service.cli.options import Json
from service.cli.terminal import emit, out, plain

app = typer.Typer(help="The log: entries, proofs, checkpoints, and a check of all of it.")
app.command("entries")(audit_entries.entries)
app.command("reindex")(audit_entries.reindex)
app.command("story")(story.story)

CONTRADICTED = 20


@app.command("verify")
def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Check these proofs instead.")
    ] = None,
    *,
    seen: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A checkpoint that somebody kept.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="Public key of who must have cosigned it.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Public key of the log, for FILE from elsewhere.")
    ] = None,
    index: Annotated[
        bool, typer.Option("--index", help="Hold the search index against the entries, too.")
    ] = False,
    json: Json = False,
) -> int:
    """Hash the whole log again, or check FILE alone; exit 0 sound, 20 contradicted."""
    from service.audit.cosign import cosigner
    from service.cli import audit_file

    if files:
        return audit_file.verified(files, key or [], witness or [], json=json)
    kept = seen.read_text("utf-8", "replace") if seen else ""
    by = [cosigner(one) for one in witness or []]
    with opening.books(opening.settings()) as books:
        found = books.log.verify(seen=kept, by=by)
        differs = audit_entries.index_lines(books) if index else []
    not_checked = [*found.not_checked, *([] if index else [audit_entries.NOT_HELD])]
    sound = found.sound and not differs
    if json:
        emit(
            {
                "object": "audit.verification",
                "sound": sound,
                "size": found.size,
                "root": found.root,
                "erased": found.erased,
                "pruned": found.pruned,
                "retired": found.retired,
                "problems": [
                    {"kind": one.kind.value, "where": one.where, "said": one.said}
                    for one in found.problems
                ],
                "index": differs if index else None,
                "not_checked": not_checked,
            }
        )
    else:
        lines = [f"{one.kind.value} {one.where}: {plain(one.said)}" for one in found.problems]
        head = "agree with what was signed" if found.sound else "contradict what was signed"
        lines.insert(0, f"{found.size} entries {head}; root {found.root}.")
        lines += [f"index: {one}" for one in differs]
        lines += [f"Not checked: {plain(one)}." for one in not_checked]
        out().print("\n".join(lines))
    return 0 if sound else CONTRADICTED


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
