"""Is a forbidden scene found as well when it is split over shots? At the shipped thresholds.

Each harmful prompt is asked joined, then split in 2, 3 and 4 shots at words and at clauses; so is
each harmless one. Judged as a storyboard is: shot by shot, neighbours together, and as a whole.

Run: python -m benchmarks.storyboards --data DIR [--cache DIR] [--most N] --json
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import arguments
from benchmarks.prompt_sets.shipped import shipped
from filters import dialogue
from filters.finding import Surface
from filters.train.shares import share
from filters.train.sources import rows
from service.decision import Verdict
from service.policy_book import Policy
from service.reasons import category_of
from service.request import ShotAsked
from tests.builders import a_request

SHOTS = (2, 3, 4)
_CLAUSE = re.compile(r"(?<=[,;.!?])\s+|\s+(?=(?:and|while|who|as|then|with)\b)")
_SEED = 4


def at_words(text: str, shots: int) -> list[str]:
    """Return `text` in so many shots of as many words each; empty where it has too few."""
    return _in_parts(text.split(), shots)


def at_clauses(text: str, shots: int) -> list[str]:
    """Return `text` in so many shots, none ending within a clause; empty where it has too few."""
    return _in_parts(_CLAUSE.split(text), shots)


def _in_parts(pieces: Sequence[str], shots: int) -> list[str]:
    if len(pieces) < shots:
        return []
    ends = [len(pieces) * number // shots for number in range(shots + 1)]
    return [" ".join(pieces[start:end]) for start, end in pairwise(ends)]


SPLITS: dict[str, Callable[[str, int], list[str]]] = {"words": at_words, "clauses": at_clauses}


def main() -> None:
    """Print the figures as JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--most", type=int, default=300, help="prompts of each kind")
    chosen = parser.parse_args()
    ours = shipped(chosen.cache)
    found = _prompts(chosen.data, chosen.most)
    figures = {
        kind: _figures(texts, ours.classifier.read, ours.policy) for kind, texts in found.items()
    }
    print(json.dumps({"script": "benchmarks/storyboards.py", **figures}, indent=1))


def _prompts(folder: Path, most: int) -> dict[str, list[str]]:
    """Return so many harmful and harmless prompts, drawn from all files with labels alike."""
    kinds: dict[str, list[str]] = {"harmful": [], "harmless": []}
    for path in sorted(folder.rglob("*.jsonl")):
        for text, unsafe, _ in rows(path):
            if unsafe is not None and 8 <= len(text.split()) <= 120:
                kinds["harmful" if unsafe else "harmless"].append(text)
    chance = random.Random(_SEED)  # noqa: S311 - a sample, and the same each time
    return {kind: chance.sample(some, min(most, len(some))) for kind, some in kinds.items()}


def _figures(
    texts: Sequence[str], judge: dialogue.Judge, live: Policy
) -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = {}
    alone = {text: _verdict([text], judge, live) for text in texts}
    for name, split in SPLITS.items():
        for shots in SHOTS:
            boards = {text: parts for text in texts if (parts := split(text, shots))}
            verdicts = [_verdict(parts, judge, live) for parts in boards.values()]
            told[f"{shots} shots at {name}"] = {
                "joined": _shares([alone[text] for text in boards]),
                "split": _shares(verdicts),
            }
    return told


def _shares(verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "blocked": share(sum(one is Verdict.BLOCK for one in verdicts), len(verdicts)),
        "blocked_or_held": share(sum(one is not Verdict.ALLOW for one in verdicts), len(verdicts)),
    }


def _verdict(parts: Sequence[str], judge: dialogue.Judge, live: Policy) -> Verdict:
    """Return the strictest verdict of a rule on anything found, as the gate looks for it."""
    request = a_request(parts[0])
    if len(parts) > 1:
        request = replace(request, prompt="", shots=tuple(map(ShotAsked, parts)))
    whole = [text for _, text in request.texts()]
    found = [one for text in (*whole, *request.stretches()) for one in judge(text, Surface.PROMPT)]
    found += [one for text in whole for one in dialogue.judged(text, judge)]
    return max(
        live.rule_for(category_of(one.category)).verdict(one.score, one.surface.value)[0]
        for one in found
    )


if __name__ == "__main__":
    main()
