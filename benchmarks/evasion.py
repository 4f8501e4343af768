"""What eighteen disguises cost: harmful prompts still stopped, and harmless ones stopped, of each.

Run: python -m benchmarks.evasion --data DIR [--rows N] [--cache DIR]

DIR holds JSON lines with `text` and `unsafe` (1, 0 or null). Of rows marked harmful, those that
the filter stops as typed are disguised; of harmless ones, those that it lets through. Stopped is
held or blocked at the thresholds that ship with the weights, also by a deterministic rule, which
stops harmless text that is disguised too; `by_score` leaves such stops out.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path

from benchmarks.measure import arguments
from benchmarks.transforms import TRANSFORMS
from filters.finding import Finding, NothingToLookAt
from filters.minilm import MiniLM, export
from filters.text import PromptClassifier
from filters.weights import load_weights

SEED = 20261121
_RULES = ("evasion", "language")


def wilson(hits: int, of: int) -> list[float]:
    """Return the 95 % Wilson interval of a share, each bound in 0..1; the whole of it for none."""
    if not of:
        return [0.0, 1.0]
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def share(hits: int, of: int) -> dict[str, object]:
    """Return a count, its share and its interval."""
    return {
        "stopped": hits,
        "of": of,
        "share": round(hits / max(of, 1), 4),
        "wilson": wilson(hits, of),
    }


def stopped_by(findings: list[Finding], thresholds: Mapping[str, Mapping[str, float]]) -> str:
    """Return "score" or "rule", whatever stops a text first, or "" where nothing does."""
    met = {
        finding.category.value
        for finding in findings
        for threshold in thresholds.get(finding.category.value, {}).values()
        if finding.score >= threshold
    }
    return "score" if met - set(_RULES) else "rule" if met else ""


def rows(folder: Path, *, harmful: bool) -> list[str]:
    """Return the distinct texts of the folder's English files that are harmful, or harmless."""
    texts: dict[str, None] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["unsafe"] == int(harmful) and row["text"].isascii() and len(row["text"]) <= 400:
                texts.setdefault(row["text"])
    return list(texts)


def chosen_rows(texts: list[str], keep: Callable[[str], bool], count: int) -> list[str]:
    """Return the first `count` of the shuffled `texts` that `keep` keeps."""
    random.Random(SEED).shuffle(texts)  # noqa: S311 - no secret hangs on it
    kept: list[str] = []
    for text in texts:
        if len(kept) == count:
            break
        if keep(text):
            kept.append(text)
    return kept


def matrix(judge: Callable[[str], str], bad: list[str], good: list[str]) -> dict[str, object]:
    """Return, for each disguise, what is stopped of `bad` by score or rule, and of `good`."""
    cells: dict[str, object] = {}
    for name, transform in TRANSFORMS.items():
        found = [judge(transform(text)) for text in bad]
        harmless = [judge(transform(text)) for text in good]
        cells[name] = {
            "harmful": share(sum(map(bool, found)), len(found)),
            "by_score": found.count("score"),
            "harmless": share(sum(map(bool, harmless)), len(harmless)),
            "harmless_by_score": harmless.count("score"),
        }
    return cells


def measured_matrix(chosen: argparse.Namespace, cache: Path) -> dict[str, object]:
    classifier = PromptClassifier(load_weights(), MiniLM(cache))
    thresholds = load_weights().thresholds

    def judge(text: str) -> str:
        try:
            return stopped_by(classifier.read(text), thresholds)
        except NothingToLookAt:
            return "rule"

    bad = chosen_rows(rows(chosen.data, harmful=True), lambda text: bool(judge(text)), chosen.rows)
    good = chosen_rows(rows(chosen.data, harmful=False), lambda _: True, chosen.rows)
    before = sum(bool(judge(text)) for text in good)
    good = [text for text in good if not judge(text)]
    return {
        "script": "benchmarks/evasion.py",
        "detector": classifier.detector,
        "harmful": len(bad),
        "harmless_before": share(before, before + len(good)),
        "transforms": matrix(judge, bad, good),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=200, help="of each kind (200)")
    parser.add_argument("--cache", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        cache = chosen.cache or Path(fresh)
        if not chosen.cache:
            export(cache)
        json.dump(measured_matrix(chosen, cache), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
