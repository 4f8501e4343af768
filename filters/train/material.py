"""Everything that is learnt from, in the order in which encoder and heads are shown it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.train.contexts import in_context
from filters.train.sources import Example, examples
from filters.train.split import Part

SEED = 20261121


def material(folder: Path) -> list[Example]:
    """Return all examples from `folder`, the data's root, and from the grammar, and in context."""
    found = examples(folder, SEED)
    return [*found, *in_context(found, SEED)]


def truths(found: list[Example]) -> NDArray[np.int64]:
    """Return 1, 0 or below 0 for each text, for every head and for harm at all."""
    return np.array([(*example.labels, example.harm) for example in found], np.int64)


def learnt_from(example: Example) -> bool:
    """Whether anything is fitted to it; the operating point needs harmless texts alone."""
    return example.part is Part.TRAIN or (example.part is Part.CALIBRATE and example.harm == 1)


def made_from(found: list[Example]) -> Iterator[str]:
    """Yield every text that weights or thresholds come from, and the whole that it was cut from."""
    for example in found:
        if example.part is not Part.TEST:
            yield from {example.text, example.read_in, example.origin or example.text}
