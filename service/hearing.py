"""The part of wiring that chooses what listens; each back end is imported where it was chosen.

Whisper brings ctranslate2 and PyAV along, which a process that was not told to read speech never
loads.
"""

from typing import TYPE_CHECKING

import structlog

from service.gates import JudgeText, Listen
from service.settings import Settings

if TYPE_CHECKING:
    from filters.whisper import Whisper

log = structlog.get_logger()


def at_the_gates(settings: Settings, judge_text: JudgeText) -> Listen:
    """Return what listens to the sound of a request.

    The embedded reader is left out: it would hold up every other request of the process.

    Raises:
        ModelUnavailable: a model is missing, or not the one that was pinned.
    """
    from filters.speech import VoiceActivity

    if settings.whisper is None:
        return VoiceActivity().listen
    from filters.listening import Listener

    return Listener(VoiceActivity(), whisper(settings), judge_text, _failed).listen


def in_the_workshop(settings: Settings, judge_text: JudgeText, at_the_gates: Listen) -> Listen:
    """Return what listens to a clip that was made.

    Args:
        at_the_gates: what listens in the same process; one Whisper is enough.

    Raises:
        ModelUnavailable: a model is missing, or not the one that was pinned.
    """
    if settings.whisper is not None or not settings.sphinx_s:
        return at_the_gates
    from filters.listening import Listener
    from filters.speech import VoiceActivity
    from filters.sphinx import Sphinx

    reader = Sphinx(seconds=settings.sphinx_s)
    return Listener(VoiceActivity(), reader, judge_text, _failed).listen


def whisper(settings: Settings) -> "Whisper":
    """Return the Whisper of the settings, from files that were hashed.

    Raises:
        ModelUnavailable: there is none, it is not the pinned one, or it cannot be loaded.
    """
    from filters.finding import ModelUnavailable
    from filters.whisper import Whisper
    from filters.whisper_files import pinned

    chosen = settings.whisper
    if chosen is None:
        raise ModelUnavailable("no Whisper model", "IMPRIMATUR_WHISPER", "Name one.")
    return Whisper(
        pinned(chosen.model, chosen.sha256),
        threads=chosen.threads,
        compute_type=chosen.compute_type,
        device=chosen.device,
        seconds_per_minute=chosen.timeout_s,
    )


def _failed(error: str) -> None:
    log.error("reader.failed", error=error)
