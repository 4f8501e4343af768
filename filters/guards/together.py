"""The prompt filter and the guards beside it, as one judge of texts."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from filters.finding import Category, Finding, Surface
from filters.guards.guard import Guard
from filters.languages import ENGLISH, spoken

Read = Callable[[str, Surface], Sequence[Finding]]


class Guarded:
    """Asks the prompt filter about every text, and each guard about those it can read.

    A language that a guard reads is supported: what the gate says of it is no finding any more once
    that guard has answered. A stretch that nobody can name is in no guard's list.

    Args:
        own: the prompt filter, which reads English.
    """

    def __init__(self, own: Read, guards: Sequence[Guard]) -> None:
        self._own = own
        self._guards = tuple(guards)

    def read(self, text: str, surface: Surface = Surface.PROMPT) -> list[Finding]:
        """Return what all say.

        Raises:
            FilterError: one of them could not tell; then nobody's answer counts.
        """
        languages = spoken(text).languages
        findings = list(self._own(text, surface))
        read = {ENGLISH}
        for guard in self._guards:
            if surface in guard.surfaces and languages & guard.languages:
                findings += guard.read(text, surface)
                read |= guard.languages
        if languages <= read:
            return [_supported(finding) for finding in findings]
        return findings


def _supported(finding: Finding) -> Finding:
    return replace(finding, score=0.0) if finding.category is Category.LANGUAGE else finding
