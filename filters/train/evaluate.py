"""Take the figures of docs/models/text.md with the shipped weights: what the filter does as it is.

python -m filters.train.evaluate --data DIR --cache DIR
"""

import argparse
import json
import random
from pathlib import Path

from filters.minilm import MiniLM
from filters.text import PromptClassifier
from filters.train.figures import evaluated, share
from filters.train.sources import Example, examples
from filters.train.split import Part
from filters.train.text import SEED, Remembered
from filters.train.thresholds import refused, scored
from filters.weights import HEADS, load_weights

PADDING_WORDS, MOST_PER_HEAD, LONGEST_WORDS = 45, 25, 20
HARMLESS = 100


def padding(captions: list[str], chance: random.Random) -> str:
    """Return captions, 45 words or some more of them."""
    chosen: list[str] = []
    while sum(len(caption.split()) for caption in chosen) < PADDING_WORDS:
        chosen.append(chance.choice(captions))
    return ". ".join(chosen)


def hidden_among_harmless(
    classifier: PromptClassifier, found: list[Example], thresholds: dict[str, dict[str, float]]
) -> dict[str, object]:
    """Return how many short harmful test prompts are found between harmless captions."""
    chance = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    test = [example for example in found if example.part is Part.TEST]
    captions = [example.text for example in test if example.source == "coco"]
    short = [example for example in test if len(example.text.split()) <= LONGEST_WORDS]
    harmful: list[str] = []
    for row in range(len(HEADS)):
        texts = [example.text for example in short if example.labels[row] == 1]
        harmful += chance.sample(texts, min(MOST_PER_HEAD, len(texts)))
    padded = [
        f"{padding(captions, chance)}. {text}. {padding(captions, chance)}" for text in harmful
    ]
    calm = [f"{padding(captions, chance)}. {padding(captions, chance)}" for _ in range(HARMLESS)]
    tables = {
        "harmful_alone": scored(classifier, harmful),
        "harmful_padded": scored(classifier, padded),
        "harmless": scored(classifier, calm),
    }
    return {
        f"{name}_{verdict}": share(int(refused(table, thresholds, verdict).sum()), len(table))
        for name, table in tables.items()
        for verdict in ("block", "hold")
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where the encoder was exported")
    chosen = parser.parse_args()
    weights = load_weights()
    classifier = PromptClassifier(weights, Remembered(MiniLM(chosen.cache), None))
    found = examples(chosen.data, SEED)
    figures = {
        "detector": classifier.detector,
        "long": hidden_among_harmless(classifier, found, weights.thresholds),
        **evaluated(classifier, found, chosen.data, weights.thresholds),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
