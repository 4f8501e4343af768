"""`imprimatur audit story`: what happened to one request, as a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from service.story import Event, Story

_SIGNS = {"allow": "✓", "hold": "‖", "block": "✗"}
_STYLES = {"✓": "bold green", "‖": "bold yellow", "✗": "bold red", "·": "bold"}
_SENTENCES = 300


def story(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="req_…, dec_…, video_…, rev_…, or the SHA-256 of a released file."
        ),
    ],
    *,
    json: Json = False,
) -> int:
    """Tell what happened to a request from end to end, each step with its entry in the log."""
    from service import story as stories

    with opening.books(opening.settings()) as books:
        told = stories.told(books.log, books.database, wanted)
    if json:
        emit(_object(told))
    else:
        console = out()
        for line in timeline(told):
            console.print(line)
    return 0


def timeline(told: Story) -> Iterator[Text]:
    """Yield the story line by line."""
    from rich.text import Text

    asked = [f"asked by {told.actor}" if told.actor else "", f"in {told.project}"]
    headline, missing = told.outcome.said, told.outcome.missing
    if told.outcome.state != "released":
        # That there is no release is the first thing missing, and says why.
        headline, missing = missing[0], missing[1:]
    yield Text(told.request or told.asked_for, "bold")
    yield Text("  " + " ".join(one for one in asked if one))
    if told.job:
        yield Text(f"  made as {told.job}")
    yield Text(f"  {_sentence(headline)}", "bold")
    day = ""
    for event in told.events:
        if event.entry.logged_at[:10] != day:
            day = event.entry.logged_at[:10]
            yield Text(f"\n{day}")
        yield from _moment(event)
    yield Text("")
    for one in missing:
        yield Text(f"Missing: {_sentence(one)}")
    size = f"From {told.tree_size} entries of the log {told.log}; "
    yield Text(f"{size}`imprimatur audit proof NUMBER` proves a step.", "dim")


def _moment(event: Event) -> Iterator[Text]:
    from rich.text import Text

    sign = _SIGNS.get(str(event.entry.facts.get("verdict")), "·")
    line = Text(f"{event.entry.logged_at[11:19]}  ")
    line.append(f"{sign} {plain(event.title)}", _STYLES[sign])
    line.append(f"  #{event.entry.index}", "dim")
    yield line
    for one in event.lines:
        yield Text(f"            {plain(one, _SENTENCES)}")


def _sentence(words: str) -> str:
    shown = plain(words, _SENTENCES)
    return f"{shown[:1].upper()}{shown[1:]}."


def _object(told: Story) -> JSON:
    return {
        "object": "audit.story",
        "request": told.request or None,
        "project": told.project,
        "actor": told.actor or None,
        "job": told.job or None,
        "state": told.outcome.state,
        "said": told.outcome.said,
        "missing": list(told.outcome.missing),
        "events": [
            {
                "index": one.entry.index,
                "at": one.entry.at,
                "logged_at": one.entry.logged_at,
                "type": one.entry.type,
                "actor": one.entry.actor,
                "title": one.title,
                "lines": list(one.lines),
                "facts": dict(one.entry.facts),
                "proof_url": one.proof_url,
            }
            for one in told.events
        ],
        "log": told.log,
        "tree_size": told.tree_size,
    }
