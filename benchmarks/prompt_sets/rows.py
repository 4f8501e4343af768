"""Rows of JSONL as they come: whatever is missing or odd in one is counted, never guessed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A key with more values than that is an identifier or a text, no label.
MOST_VALUES = 40
FEWEST_ROWS = 5
_LABEL_CHARACTERS = 60
_YES = frozenset({"1", "1.0", "true", "yes", "unsafe", "harmful"})
_NO = frozenset({"0", "0.0", "false", "no", "safe", "harmless"})


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt and what its source says about it.

    Attributes:
        unsafe: None where the source does not say.
        labels: the source's own, each as `key=value`.
        categories: ours, if the row carries any.
    """

    text: str = field(repr=False)
    unsafe: bool | None
    labels: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptFile:
    """The rows of a file that have a text, and how many lines have none."""

    name: str
    rows: tuple[Row, ...] = field(repr=False)
    unreadable: int


def prompt_files(folder: Path) -> Iterator[PromptFile]:
    """Yield every `*.jsonl` below `folder` by name, or `folder` itself if it is such a file."""
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.jsonl"))
    for path in paths:
        name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        yield _read(name, path)


def _read(name: str, path: Path) -> PromptFile:
    rows: list[Row] = []
    unreadable = 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                continue
            row = _row(line)
            if row is None:
                unreadable += 1
            else:
                rows.append(row)
    return PromptFile(name, _without_identifiers(rows), unreadable)


def _row(line: str) -> Row | None:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, Mapping) or not isinstance(given.get("text"), str):
        return None
    return Row(
        given["text"],
        _truth(given.get("unsafe")),
        tuple(dict.fromkeys(_labels(given.get("labels")))),
        tuple(dict.fromkeys(_words(given.get("category")))),
    )


def _truth(said: object) -> bool | None:
    word = str(said).strip().lower()
    return True if word in _YES else False if word in _NO else None


def _labels(given: object) -> Iterator[str]:
    """Yield the labels of a mapping, a list or a single word, as `key=value` or the word."""
    if not isinstance(given, Mapping):
        yield from _words(given)
        return
    for key, value in given.items():
        for word in _words(value):
            yield f"{str(key)[:_LABEL_CHARACTERS]}={word}"


def _words(given: object) -> Iterator[str]:
    """Yield what is a plain value, or a plain value in a list; the rest says nothing here."""
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, str | int | float) and str(one).strip():
            yield str(one).strip()[:_LABEL_CHARACTERS]


def _without_identifiers(rows: list[Row]) -> tuple[Row, ...]:
    """Return the rows without labels that hardly two share."""
    times = Counter(label for row in rows for label in row.labels)
    values = Counter(label.partition("=")[0] for label in times if "=" in label)
    kept = {
        label
        for label, count in times.items()
        if count >= FEWEST_ROWS and values[label.partition("=")[0]] <= MOST_VALUES
    }
    return tuple(
        Row(row.text, row.unsafe, tuple(label for label in row.labels if label in kept),
            row.categories)
        for row in rows
    )  # fmt: skip
