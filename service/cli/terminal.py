"""What goes to the terminal: answers to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

JSON = dict[str, Any]
"""A JSON object on its way out."""


def emit(answer: JSON) -> None:
    """Print the one object of `--json`."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def out(*, no_color: bool = False) -> Console:
    """Return the console of answers. rich itself honours NO_COLOR and knows a terminal."""
    from rich.console import Console

    return Console(highlight=False, markup=False, soft_wrap=True, no_color=no_color or None)


def err() -> Console:
    """Return the console of progress and warnings."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def progress(*, quiet: bool = False) -> Progress:
    """Return a progress bar on stderr, which shows only where somebody watches."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = err()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # rich would send what we print to stdout to its own console, which is stderr.
        redirect_stdout=False,
        redirect_stderr=False,
        disable=quiet or not console.is_terminal,
    )


def plain(text: str, most: int = 160) -> str:
    """Return text of a stranger's as it may go to a terminal: nothing in it moves the cursor."""
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown
    )


def report_error(sentence: str, *, as_json: bool) -> int:
    """Say why there is no answer, and return the exit code for that."""
    if as_json:
        emit({"object": "error", "message": sentence})
    # argv may hold bytes that are not UTF-8; the error about them has to come out all the same.
    safe = sentence.encode("utf-8", "backslashreplace").decode()
    sys.stderr.write(f"imprimatur: {safe}\n")
    return 1
