"""Reads the lines of the grammar from `filters/train/corpus`, which people write and review.

A file (`*.scenes`, so that no wheel takes it along) holds one thing a line:

    # a remark
    @tool = a hammer | a wrench           choices for {tool}; more lines add more choices
    [violence+gore ? hate]                what all lines below are; after `?` what they may also be
    [near violence]                       harmless, and alike to it; an ordinary one is [near]
    {man} swings {tool} {at him|at her}   a template: {name} is a slot, {this|that} a choice
    > dude hits a guy w a wrench          a whole text as a person would type it, taken as it is

Slots of `slots.scenes` are known everywhere, those of another file in that file only.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
SHARED = "slots.scenes"
Slots = Mapping[str, tuple[str, ...]]
_SLOT = re.compile(r"@([a-z_]+) = (.+)")
_HEADER = re.compile(r"\[(?:near(?: ([a-z_]+))?|([a-z_+]+)(?: \? ([a-z_ ]+))?)\]")


class BadLine(Exception):
    """A line that is neither remark, slot, header nor text, or a text before any header."""


@dataclass(frozen=True, slots=True)
class Line:
    """A template or a whole text, and what is known about it.

    Attributes:
        categories: what it surely shows; empty if it is harmless.
        unknown: what it may show too, so that it is no example against that.
        near: of a harmless line, the category that it could be mistaken for, or "".
        whole: to be taken as it is, without slots or framing.
        slots: the choices that its slots have.
    """

    text: str
    categories: tuple[str, ...]
    unknown: tuple[str, ...]
    near: str
    whole: bool
    slots: Slots


@dataclass(frozen=True, slots=True)
class _Section:
    categories: tuple[str, ...]
    unknown: tuple[str, ...]
    near: str


def lines(folder: Path = FOLDER) -> Iterator[Line]:
    """Yield every template and whole text, files by name.

    Raises:
        BadLine: with the file and the number of the line.
    """
    shared = slots(folder / SHARED)
    for path in sorted(folder.rglob("*.scenes")):
        if path.name != SHARED:
            yield from _read(path, {**shared, **slots(path)})


def slots(path: Path) -> Slots:
    """Return the choices that `path` gives for each slot, in its order."""
    found: dict[str, tuple[str, ...]] = {}
    for row in path.read_text("utf-8").splitlines():
        slot = _SLOT.fullmatch(row)
        if slot:
            choices = tuple(choice.strip() for choice in slot[2].split("|"))
            found[slot[1]] = found.get(slot[1], ()) + choices
    return found


def _read(path: Path, known: Slots) -> Iterator[Line]:
    section = None
    for number, row in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not row.strip() or row.startswith("#") or _SLOT.fullmatch(row):
            continue
        if row.startswith("["):
            section = _section(row)
        if section is None or row.startswith("@"):
            raise BadLine(f"{path.name}:{number}: {row}")
        if row.startswith("["):
            continue
        whole = row.startswith("> ")
        yield Line(row.removeprefix("> "), section.categories, section.unknown, section.near,
                   whole, known)  # fmt: skip


def _section(row: str) -> _Section | None:
    header = _HEADER.fullmatch(row)
    if not header:
        return None
    sure, maybe = header[2] or "", header[3] or ""
    return _Section(
        tuple(sure.split("+")) if sure else (), tuple(maybe.split()), near=header[1] or ""
    )
