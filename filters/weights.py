"""The trained heads of the prompt filter: read, checked, and not used if anything is amiss."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from filters.features import BUCKETS
from filters.finding import Category, ModelUnavailable
from filters.minilm import GRAPH_SHA256, WIDTH

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
)
CARD, TENSORS = "text.json", "text.safetensors"
_SHAPES = {
    "meaning": (len(HEADS), WIDTH),
    "letters": (len(HEADS), BUCKETS),
    "bias": (len(HEADS),),
    "slope": (len(HEADS),),
    "shift": (len(HEADS),),
}
_REMEDY = "Reinstall the package, or train again: python -m filters.train.text."


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Logistic heads, one row per category of `HEADS`.

    Attributes:
        version: changes whenever a score may.
        meaning: (heads, 384) float32, over the encoder's vector.
        letters: (heads, `BUCKETS`) float32, over letter groups.
        bias, slope, shift: (heads,) float32; slope and shift calibrate (Platt).
        thresholds: proposed for the policy: category to verdict (`hold`, `block`) to score.
    """

    version: str
    meaning: NDArray[np.float32]
    letters: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]
    thresholds: dict[str, dict[str, float]]

    def probabilities(
        self, vector: NDArray[np.float32], found: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the calibrated probability of each head for one window, shape (heads,)."""
        logits = self.meaning.astype(np.float64) @ vector + self.bias
        if len(found):
            logits = logits + self.letters[:, found].sum(axis=1, dtype=np.float64) / np.sqrt(
                len(found)
            )
        calibrated = self.slope * logits + self.shift
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(calibrated, -60, 60)))
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
        tensors = {name: value.astype(np.float32) for name, value in load(content).items()}
    except SafetensorError as broken:
        raise ModelUnavailable("the prompt filter is damaged", str(folder), _REMEDY) from broken
    if {name: tensor.shape for name, tensor in tensors.items()} != _SHAPES:
        raise ModelUnavailable("the prompt filter has another shape", str(folder), _REMEDY)
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ModelUnavailable("the prompt filter holds no numbers", str(folder), _REMEDY)
    return Weights(version=version, thresholds=thresholds, **tensors)
