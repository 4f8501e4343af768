"""Which texts train, which set thresholds, and which only test: by hash, for ever."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from filters.finding import ModelUnavailable
from filters.normalise import normalise
from filters.weights import PACKAGED

TRAINED = PACKAGED / "trained.safetensors"
_PRINTS = "fingerprints"


class Part(StrEnum):
    """Of the data: 70 %, 15 % and 15 %."""

    TRAIN = "train"
    CALIBRATE = "calibrate"
    TEST = "test"


def part(key: str) -> Part:
    """Return where `key` belongs: a text, or what all texts of one origin share.

    Texts that normalise alike go together, so that a copy never sits on both sides.
    """
    place = fingerprint(key) / 2**64
    if place < 0.70:
        return Part.TRAIN
    return Part.CALIBRATE if place < 0.85 else Part.TEST


def fingerprint(text: str) -> int:
    """Return the first 64 bits of the SHA-256 of the text as a filter reads it, one space a gap."""
    words = " ".join(normalise(text).text.split())
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")


class Trained:
    """The texts that weights or thresholds were made from, by fingerprint.

    Raises:
        ModelUnavailable: the list is missing or damaged, so nobody can say what was trained on.
    """

    def __init__(self, path: Path = TRAINED) -> None:
        remedy = "Reinstall the package, or train again: python -m filters.train.text."
        try:
            prints = load(path.read_bytes())[_PRINTS]
        except (OSError, KeyError, SafetensorError) as broken:
            raise ModelUnavailable(
                "the list of trained texts is missing", str(path), remedy
            ) from broken
        self._prints: NDArray[np.uint64] = prints

    def __contains__(self, text: str) -> bool:
        wanted = np.uint64(fingerprint(text))
        at = int(np.searchsorted(self._prints, wanted))
        return at < len(self._prints) and bool(self._prints[at] == wanted)

    def __len__(self) -> int:
        return len(self._prints)


def remember(texts: Iterable[str], path: Path) -> None:
    """Write the fingerprints of `texts` to `path`, sorted, 8 bytes each."""
    prints = np.array(sorted({fingerprint(text) for text in texts}), np.uint64)
    path.write_bytes(save({_PRINTS: prints}))
