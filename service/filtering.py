"""The part of wiring that chooses what judges texts and pictures; `service/hearing.py`: sound."""

from typing import TYPE_CHECKING

import structlog

from service.gates import JudgePictures, JudgeText
from service.settings import Settings

if TYPE_CHECKING:
    from filters.minilm import MiniLM

log = structlog.get_logger()


def judge_text(settings: Settings) -> JudgeText:
    """Return what judges texts: the packaged filter, and what stands beside it.

    Raises:
        ModelUnavailable: a model is missing, or not the one that was pinned.
    """
    from filters.text import PromptClassifier
    from filters.weights import load_weights

    own = PromptClassifier(load_weights(), encoder(settings))
    return with_guards(settings, own.read)


def judge_pictures(settings: Settings) -> JudgePictures:
    """Return what judges pictures: the packaged detector, and what stands beside it.

    Raises:
        ModelUnavailable: a model is missing, or not the one that was pinned.
    """
    from filters.nudity import NudityDetector

    return with_image_models(settings, NudityDetector().look)


def with_guards(settings: Settings, own: JudgeText) -> JudgeText:
    """Return the prompt filter, with the guards that `settings` name beside it.

    Raises:
        ModelUnavailable: a guard cannot be loaded as it was pinned.
    """
    if not settings.guards:
        return own
    from filters.finding import Surface
    from filters.guards.chosen import Choice
    from filters.guards.chosen import load as load_guard
    from filters.guards.together import Guarded

    choices = [
        Choice(**dict(chosen) | {"surfaces": frozenset(map(Surface, chosen.surfaces))})
        for chosen in settings.guards
    ]
    return Guarded(own, [load_guard(choice, offline=settings.offline) for choice in choices]).read


def with_image_models(settings: Settings, own: JudgePictures) -> JudgePictures:
    """Return the packaged detector, with the image classifiers that `settings` name beside it.

    Raises:
        ModelUnavailable: one cannot be loaded as it was pinned.
    """
    if not settings.image_models:
        return own
    from filters.image_models.chosen import Choice, beside

    chosen = [Choice(**dict(one)) for one in settings.image_models]
    return beside(own, chosen, offline=settings.offline)


def encoder(settings: Settings) -> "MiniLM":
    """Return the text encoder; export it first where it never was.

    Raises:
        ModelUnavailable: it is damaged, or cannot be made.
    """
    from filters import minilm

    folder = settings.cache / "minilm"
    if not (folder / minilm.GRAPH).exists():
        log.info("encoder.export", folder=str(folder))
        minilm.export(folder)
    return minilm.MiniLM(folder)
