"""What eighteen disguises cost, of more rows than `benchmarks/prompts.py` takes.

Run: python benchmarks/evasion.py --data DIR [--rows N] [--cache DIR] --json

DIR holds JSONL files as `benchmarks/prompts.py` reads them. Rows that were trained on are left out.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    # As a script, Python looks for `benchmarks` inside of it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import arguments, machine
from benchmarks.prompt_sets.disguises import matrix
from benchmarks.prompt_sets.rows import prompt_files
from benchmarks.prompt_sets.shipped import Jury, shipped
from filters.train.split import Trained


def main() -> None:
    """Print the matrix as one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rows", type=int, default=200, help="of each kind (200)")
    chosen = parser.parse_args()
    ours, trained = shipped(chosen.cache), Trained()
    rows = [row for file in prompt_files(chosen.data) for row in file.rows
            if row.text not in trained]  # fmt: skip
    found = matrix(Jury(ours.classifier.read, ours.policy), rows, chosen.rows)
    json.dump({"script": "benchmarks/evasion.py", "detector": ours.classifier.detector, **found,
               "machine": machine()}, sys.stdout, indent=1)  # fmt: skip
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
