"""`imprimatur models`: what is made once from what pip installed, and the guards' files."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import emit, err, out

app = typer.Typer(help="Prepare the embedded models; list and hash guard models.")


@app.command("prepare")
def prepare(*, json: Json = False) -> int:
    """Export the text encoder from its wheel into the cache, and open it."""
    import time

    from filters import minilm

    folder = opening.settings().cache / "minilm"
    started = time.monotonic()
    if not json and err().is_terminal:
        err().print("Exporting the text encoder …")
    minilm.export(folder)
    minilm.MiniLM(folder)(["a red ball"])
    seconds = round(time.monotonic() - started, 1)
    if json:
        emit(
            {
                "object": "models.prepared",
                "folder": str(folder),
                "sha256": minilm.GRAPH_SHA256,
                "seconds": seconds,
            }
        )
    else:
        out().print(f"The text encoder is in {folder} ({seconds} s).")
    return 0


@app.command("list")
def listed(*, json: Json = False) -> int:
    """List the guard models of the settings, and whether their files are those that were pinned."""
    from filters.finding import ModelUnavailable
    from filters.guards.weights import located, pinned

    settings = opening.settings()
    rows = []
    for choice in settings.guards:
        try:
            state = str(pinned(located(choice.model, offline=True), choice.sha256).folder)
            fine = True
        except ModelUnavailable as wrong:
            state, fine = str(wrong), False
        rows.append(
            {
                "family": choice.family,
                "model": choice.model,
                "sha256": choice.sha256,
                "timeout_s": choice.timeout_s,
                "languages": sorted(choice.languages),
                "pinned": fine,
                "state": state,
            }
        )
    if json:
        emit({"object": "list", "data": rows})
        return 0 if all(row["pinned"] for row in rows) else 1
    for row in rows:
        mark = "ok" if row["pinned"] else "refused"
        out().print(f"{row['family']} {str(row['sha256'])[:12]} {mark}: {row['state']}")
    if not rows:
        out().print("No guard models: IMPRIMATUR_GUARDS is empty (docs/guards.md).")
    return 0 if all(row["pinned"] for row in rows) else 1


@app.command("digest")
def digest(folder: Annotated[Path, typer.Argument(help="A guard's folder.")]) -> int:
    """Print the hash of a guard's files, to be pinned in IMPRIMATUR_GUARDS."""
    from filters.guards.weights import digest as hashed

    out().print(hashed(folder), soft_wrap=True)
    return 0
