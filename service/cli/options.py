"""Options that several commands share, worded once."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
As = Annotated[
    str,
    typer.Option(
        "--as", metavar="ACTOR", help="Who acts, act_…; without it the local operator.",
        show_default=False,
    ),
]  # fmt: skip
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show what was asked; that you looked is logged first.")
]
Prompt = Annotated[str, typer.Argument(help="What should be seen and heard; - reads stdin.")]
Images = Annotated[
    list[Path] | None, typer.Option("--image", metavar="FILE", help="A reference picture.")
]
Likenesses = Annotated[
    list[str] | None,
    typer.Option("--likeness", metavar="@HANDLE", help="Somebody who granted you their likeness."),
]
Shots = Annotated[
    list[str] | None,
    typer.Option("--shot", metavar="TEXT", help="A shot of a storyboard; several in order."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say who looked, what was seen and what would change it.")
]
Purpose = Annotated[
    str, typer.Option(metavar="WORD", help="What it is for, such as news.", show_default=False)
]
Territory = Annotated[
    str, typer.Option(metavar="CC", help="Where it will be shown, such as DE.", show_default=False)
]
