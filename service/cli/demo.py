"""`imprimatur demo`: four stories in a house of their own, told as they happen."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain, progress

if TYPE_CHECKING:
    from service.cli.stories import Beat, Stage
    from service.settings import Settings


Show = Callable[[str, str], None]
"""Prints a line in a style."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story with its title, and the remark that keeps it honest."""

    title: str
    tell: Callable[[Stage], Iterator[Beat]]
    remark: str = ""


def demo(
    *,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep everything in this new folder.")
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="As NO_COLOR=1.")] = False,
    json: Json = False,
) -> int:
    """Tell four stories; exit 0 only if every one came out as told."""
    started = time.monotonic()
    console = out(no_color=no_color)
    told: list[JSON] = []
    with _folder(keep) as folder, opening.house(_settings(folder)) as house:
        from service.cli.stories import Stage

        with progress(quiet=json) as bar:
            task = bar.add_task("opening", total=100)

            def watch(stage: str, percent: int) -> None:
                bar.update(task, completed=percent, description=stage)

            def show(line: str, style: str = "") -> None:
                if not json:
                    bar.stop()  # which clears its line
                    console.print(line, style=style)
                    bar.start()

            stage = Stage(house, folder, opening.person(house.rooms.database, ""), watch)
            for number, story in enumerate(_stories(), start=1):
                bar.update(task, description=story.title, completed=0)
                told.append(_told(number, story, stage, show))
        sound = house.rooms.log.verify().sound
    seconds = round(time.monotonic() - started, 1)
    as_told = sound and all(one["as_told"] for one in told)
    if json:
        emit(
            {
                "object": "demo", "as_told": as_told, "seconds": seconds, "log_sound": sound,
                "folder": str(folder), "stories": told,
            }
        )  # fmt: skip
    else:
        console.print(_ending(keep, folder, seconds, as_told=as_told, sound=sound))
    return 0 if as_told else 1


def _stories() -> tuple[Story, ...]:
    from service.cli import stories

    return (
        Story(
            "An allowed prompt becomes a film with sound",
            stories.film,
            "It is drawn by rule: no model was trained for it.",
        ),
        Story("The filters refuse a prompt", stories.refused),
        Story("A rights holder's claim refuses a prompt", stories.claimed),
        Story(
            "A face needs consent",
            stories.consented,
            "Enrolment and requests use the same photograph (NASA, public domain) and an account "
            "made up for this story: it shows how consent works, not how well faces are "
            "recognised.",
        ),
    )


def _told(number: int, story: Story, stage: Stage, show: Show) -> JSON:
    started = time.monotonic()
    show(f"\n{number}. {story.title}", "bold")
    if story.remark:
        show(f"   {story.remark}", "dim")
    beats = []
    for beat in story.tell(stage):
        beats.append(beat)
        _show(show, beat)
    return {
        "title": story.title,
        "remark": story.remark or None,
        "as_told": bool(beats) and all(beat.as_told for beat in beats),
        "seconds": round(time.monotonic() - started, 2),
        "beats": [_beat(beat) for beat in beats],
    }


def _show(show: Show, beat: Beat) -> None:
    mark, style = ("✓", "green") if beat.as_told else ("✗", "red")
    show(f"   {mark} {beat.title}: {beat.came}", style)
    for line in beat.lines:
        show(f"     {plain(line, 400)}", "")
    if not beat.as_told:
        show(f"     It should have been: {beat.wanted}", "red")


def _beat(beat: Beat) -> JSON:
    return {
        "title": beat.title,
        "wanted": beat.wanted,
        "came": beat.came,
        "as_told": beat.as_told,
        "proof": beat.proof.as_json(),
        **beat.facts,
    }


def _ending(keep: Path | None, folder: Path, seconds: float, *, as_told: bool, sound: bool) -> str:
    log = "The whole log was hashed again and is sound." if sound else "The log is NOT sound."
    end = "Every story came out as told" if as_told else "Not every story came out as told"
    if keep is None:
        after = "With --keep DIR the log stays, too, and can be asked."
        return f"\n{log}\n{end}, in {seconds} s. {after} The film and the frame are in {folder}."
    film = str(folder / "film.mp4")
    asked = "\n".join(f"  imprimatur {one.replace('FILM', film)}" for one in _ASKED)
    return (
        f"\n{log}\n{end}, in {seconds} s. Everything is in {folder}. Ask its log:\n"
        f"  export IMPRIMATUR_HOME={folder / 'home'}\n{asked}"
    )


_ASKED = (
    'audit entries --query "verdict:block"',
    "audit story $(sha256sum < FILM | cut -c1-64)",
    "audit export --format dsa-sor",
    "audit verify",
)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of the stories; without `keep` only film and frame stay in it."""
    if keep is None:
        folder = Path(mkdtemp(prefix="imprimatur-demo-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder / "home", ignore_errors=True)
            with suppress(OSError):
                folder.rmdir()  # where there is no film, there is nothing to keep
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Refused(f"{keep}: not empty; name a new folder, so that nothing is mixed up")
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield keep.resolve()


def _settings(folder: Path) -> Settings:
    """Return settings of the demo's own; of the environment's only the cache counts."""
    from service.settings import Settings

    values = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
    }
    ours = {
        "home": folder / "home",
        "cache": opening.settings().cache,
    }
    return Settings(**{**values, **ours})
