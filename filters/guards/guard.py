"""A guard as the gates see it: a text in, findings out, in time or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from filters.finding import Category, FilterError, Finding, NothingToLookAt, Surface
from filters.folders import PinnedFolder
from filters.guards.chat import ChatModel
from filters.guards.classes import Classifier
from filters.guards.family import Family
from filters.guards.gpt_oss_safeguard import GPT_OSS_SAFEGUARD
from filters.guards.granite_guardian import GRANITE_GUARDIAN
from filters.guards.llama_guard import LLAMA_GUARD, LLAMA_GUARD_4
from filters.guards.qwen3guard import QWEN3GUARD
from filters.guards.shieldgemma import SHIELDGEMMA
from filters.guards.verdict import Crosswalk
from filters.turn import Turn

FAMILIES = (
    LLAMA_GUARD, LLAMA_GUARD_4, QWEN3GUARD, SHIELDGEMMA, GRANITE_GUARDIAN, GPT_OSS_SAFEGUARD
)  # fmt: skip
CLASSIFIER = "classifier"
# Tokens of the text in one question, and questions about one text; what is longer is held.
PIECE_TOKENS, MOST_PIECES = 1500, 6
Scores = Callable[[str, float], dict[Category, float]]
"""A score per category for a text, until a time of `time.monotonic`."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that is loaded.

    Attributes:
        detector: `filters.guard.<name>@<digest>`: the first twelve hex digits of its files' hash.
        languages: ISO 639 codes that it is trusted to read.
        surfaces: where it is asked.
    """

    detector: str
    languages: frozenset[str]
    surfaces: frozenset[Surface]
    scores: Scores
    turn: Turn

    def read(self, text: str, surface: Surface) -> list[Finding]:
        """Return a finding for each category that it knows.

        Raises:
            NothingToLookAt: there is no text.
            ModelLate: it is late, busy until too late, or hangs.
            FilterError: it failed, or answers nonsense.
        """
        if not text.strip():
            raise NothingToLookAt(f"{self.detector} was given no text")
        # One text at a time: a model on one device is no faster with two.
        scores = self.turn.ask(lambda until: self.scores(text, until))
        return [
            Finding(category, score, surface, self.detector) for category, score in scores.items()
        ]


def chat_guard(
    files: PinnedFolder,
    family: Family,
    *,
    device: str,
    timeout_s: float,
    surfaces: Iterable[Surface],
    languages: Iterable[str] = (),
) -> Guard:
    """Return a guard that answers in words.

    Args:
        languages: those it is trusted with; empty for those of its card.

    Raises:
        ModelUnavailable: it cannot be loaded.
    """
    model = ChatModel(files, family, device=device)

    def scores(text: str, until: float) -> dict[Category, float]:
        pieces = model.pieces(text, PIECE_TOKENS)
        if len(pieces) > MOST_PIECES:
            raise FilterError(f"a text of {len(pieces)} parts is too long for {family.name}")
        found = [
            family.crosswalk.scores(family.verdict(model.answers(piece, until=until)))
            for piece in pieces
        ]
        return _worst(found)

    detector = _detector(family.name, files)
    return Guard(
        detector,
        frozenset(languages) or family.languages,
        frozenset(surfaces),
        scores,
        Turn(detector, timeout_s),
    )


def classifier_guard(
    files: PinnedFolder,
    crosswalk: Crosswalk,
    *,
    device: str,
    timeout_s: float,
    surfaces: Iterable[Surface],
    languages: Iterable[str] = (),
) -> Guard:
    """Return a guard with a score per label; English unless `languages` say otherwise.

    Raises:
        ModelUnavailable: it cannot be loaded.
    """
    model = Classifier(files, crosswalk, device=device)
    detector = _detector(CLASSIFIER, files)
    return Guard(
        detector,
        frozenset(languages) or frozenset({"en"}),
        frozenset(surfaces),
        lambda text, _until: model.scores(text),
        Turn(detector, timeout_s),
    )


def _detector(name: str, files: PinnedFolder) -> str:
    return f"filters.guard.{name}@{files.sha256[:12]}"


def _worst(found: Sequence[dict[Category, float]]) -> dict[Category, float]:
    return {category: max(scores[category] for scores in found) for category in found[0]}
