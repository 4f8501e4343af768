"""The prompt filter and the policy as they ship, for every script that judges prompts."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmarks.prompt_sets.judging import Judged, Read, judged
from filters.minilm import GRAPH, MiniLM, export
from filters.text import PromptClassifier
from filters.weights import load_weights
from service.policy_book import Policy
from service.wiring import DEFAULT_POLICY, policy


@dataclass(frozen=True, slots=True)
class Shipped:
    """What is judged with."""

    classifier: PromptClassifier
    policy: Policy


class Jury:
    """Judges every text once, however many rows have it."""

    def __init__(self, read: Read, standing: Policy) -> None:
        self.read = read
        self._judged = lru_cache(maxsize=200_000)(lambda text: judged(text, read, standing))

    def __call__(self, text: str) -> Judged:
        return self._judged(text)


def shipped(cache: Path | None) -> Shipped:
    """Return the packaged filter and policy.

    Args:
        cache: where the encoder is, or is to be exported; a folder that goes away if None.

    Raises:
        FilterError: the weights or the encoder are not those we pinned.
    """
    with tempfile.TemporaryDirectory() as fresh:
        folder = cache or Path(fresh)
        if not (folder / GRAPH).exists():
            export(folder)
        classifier = PromptClassifier(load_weights(), MiniLM(folder))
    return Shipped(classifier, policy(DEFAULT_POLICY.read_bytes()))
