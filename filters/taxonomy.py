"""The taxonomy as data: what each category means, where it is looked for, what others call it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from filters.finding import Category, FilterError, Surface

TAXONOMY = Path(__file__).parent / "taxonomy.yaml"
OPENAI = frozenset(
    {
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
        "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent", "sexual",
        "sexual/minors", "violence", "violence/graphic",
    }
)  # fmt: skip
AILUMINATE = frozenset(
    {"vcr", "ncr", "src", "cse", "iwp", "ssh", "hte", "dfm", "spc", "prv", "ipv", "sxc"}
)
LLAMA_GUARD = frozenset(f"S{number}" for number in range(1, 15))
_LISTS = {"openai": OPENAI, "ailuminate": AILUMINATE, "llama_guard": LLAMA_GUARD, "dsa": None}
_FIELDS = {"id", "definition", "not_this", "decided_by", "surfaces", *_LISTS}


class BadTaxonomy(FilterError):
    """The file is not a taxonomy, or not that of `Category`; nothing is judged by half of one."""


class Decider(StrEnum):
    """What says whether a category is there."""

    HEAD = "head"
    RULE = "rule"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Entry:
    """One category.

    Attributes:
        id: the value of its `Category`; a join's is its own, since no detector reports it.
        not_this: harmless neighbours, which are to pass.
        joins: codes of the policy's joins that decide it; empty unless `decided_by` is a join.
        openai, ailuminate, llama_guard: the names there; empty where there is none.
        dsa: `CATEGORY/KEYWORD` without their prefixes.
    """

    id: str
    definition: str
    not_this: str
    decided_by: Decider
    surfaces: tuple[Surface, ...]
    joins: tuple[str, ...]
    openai: tuple[str, ...]
    ailuminate: tuple[str, ...]
    llama_guard: tuple[str, ...]
    dsa: tuple[str, ...]


def taxonomy(path: Path = TAXONOMY) -> tuple[Entry, ...]:
    """Return all entries, in the file's order: one for each `Category`, and the joins.

    Raises:
        BadTaxonomy: not YAML, a field missing or unknown, a name that the other list does not
            have, or categories that are not those of `Category`.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        entries = tuple(_entry(one) for one in document["categories"])
    except (OSError, yaml.YAMLError, TypeError, KeyError, ValueError) as broken:
        raise BadTaxonomy(f"{path.name} is no taxonomy: {type(broken).__name__}") from broken
    reported = sorted(entry.id for entry in entries if entry.decided_by is not Decider.JOIN)
    if reported != sorted(Category):
        wrong = sorted(set(reported) ^ set(Category))
        raise BadTaxonomy(f"missing, unknown or there twice: {', '.join(wrong) or 'an id'}")
    return entries


def _entry(row: dict[str, object]) -> Entry:
    decided_by = Decider(str(row["decided_by"]))
    fields = _FIELDS | ({"joins"} if decided_by is Decider.JOIN else set())
    if set(row) != fields:
        raise BadTaxonomy(f"{row['id']}: {', '.join(sorted(set(row) ^ fields))}")
    named = {name: _names(row, name) for name in _LISTS}
    for name, known in _LISTS.items():
        unknown = set(named[name]) - known if known else {n for n in named[name] if "/" not in n}
        if unknown:
            raise BadTaxonomy(f"{row['id']}: {name} has no {', '.join(sorted(unknown))}")
    return Entry(
        id=str(row["id"]),
        definition=str(row["definition"]),
        not_this=str(row["not_this"]),
        decided_by=decided_by,
        surfaces=tuple(Surface(name) for name in _names(row, "surfaces")),
        joins=_names(row, "joins") if "joins" in row else (),
        **named,
    )


def _names(row: dict[str, object], field: str) -> tuple[str, ...]:
    names = row[field]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadTaxonomy(f"{row['id']}: {field} is no list of names")
    return tuple(names)
