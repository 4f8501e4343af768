"""The trained heads of the prompt filter: read, checked, and not used if anything is amiss."""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load
from threadpoolctl import ThreadpoolController

from filters.features import BUCKETS
from filters.finding import Category, ModelUnavailable
from filters.minilm import GRAPH_SHA256, VECTOR

PACKAGED = Path(__file__).parent / "weights"
HEADS = (
    Category.SEXUAL,
    Category.VIOLENCE,
    Category.GORE,
    Category.SELF_HARM,
    Category.HATE,
    Category.HARASSMENT,
    Category.EXTREMISM,
    Category.ILLICIT,
    Category.POLITICAL,
    Category.IMPERSONATION,
    Category.DANGEROUS_ACTS,
    Category.ANIMAL_CRUELTY,
    Category.PRIVACY,
)
CARD, TENSORS = "text.json", "text.safetensors"
# One more output than heads: harmful at all, in whatever way.
OUTPUTS = len(HEADS) + 1
# Where a score holds and blocks in every category: the heads are calibrated to that.
HOLD, BLOCK = 0.15, 0.5
_SHAPES = {
    "inner": (None, VECTOR),
    "inner_bias": (None,),
    "outer": (OUTPUTS, None),
    "meaning": (OUTPUTS, VECTOR),
    "letters": (OUTPUTS, BUCKETS),
    "bias": (OUTPUTS,),
    "slope": (1,),
    "shift": (1,),
}
_ALONE = threading.Lock()
# See `told_apart`.
_APART = 0.5
_REMEDY = "Reinstall the package, or train again: python -m filters.train.text."


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A small network, a line over letter groups, and the calibration of both together.

    Attributes:
        version: changes whenever a score may.
        inner, inner_bias, outer: (hidden, `VECTOR`), (hidden,) and (`OUTPUTS`, hidden), over what
            the encoder says.
        meaning: (`OUTPUTS`, `VECTOR`), over the same.
        letters: (`BUCKETS`, `OUTPUTS`), over letter groups.
        bias: (`OUTPUTS`,).
        slope, shift: (1,); put the budget's points at `HOLD` and `BLOCK`.
        thresholds: proposed for the policy: category to verdict (`hold`, `block`) to score.
    """

    version: str
    inner: NDArray[np.float32]
    inner_bias: NDArray[np.float32]
    outer: NDArray[np.float32]
    meaning: NDArray[np.float32]
    letters: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float64]
    shift: NDArray[np.float64]
    thresholds: dict[str, dict[str, float]]

    def log_odds(
        self,
        vectors: NDArray[np.float32],
        found: Sequence[NDArray[np.int64]],
    ) -> NDArray[np.float64]:
        """Return the log-odds of each head for each part, shape (parts, heads), within 60 of 0.

        Args:
            vectors: (parts, `VECTOR`).
            found: the letter groups of each part.

        How sure the head is, and how sure the network is that there is harm at all, together. No
        share of anybody's prompts: the same step everywhere from what is held to what is blocked.
        """
        # More threads than one only wait for each other here: ten times the CPU on two cores. The
        # number is the process's own: of two who change it at once, the second would put back 1.
        with _ALONE, _threads().limit(limits=1, user_api="blas"):
            hidden = np.maximum(vectors @ self.inner.T + self.inner_bias, 0)
            said = hidden @ self.outer.T + vectors @ self.meaning.T + self.bias
        logits = said.astype(np.float64)
        for row, groups in enumerate(found):
            if len(groups):
                told = self.letters[groups].sum(axis=0, dtype=np.float64)
                logits[row] += told / np.sqrt(len(groups))
        sure = logits[:, :-1] + logits[:, -1:]
        result: NDArray[np.float64] = np.clip(self.slope * sure + self.shift, -60, 60)
        return result


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def scores(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 0 to 1 for each of `log_odds`."""
    result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def told_apart(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `log_odds` of all heads for one text, the worst as it is and the others further off.

    All rise together, since all hold "harmful at all"; as they are, most would be reasons for any
    block. How often the right one is a reason, and others are, stands in docs/models/text.md.
    """
    result: NDArray[np.float64] = log_odds - _APART * (log_odds.max() - log_odds)
    return result


def load_weights(folder: Path = PACKAGED) -> Weights:
    """Return the heads in `folder`.

    Raises:
        ModelUnavailable: a file is missing, changed or cut short, the heads are not exactly
            `HEADS`, or they were trained over another encoder.
    """
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        content = (folder / TENSORS).read_bytes()
        version, thresholds = str(card["version"]), dict(card["thresholds"])
        promised = (card["sha256"], tuple(card["heads"]), card["encoder_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise ModelUnavailable("the prompt filter is incomplete", str(folder), _REMEDY) from broken
    if promised != (hashlib.sha256(content).hexdigest(), HEADS, GRAPH_SHA256):
        raise ModelUnavailable(
            "the prompt filter's weights, heads or encoder are not those of its card",
            str(folder),
            _REMEDY,
        )
    try:
        tensors = dict(load(content))
    except SafetensorError as broken:
        raise ModelUnavailable("the prompt filter is damaged", str(folder), _REMEDY) from broken
    if not _fits(tensors):
        raise ModelUnavailable("the prompt filter has another shape", str(folder), _REMEDY)
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ModelUnavailable("the prompt filter holds no numbers", str(folder), _REMEDY)
    # A group's weights lie together, because groups are picked one by one.
    letters = np.ascontiguousarray(tensors.pop("letters").T, np.float32)
    return Weights(version=version, thresholds=thresholds, letters=letters, **tensors)


def _fits(tensors: dict[str, Any]) -> bool:
    """Whether every tensor is there and as wide as `_SHAPES` has it, and all agree on `hidden`."""
    if set(tensors) != set(_SHAPES) or tensors["inner_bias"].ndim != 1:
        return False
    hidden = len(tensors["inner_bias"])
    return all(
        tensors[name].shape == tuple(hidden if size is None else size for size in shape)
        for name, shape in _SHAPES.items()
    )
