"""What the shipped policy makes of a text, as the service would be told."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from filters.finding import Category, Finding, NothingToLookAt, Surface
from service.decision import Verdict
from service.policy_book import Policy
from service.reasons import category_of
from service.request import BadRequest, checked_prompt

Read = Callable[[str], Sequence[Finding]]
# The furthest that a score of four decimals can be from even odds.
_EDGE = 1e-4


class Outcome(StrEnum):
    """What happens to a prompt. The last two are no answer to what it says."""

    ALLOWED = "allowed"
    HELD = "held"
    BLOCKED = "blocked"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    NO_PROMPT = "no_prompt"


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome for one text.

    Attributes:
        severity: how far the worst score is beyond its threshold for a block, in log-odds.
        reasons: the categories that hold or block it.
    """

    outcome: Outcome
    severity: float
    reasons: frozenset[str]

    @property
    def stopped(self) -> bool:
        """Whether nothing would be made of it before a person has looked."""
        return self.outcome is not Outcome.ALLOWED


def judged(text: str, read: Read, policy: Policy) -> Judged:
    """Return what `policy` says about `text`: the filters' part of it, on the prompt's surface.

    Held for its language alone is an outcome of its own: nobody has judged what it says.
    """
    try:
        findings = read(checked_prompt(text))
    except (BadRequest, NothingToLookAt):
        return Judged(Outcome.NO_PROMPT, -math.inf, frozenset())
    verdict, severity = Verdict.ALLOW, -math.inf
    reasons = set()
    for one in findings:
        rule = policy.rule_for(category_of(one.category))
        met, _ = rule.verdict(one.score, Surface.PROMPT.value)
        block = rule.thresholds_on(Surface.PROMPT.value).block
        if block is not None:
            severity = max(severity, _log_odds(one.score) - _log_odds(block))
        if met is not Verdict.ALLOW:
            reasons.add(one.category.value)
        verdict = max(verdict, met)
    return Judged(_outcome(verdict, reasons), severity, frozenset(reasons))


def _outcome(verdict: Verdict, reasons: set[str]) -> Outcome:
    if verdict is Verdict.BLOCK:
        return Outcome.BLOCKED
    if Category.LANGUAGE.value in reasons:
        return Outcome.UNSUPPORTED_LANGUAGE
    return Outcome.HELD if verdict is Verdict.HOLD else Outcome.ALLOWED


def _log_odds(score: float) -> float:
    inside = min(max(score, _EDGE), 1 - _EDGE)
    return math.log(inside / (1 - inside))
