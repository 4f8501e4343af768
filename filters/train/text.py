"""Train the prompt filter and write its weights and card.

    python -m filters.train.text --data DIR --out filters/weights [--vectors FILE]

The same data and seed give the same weights on the same machine. `--vectors` keeps the encoder's
vectors between runs. Prints the figures of docs/models/text.md as JSON.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from filters.features import BUCKETS
from filters.minilm import GRAPH_SHA256, WIDTH, MiniLM, export
from filters.text import PromptClassifier
from filters.train.figures import evaluated, left_out
from filters.train.heads import Features, calibrated, fitted, letters
from filters.train.sources import Example, examples
from filters.train.split import Part
from filters.train.thresholds import proposed
from filters.weights import CARD, HEADS, TENSORS, load_weights

SEED = 20261121
VERSION = "1"
Tensors = dict[str, NDArray[np.float32] | NDArray[np.float16]]


class Remembered:
    """An encoder that looks at each text once, and can keep its vectors in a file."""

    def __init__(self, encode: MiniLM, file: Path | None) -> None:
        self._encode, self._file = encode, file
        self._known: dict[str, NDArray[np.float32]] = {}
        if file and file.exists():
            with np.load(file) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        for text in texts:
            if text not in self._known:
                self._known[text] = self._encode([text])[0]
        return np.stack([self._known[text] for text in texts])

    def keep(self) -> None:
        """Write the vectors, if there is a file for them."""
        if self._file:
            np.savez(self._file, texts=np.array(list(self._known)),
                     vectors=np.stack(list(self._known.values())))  # fmt: skip


def trained(found: list[Example], features: Features) -> Tensors:
    """Return the tensors of all heads."""
    truth = np.array([example.labels for example in found])
    weight = np.array([example.weight for example in found])
    training = np.array([example.part is Part.TRAIN for example in found])
    holding = np.array([example.part is Part.CALIBRATE for example in found])
    meaning = np.zeros((len(HEADS), WIDTH), np.float32)
    grams = np.zeros((len(HEADS), BUCKETS), np.float16)
    bias, slope, shift = (np.zeros(len(HEADS), np.float32) for _ in range(3))
    for row in range(len(HEADS)):
        known = truth[:, row] >= 0
        use, check = training & known, holding & known
        head = fitted(features.rows(use), truth[use, row].astype(float), weight[use])
        meaning[row], grams[row], bias[row] = head.meaning, head.letters, head.bias
        slope[row], shift[row] = calibrated(
            head.logits(features.rows(check)), truth[check, row].astype(float)
        )
    # Half precision halves the file; thresholds and figures are taken from what is written.
    return {"meaning": meaning, "letters": grams, "bias": bias, "slope": slope, "shift": shift}


def write(folder: Path, tensors: Tensors, card: dict[str, object]) -> None:
    """Write weights and card into `folder`."""
    content = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TENSORS).write_bytes(content)
    whole = {
        "version": VERSION,
        "heads": list(HEADS),
        "encoder_sha256": GRAPH_SHA256,
        "sha256": hashlib.sha256(content).hexdigest(),
        "seed": SEED,
        **card,
    }
    (folder / CARD).write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


def main() -> None:
    """Train, choose thresholds, write, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vectors", type=Path)
    chosen = parser.parse_args()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as cache:
        export(Path(cache))
        encode = Remembered(MiniLM(Path(cache)), chosen.vectors)
    found = examples(chosen.data, SEED)
    texts = [example.text for example in found]
    features = Features(encode(texts).astype(float), letters(texts))
    encode.keep()
    tensors = trained(found, features)
    with tempfile.TemporaryDirectory() as draft:
        write(Path(draft), tensors, {"thresholds": {}})
        classifier = PromptClassifier(load_weights(Path(draft)), encode)
    thresholds = proposed(classifier, found, chosen.data)
    figures = evaluated(classifier, found, chosen.data, thresholds)
    figures["left_out"] = left_out(found, features)
    encode.keep()
    counts = {
        head: {
            part: int(sum(e.labels[row] == 1 and e.part is part for e in found)) for part in Part
        }
        for row, head in enumerate(HEADS)
    }
    figures |= {"positives": counts, "texts": len(found)}
    write(chosen.out, tensors, {"thresholds": thresholds, "figures": figures})
    print(
        json.dumps(
            {"cpu_s": round(time.process_time() - started), **figures, "thresholds": thresholds},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
