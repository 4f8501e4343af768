"""One logged decision, judged again from what its leaf says."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import cast

import msgspec

from service.decision import (
    Circumstances,
    Gate,
    Mode,
    Observation,
    PolicyRef,
    Purpose,
    Reason,
    Stage,
    Verdict,
    strictest,
)
from service.judge import MISSING, IsCleared, Judged, cleared_as, judge
from service.policy_book import Policy

_MISSING = MISSING.encode()
VERDICTS = {verdict.word: verdict for verdict in Verdict}


class NotReplayable(Exception):
    """The entry is no whole decision of a form that this version reads."""


class _Seen(msgspec.Struct, frozen=True):
    """An observation without its place, which a leaf does not have for texts."""

    id: str
    gate: Gate
    detector: str
    category: str
    surface: str
    param: str
    score: float
    matched: tuple[str, ...] = ()
    index: str = ""
    place: None = None


class _Reason(msgspec.Struct, frozen=True):
    code: str
    verdict: str
    rule: str
    observation: str
    score: float
    threshold: float
    joined: tuple[str, ...] = ()


class _Facts(msgspec.Struct):
    decision: str
    verdict: str
    mode: Mode
    stage: Stage
    policy: PolicyRef
    observations: tuple[_Seen, ...]
    reasons: tuple[_Reason, ...]
    cleared: tuple[str, ...] = ()
    plan: str = ""
    territory: str = ""
    purpose: Purpose = Purpose.UNSTATED


class _Leaf(msgspec.Struct):
    type: str
    at: str
    project: str
    facts: _Facts


_decode: Callable[[bytes], _Leaf] = msgspec.json.Decoder(_Leaf).decode


@lru_cache(maxsize=4096)
def _circumstances(project: str, plan: str, territory: str, purpose: Purpose) -> Circumstances:
    return Circumstances(project, plan, territory, purpose)


class Past(msgspec.Struct, frozen=True):
    """A decision as it was logged, and all that it was judged from.

    Attributes:
        codes: of the reasons that stood.
        misses: whether an observation may say that a required gate said nothing.
    """

    decision: str
    project: str
    stage: Stage
    mode: Mode
    verdict: Verdict
    codes: frozenset[str]
    policy: PolicyRef
    leaf: _Leaf
    misses: bool

    def judged(self, by: Policy) -> Judged:
        """Return what `by` makes of the same observations, circumstances, time and clearances."""
        facts = self.leaf.facts
        cleared = frozenset(facts.cleared)
        is_cleared: IsCleared | None = (
            (lambda reason: cleared_as(reason) in cleared) if cleared else None
        )
        seen = facts.observations
        if self.misses:
            # A gate that one policy missed need not be required by the other; it says so itself.
            seen = tuple([one for one in seen if one.detector != MISSING])
        return judge(
            # It has every field that is judged by; making 50,000 a second of the other kind costs
            # more than judging them.
            cast("tuple[Observation, ...]", seen),
            by,
            stage=facts.stage,
            circumstances=_circumstances(self.project, facts.plan, facts.territory, facts.purpose),
            at=datetime.fromisoformat(self.leaf.at),
            is_cleared=is_cleared,
        )

    def is_exactly(self, judged: Judged) -> bool:
        """Whether `judged` is what was logged, to the bit: verdict, reasons, clearances, order."""
        facts = self.leaf.facts
        return (
            strictest(judged.reasons) is self.verdict
            and tuple(map(_said, judged.reasons)) == facts.reasons
            and judged.cleared == facts.cleared
            and [one.id for one in judged.seen] == [one.id for one in facts.observations]
        )


def past(leaf: bytes) -> Past:
    """Return the decision in a leaf.

    Raises:
        NotReplayable: it is another entry, or of a form that this version does not read.
    """
    try:
        found = _decode(leaf)
    except msgspec.MsgspecError as broken:
        raise NotReplayable(str(broken).partition(" - ")[0]) from None
    facts = found.facts
    verdict = VERDICTS.get(facts.verdict)
    if found.type != "decision.made" or verdict is None:
        raise NotReplayable("this is no decision")
    return Past(
        facts.decision,
        found.project,
        facts.stage,
        facts.mode,
        verdict,
        frozenset([reason.code for reason in facts.reasons]),
        facts.policy,
        found,
        _MISSING in leaf,
    )


def _said(reason: Reason) -> _Reason:
    return _Reason(
        reason.code,
        reason.verdict.word,
        reason.rule,
        reason.observation,
        float(reason.score),
        float(reason.threshold),
        reason.joined,
    )
