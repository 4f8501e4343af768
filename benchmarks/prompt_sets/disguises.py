"""The evasion matrix: what eighteen disguises cost, by the shipped policy.

Of harmful prompts, those that are stopped as typed are disguised; of harmless ones, those that are
allowed. Disguised text may be stopped by its score or by a rule that has a code of its own; a
harmless prompt that somebody disguised is stopped by such a rule too, and `by_score` says how
often it was not the rule alone.
"""

import random
from collections.abc import Callable, Iterable, Sequence

from benchmarks.prompt_sets.judging import Judged
from benchmarks.prompt_sets.rows import Row
from benchmarks.transforms import TRANSFORMS
from filters.finding import Category
from filters.train.shares import share

RULES = frozenset({Category.EVASION.value, Category.LANGUAGE.value})
MOST_CHARACTERS = 400
_SEED = 20261121
Judge = Callable[[str], Judged]


def matrix(judge: Judge, rows: Sequence[Row], count: int) -> dict[str, object]:
    """Return, for each disguise, what of `count` harmful and `count` harmless rows is stopped.

    Of fewer, all. Rows in other alphabets are left out: the disguises are of Latin letters.
    """
    bad = _drawn(rows, count, lambda row: row.unsafe is True and judge(row.text).stopped)
    good = _drawn(rows, count, lambda row: row.unsafe is False and not judge(row.text).stopped)
    if not bad and not good:
        return {}
    cells = {
        name: {"harmful": _cell(map(judge, map(disguise, bad))),
               "harmless": _cell(map(judge, map(disguise, good)))}
        for name, disguise in TRANSFORMS.items()
    }  # fmt: skip
    return {"harmful": len(bad), "harmless": len(good), "disguises": cells}


def _drawn(rows: Iterable[Row], count: int, keep: Callable[[Row], bool]) -> list[str]:
    short = {row.text: row for row in rows
             if row.text.isascii() and len(row.text) <= MOST_CHARACTERS}  # fmt: skip
    order = sorted(short)
    random.Random(_SEED).shuffle(order)  # noqa: S311 - a sample, and the same each time
    drawn: list[str] = []
    for text in order:
        if len(drawn) == count:
            break
        if keep(short[text]):
            drawn.append(text)
    return drawn


def _cell(found: Iterable[Judged]) -> dict[str, object]:
    every = list(found)
    by_score = sum(bool(one.reasons - RULES) for one in every)
    return {"stopped": share(sum(one.stopped for one in every), len(every)), "by_score": by_score}
