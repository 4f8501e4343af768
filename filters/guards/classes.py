"""The only module that runs a sequence classifier: transformers, from pinned files.

Labels of the two that have a table here come from their cards:
https://huggingface.co/unitary/unbiased-toxic-roberta (sigmoid per label) and
https://huggingface.co/ibm-granite/granite-guardian-hap-38m (`LABEL_1` is hate, abuse, profanity).
"""

from collections.abc import Mapping

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from filters.finding import Category, FilterError, ModelUnavailable
from filters.folders import PinnedFolder
from filters.guards.chat import BROKEN
from filters.guards.verdict import Crosswalk, GuardNonsense, Verdict

# Who is spoken of (toxic-roberta's "male", "muslim" …) is no offence.
_TOXIC: Mapping[str, str | None] = {
    "toxicity": "harassment", "severe_toxicity": "harassment", "obscene": "sexual",
    "identity_attack": "hate", "insult": "harassment", "threat": "violence",
    "sexual_explicit": "sexual", "male": None, "female": None,
    "homosexual_gay_or_lesbian": None, "christian": None, "jewish": None, "muslim": None,
    "black": None, "white": None, "psychiatric_or_mental_illness": None,
}  # fmt: skip
_HAP: Mapping[str, str | None] = {"LABEL_0": None, "LABEL_1": "hate"}
KNOWN: Mapping[str, Mapping[str, str | None]] = {
    "unitary/unbiased-toxic-roberta": _TOXIC,
    "ibm-granite/granite-guardian-hap-38m": _HAP,
    "ibm-granite/granite-guardian-hap-125m": _HAP,
}
_OVERLAP = 32


class Classifier:
    """A model with one score per label.

    Args:
        crosswalk: it has to know every label of the model.

    Raises:
        ModelUnavailable: the files do not make such a model, or it has labels nobody mapped.
    """

    def __init__(self, files: PinnedFolder, crosswalk: Crosswalk, *, device: str) -> None:
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(files.folder, **where)
            self._model = AutoModelForSequenceClassification.from_pretrained(
                files.folder, use_safetensors=True, dtype="auto", **where
            )
            self._model.to(device).eval()
        except BROKEN as broken:
            raise ModelUnavailable(
                "a classifier cannot be loaded", str(files.folder), "Look whether it is one."
            ) from broken
        files.check()
        self._device, self._crosswalk = device, crosswalk
        self._labels = [str(self._model.config.id2label[n]) for n in range(self._model.num_labels)]
        strange = [label for label in self._labels if label not in crosswalk]
        if strange:
            raise ModelUnavailable(
                f"a classifier has labels without a category: {', '.join(strange)}",
                str(files.folder),
                "Name a category, or null, for each under `labels` in IMPRIMATUR_GUARDS.",
            )
        single = self._model.config.problem_type != "multi_label_classification"
        self._squash = (lambda x: torch.softmax(x, -1)) if single else torch.sigmoid

    def scores(self, text: str) -> dict[Category, float]:
        """Return the score of each category: the most that any part of the text has.

        Raises:
            FilterError: the model failed, or gave something that is no number.
        """
        most = min(self._tokenizer.model_max_length, 512)
        try:
            parts = self._tokenizer(
                text, truncation=True, max_length=most, stride=min(_OVERLAP, most // 4),
                return_overflowing_tokens=True, padding=True, return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode():
                logits = self._model(
                    input_ids=parts["input_ids"].to(self._device),
                    attention_mask=parts["attention_mask"].to(self._device),
                ).logits
        except BROKEN as broken:
            raise FilterError(f"classifier failed: {type(broken).__name__}") from broken
        if not torch.isfinite(logits).all():
            raise GuardNonsense("classifier gave something that is no number")
        best = self._squash(logits.double()).amax(dim=0).tolist()
        return self._crosswalk.scores(Verdict(dict(zip(self._labels, best, strict=True))))
