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
Prompt = Annotated[str, typer.Argument(help="What should be seen and heard; - reads stdin.")]
Images = Annotated[
    list[Path] | None, typer.Option("--image", metavar="FILE", help="A reference picture.")
]
Likenesses = Annotated[
    list[str] | None,
    typer.Option("--likeness", metavar="@HANDLE", help="Somebody who granted you their likeness."),
]
Territory = Annotated[
    str, typer.Option(metavar="CC", help="Where it will be shown, such as DE.", show_default=False)
]
