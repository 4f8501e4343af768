"""What reading a prompt costs: the normaliser, the encoder, and the prompt filter as a whole.

Run: python -m benchmarks.text [--cache DIR]
"""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Figure, arguments, measured, report
from filters.minilm import GRAPH, GRAPH_SHA256, MiniLM, export
from filters.normalise import normalise, variants
from filters.pinned import opened, pinned
from filters.text import PromptClassifier
from filters.weights import load_weights

SHORT = "A red ball bounces on a green floor while rain falls outside the window."
ACCENTED = ("A café by the sea — “naïve” light, a n\u0430ked tree in 4k. " * 20)[:600]
PARAGRAPH = (
    "The camera glides over a quiet harbour at dawn. Fishermen untie boats, gulls circle, and "
    "warm light spills over wet stones. A child waves from the pier as the first boat leaves. "
)
LONG = (PARAGRAPH * 8)[:600]
# Numbered, because a stretch that comes twice is read once.
LONGEST = "".join(f"Scene {number}. {PARAGRAPH}" for number in range(200))[:32_000]


def encoder_figures(cache: Path) -> list[Figure]:
    """Return the cost of eight texts one by one and together, at two lengths."""
    session = opened(pinned(cache / GRAPH, GRAPH_SHA256, remedy="Export the encoder first."))
    figures = []
    for length in (8, 20, 100):
        ids = np.random.default_rng(length).integers(1000, 20_000, (8, length))

        def together(ids: NDArray[np.int64] = ids) -> None:
            session.run(None, {"ids": ids})

        def one_by_one(ids: NDArray[np.int64] = ids) -> None:
            for row in ids:
                session.run(None, {"ids": row[None]})

        figures.append(
            measured(f"encoder: 8 texts of {length} tokens together", together, times=20)
        )
        figures.append(measured(f"encoder: 8 texts of {length} tokens apart", one_by_one, times=20))
    return figures


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        cache = chosen.cache or Path(fresh)
        if not chosen.cache:
            export(cache)
        encode = MiniLM(cache)
        classifier = PromptClassifier(load_weights(), encode)
        accented = normalise(ACCENTED)
        figures = [
            measured("normalise, 600 ASCII characters", lambda: normalise(LONG), times=200),
            measured("normalise, 600 accented characters", lambda: normalise(ACCENTED), times=200),
            measured("variants of 600 characters", lambda: variants(accented), times=200),
            measured("prompt filter, 14 words", lambda: classifier.read(SHORT), times=200),
            measured("prompt filter, 600 characters", lambda: classifier.read(LONG), times=20),
            measured(
                "prompt filter, 32,000 characters",
                lambda: classifier.read(LONGEST),
                times=3,
                warm_up=1,
            ),
            *encoder_figures(cache),
        ]
    report("benchmarks/text.py", figures)


if __name__ == "__main__":
    main()
