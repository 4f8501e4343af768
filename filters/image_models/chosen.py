"""From what an operator wrote down to an image classifier that is loaded, and findings from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.finding import (
    Box,
    Category,
    Finding,
    ModelUnavailable,
    NothingToLookAt,
    Surface,
)
from filters.folders import PinnedFolder
from filters.frames import checked_frame
from filters.guards.verdict import Crosswalk, CrosswalkBroken, Verdict
from filters.guards.weights import located, pinned
from filters.image_models.kinds import (
    KNOWN,
    SHIELDGEMMA2,
    ImageClassifier,
    Model,
    ShieldGemma2,
    ZeroShot,
)
from filters.turn import Turn

CLASSIFIER, ZERO_SHOT, SHIELDGEMMA_2 = "classifier", "zero_shot", "shieldgemma2"
Look = Callable[[Iterable[tuple[int, NDArray[np.uint8]]], Surface], Sequence[Finding]]
"""From numbered pictures to findings, as `NudityDetector.look`."""
_SETTING = "Correct IMPRIMATUR_IMAGE_MODELS."


@dataclass(frozen=True, slots=True)
class Choice:
    """Which image classifier, from where, and what it is asked.

    Attributes:
        family: `CLASSIFIER`, `ZERO_SHOT` or `SHIELDGEMMA_2`.
        model: a folder, or an id of the hub.
        sha256: `digest` of its files.
        timeout_s: a picture that it has not judged by then is held.
        surfaces: where it is asked: values of `Surface`.
        labels: each label, for `ZERO_SHOT` each sentence, and our category by name or None; empty
            where this package knows the model.
    """

    family: str
    model: str
    sha256: str
    timeout_s: float
    surfaces: frozenset[str]
    labels: Mapping[str, str | None]
    device: str


@dataclass(frozen=True, slots=True)
class ImageModel:
    """An image classifier that is loaded.

    Attributes:
        detector: `filters.image.<family>@<digest>`: the first twelve hex digits of its files' hash.
        surfaces: where it is asked.
    """

    detector: str
    surfaces: frozenset[Surface]
    crosswalk: Crosswalk
    model: Model
    turn: Turn

    def look(
        self, frames: Iterable[tuple[int, NDArray[np.uint8]]], surface: Surface = Surface.FRAMES
    ) -> list[Finding]:
        """Return for each category the frame that scores highest, with the whole of it as place.

        Args:
            frames: number and pixels, (height, width, 3), uint8, RGB; not changed.

        Raises:
            NothingToLookAt: there is no frame.
            ModelLate: it is late with one, busy until too late, or hangs.
            FilterError: it failed, or answers nonsense.
        """
        best: dict[Category, tuple[float, Box]] = {}
        for number, frame in frames:
            box = Box(number, 0, 0, frame.shape[1], frame.shape[0])
            for category, score in self._scores(checked_frame(frame)).items():
                if category not in best or score > best[category][0]:
                    best[category] = (score, box)
        if not best:
            raise NothingToLookAt(f"{self.detector} was given no frame")
        return [
            Finding(category, score, surface, self.detector, box)
            for category, (score, box) in best.items()
        ]

    def _scores(self, frame: NDArray[np.uint8]) -> dict[Category, float]:
        # One picture at a time: a model on one device is no faster with two.
        return self.turn.ask(
            lambda _until: self.crosswalk.scores(Verdict(self.model.scores(frame)))
        )


@dataclass(frozen=True, slots=True)
class Together:
    """The packaged detector and the image classifiers beside it, as one."""

    own: Look
    models: tuple[ImageModel, ...]

    def look(
        self, frames: Iterable[tuple[int, NDArray[np.uint8]]], surface: Surface = Surface.FRAMES
    ) -> list[Finding]:
        """Return what all see.

        Raises:
            FilterError: one of them could not tell; then nobody's answer counts.
        """
        shown = list(frames)
        found = list(self.own(shown, surface))
        for model in self.models:
            if surface in model.surfaces:
                found += model.look(shown, surface)
        return found


def beside(own: Look, choices: Iterable[Choice], *, offline: bool) -> Look:
    """Return the packaged detector and image classifiers beside it, as one.

    Raises:
        ModelUnavailable: as `load`.
    """
    return Together(own, tuple(load(choice, offline=offline) for choice in choices)).look


def load(choice: Choice, *, offline: bool) -> ImageModel:
    """Return the image classifier, from files that were hashed.

    Raises:
        ModelUnavailable: it is missing, not the pinned one, no such model, has a label that is
            mapped to no category of ours, or none that is.
    """
    files = pinned(located(choice.model, offline=offline), choice.sha256)
    labels = choice.labels or KNOWN.get(choice.model, {})
    if choice.family == SHIELDGEMMA_2:
        labels = choice.labels or SHIELDGEMMA2
    try:
        crosswalk = Crosswalk(choice.family, labels)
    except CrosswalkBroken as wrong:
        raise ModelUnavailable(
            "an image classifier's labels cannot be used", str(wrong), _SETTING
        ) from wrong
    if not crosswalk.categories:
        raise ModelUnavailable(
            "an image classifier can find nothing", choice.model,
            "Name the category of a label under `labels` in IMPRIMATUR_IMAGE_MODELS.",
        )  # fmt: skip
    model = _model(choice, files, list(labels))
    strange = [label for label in model.labels if label not in crosswalk]
    if strange or set(labels) - set(model.labels):
        wrong_labels = strange or sorted(set(labels) - set(model.labels))
        raise ModelUnavailable(
            f"an image classifier's labels are not those mapped: {', '.join(wrong_labels)}",
            str(files.folder),
            "Name a category, or null, for each of its labels in IMPRIMATUR_IMAGE_MODELS.",
        )
    detector = f"filters.image.{choice.family}@{files.sha256[:12]}"
    return ImageModel(
        detector,
        frozenset(map(Surface, choice.surfaces)),
        crosswalk,
        model,
        Turn(detector, choice.timeout_s),
    )


def _model(choice: Choice, files: PinnedFolder, labels: Sequence[str]) -> Model:
    match choice.family:
        case "classifier":
            return ImageClassifier(files, device=choice.device)
        case "zero_shot":
            return ZeroShot(files, labels, device=choice.device)
        case "shieldgemma2":
            return ShieldGemma2(files, device=choice.device)
        case _:
            raise ModelUnavailable("there is no such image classifier", choice.family, _SETTING)
