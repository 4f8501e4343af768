"""The only module that runs an image classifier: transformers, from pinned files.

Three kinds, from their cards: a classifier with labels of its own
(https://huggingface.co/Falconsai/nsfw_image_detection: ViT, `normal` and `nsfw`), a model of
pictures and words that is asked with sentences (https://huggingface.co/google/siglip2-base-patch16-224:
a sigmoid for each), and ShieldGemma 2 (https://huggingface.co/google/shieldgemma-2-4b-it: yes or no
to each of its policies).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForImageClassification,
    AutoModelForZeroShotImageClassification,
    AutoProcessor,
    ShieldGemma2ForImageClassification,
)

from filters.finding import FilterError, ModelUnavailable
from filters.folders import PinnedFolder
from filters.guards.chat import BROKEN
from filters.guards.verdict import GuardNonsense

KNOWN: Mapping[str, Mapping[str, str | None]] = {
    "Falconsai/nsfw_image_detection": {"normal": None, "nsfw": "sexual"},
}
SHIELDGEMMA2: Mapping[str, str | None] = {
    "dangerous": "illicit", "sexual": "sexual", "violence": "gore",
}  # fmt: skip
# Models of pictures and words that give a probability for each sentence alone; the others share
# one between all sentences.
_APART = frozenset({"siglip", "siglip2"})
_WHERE = {"local_files_only": True, "trust_remote_code": False}


class Model(Protocol):
    """Scores one picture."""

    @property
    def labels(self) -> Sequence[str]: ...

    def scores(self, frame: NDArray[np.uint8]) -> dict[str, float]:
        """Return 0..1 for each of `labels`.

        Raises:
            FilterError: the model failed, or gave something that is no number.
        """


class ImageClassifier:
    """A model with one score per label of its own."""

    def __init__(self, files: PinnedFolder, *, device: str) -> None:
        self._eye, self._model = _loaded(
            files, AutoImageProcessor, AutoModelForImageClassification, device
        )
        named = self._model.config.id2label
        self.labels = [str(named[number]) for number in range(self._model.config.num_labels)]
        several = self._model.config.problem_type == "multi_label_classification"
        self._squash = torch.sigmoid if several else (lambda x: torch.softmax(x, -1))
        self._device = device

    def scores(self, frame: NDArray[np.uint8]) -> dict[str, float]:
        with _failing():
            shown = self._eye(images=frame, return_tensors="pt").to(self._device)
            with torch.inference_mode():
                logits = self._model(**shown).logits[0]
        return _named(self.labels, self._squash(logits.double()))


class ZeroShot:
    """A model of pictures and words, asked how well each sentence describes the picture.

    Args:
        labels: the sentences; for models that share one probability between them, a harmless one
            has to be there.
    """

    def __init__(self, files: PinnedFolder, labels: Sequence[str], *, device: str) -> None:
        self._eye, self._model = _loaded(
            files, AutoProcessor, AutoModelForZeroShotImageClassification, device
        )
        self.labels = list(labels)
        apart = self._model.config.model_type in _APART
        self._squash = torch.sigmoid if apart else (lambda x: torch.softmax(x, -1))
        # SigLIP was trained on sentences filled up to the longest it takes.
        self._padding = "max_length" if apart else True
        self._device = device

    def scores(self, frame: NDArray[np.uint8]) -> dict[str, float]:
        with _failing():
            shown = self._eye(
                images=frame, text=self.labels, padding=self._padding, truncation=True,
                return_tensors="pt",
            ).to(self._device)  # fmt: skip
            with torch.inference_mode():
                logits = self._model(**shown).logits_per_image[0]
        return _named(self.labels, self._squash(logits.double()))


class ShieldGemma2:
    """ShieldGemma 2, asked about each policy that its processor brings along."""

    def __init__(self, files: PinnedFolder, *, device: str) -> None:
        # Of another model's files this class would make four billion random numbers first.
        if _type_of(files) != "shieldgemma2":
            raise _unavailable(files)
        self._eye, self._model = _loaded(
            files, AutoProcessor, ShieldGemma2ForImageClassification, device
        )
        policies = getattr(self._eye, "policy_definitions", None)
        if not policies or not getattr(self._eye, "chat_template", None):
            raise _unavailable(files)
        self.labels = list(policies)
        self._device = device

    def scores(self, frame: NDArray[np.uint8]) -> dict[str, float]:
        with _failing():
            shown = self._eye(images=[frame], return_tensors="pt").to(self._device)
            with torch.inference_mode():
                # The first of each row is yes: it violates the policy.
                likely = self._model(**shown).probabilities[:, 0]
        return _named(self.labels, likely.double())


def _type_of(files: PinnedFolder) -> str:
    try:
        return str(AutoConfig.from_pretrained(files.folder, **_WHERE).model_type)
    except BROKEN as broken:
        raise _unavailable(files) from broken


def _loaded(files: PinnedFolder, eye: Any, kind: Any, device: str) -> tuple[Any, Any]:  # noqa: ANN401 - classes of transformers, which has no types
    try:
        processor = eye.from_pretrained(files.folder, **_WHERE)
        model, said = kind.from_pretrained(
            files.folder, use_safetensors=True, dtype="auto", output_loading_info=True, **_WHERE
        )
        model.to(device).eval()
    except BROKEN as broken:
        raise _unavailable(files) from broken
    # Transformers fills what it does not find with random numbers, and goes on.
    if said["missing_keys"] or said["mismatched_keys"]:
        raise _unavailable(files)
    files.check()
    return processor, model


def _unavailable(files: PinnedFolder) -> ModelUnavailable:
    return ModelUnavailable(
        "an image classifier cannot be loaded",
        str(files.folder),
        "Look whether `family` and `model` belong together.",
    )


@contextmanager
def _failing() -> Iterator[None]:
    """Turn what transformers raises into a `FilterError`."""
    try:
        yield
    except BROKEN as broken:
        raise FilterError(f"image classifier failed: {type(broken).__name__}") from broken


def _named(labels: Sequence[str], likely: torch.Tensor) -> dict[str, float]:
    if likely.shape != (len(labels),) or not torch.isfinite(likely).all():
        raise GuardNonsense("image classifier gave something that is no number for each label")
    return dict(zip(labels, likely.tolist(), strict=True))
