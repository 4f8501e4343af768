"""How many prompts the shipped policy stops: harmful ones to be, harmless ones not to be.

python benchmarks/prompts.py --data DIR --json [--cache DIR] [--allow-train] [--at-most N]
    [--disguised N]

DIR holds JSONL files, in any folders: `text`, `unsafe` (1, 0, or null), `labels` (the source's
own) and, where somebody has put it there, `category` (ours, one or a list). Rows that the weights
or the thresholds were made from are left out and counted, unless `--allow-train`.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # As a script, Python looks for `benchmarks` inside of it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks.prompt_sets.report import main

    main(__doc__)
