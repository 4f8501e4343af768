"""What the language gate does with real texts: English let through, everything else stopped.

Reads `prompts/*.jsonl` under DIR: English video prompts and captions, which must not be held for
their language, and texts in other languages, which must. The gate's constants were chosen on rows
with an even number, so that the odd ones are counted apart.

Run: python -m benchmarks.languages --data DIR [--json] [--every N]
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import arguments, report
from filters.languages import spoken
from filters.train.shares import share

ENGLISH = ("vbench_short", "vbench_long", "vbench2", "coco_captions_30k", "ailuminate_demo_en_us")
OTHERS = ("vbench_zh", "multijail", "multilingual_hatecheck", "ailuminate_demo_fr_fr")
# From here on the packaged policy holds.
HOLD = 0.3
_CODES = {"vbench_zh": "zh", "ailuminate_demo_fr_fr": "fr"}


@dataclass(slots=True)
class _Count:
    """How many texts were held for their language, of how many; even rows and odd ones."""

    held: list[int] = field(default_factory=lambda: [0, 0])
    of: list[int] = field(default_factory=lambda: [0, 0])

    def figures(self) -> dict[str, object]:
        return {
            "held": share(sum(self.held), sum(self.of)),
            "held_of_odd_rows": share(self.held[1], self.of[1]),
        }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="of the captions, take each Nth")
    chosen = parser.parse_args()
    folder = chosen.data / "prompts"
    counts: dict[str, _Count] = defaultdict(_Count)
    started, letters = time.process_time(), 0
    for name in (*ENGLISH, *OTHERS):
        for number, text, language in _rows(folder, name):
            if name.startswith("coco") and number // 2 % chosen.every:
                continue
            kind = f"{name}/{language}" if name in OTHERS else name
            count, odd = counts[kind], number % 2
            count.of[odd] += 1
            count.held[odd] += spoken(text).foreign >= HOLD
            letters += len(text)
    spent_ms = (time.process_time() - started) * 1000
    english = {name: count for name, count in counts.items() if name in ENGLISH}
    others = {name: count for name, count in counts.items() if "/" in name}
    notes = {
        "english": {name: count.figures() for name, count in english.items()},
        "english_video_prompts": _together(
            count for name, count in english.items() if name.startswith("vbench")
        ).figures(),
        "english_all": _together(iter(english.values())).figures(),
        "others": {name: count.figures() for name, count in sorted(others.items())},
        "others_all": _together(iter(others.values())).figures(),
        "cpu_ms_per_600_characters": round(spent_ms / letters * 600, 4),
    }
    report("benchmarks/languages.py", [], notes)


def _rows(folder: Path, name: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and language of each row that is in one language as its file says."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            language = _CODES.get(name) or str((row["labels"] or {}).get("lang", "en"))
            # A few rows of vbench_long are Chinese; the English third of multijail is no other.
            if (name == "vbench_long" and not row["text"][1:9].isascii()) or (
                name in OTHERS and language in {"en", "english"}
            ):
                continue
            yield number, row["text"], language


def _together(counts: Iterator[_Count]) -> _Count:
    total = _Count()
    for count in counts:
        for half in (0, 1):
            total.held[half] += count.held[half]
            total.of[half] += count.of[half]
    return total


if __name__ == "__main__":
    main()
