"""The same text is judged the same, to the last digit, by any process and in any company."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

from filters.finding import Finding
from filters.minilm import MiniLM
from filters.text import PromptClassifier
from filters.train.grammar import scenes
from filters.weights import load_weights

CALM = "waves roll onto the sand while gulls fly over a quiet bay and a boat leaves the pier. "
TEXTS = [
    *(scene.text for scene in islice(scenes(1, 7), 0, 4000, 100)),
    CALM * 12,
    "a n4k3d w0m4n h4v1ng s3x on a b34ch",
    "ein Hund läuft über die Wiese",
]
ANOTHER = """
import json, sys
from pathlib import Path
from tests.filters.test_replay import judged
print(json.dumps(judged(Path(sys.argv[1]), json.load(sys.stdin))))
"""


def judged(folder: Path, texts: list[str]) -> list[list[list[object]]]:
    classifier = PromptClassifier(load_weights(), MiniLM(folder))
    return [[_said(finding) for finding in classifier.read(text)] for text in texts]


def _said(finding: Finding) -> list[object]:
    return [finding.category, finding.score, finding.detector, repr(finding.place)]


def test_another_process_finds_the_same_in_another_order(encoder_folder: Path) -> None:
    here = judged(encoder_folder, TEXTS)

    printed = subprocess.run(
        [sys.executable, "-c", ANOTHER, str(encoder_folder)],
        input=json.dumps(TEXTS[::-1]),
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip

    assert json.loads(printed)[::-1] == here
    assert len({str(found) for found in here}) > len(TEXTS) / 2
