"""What a back-test found: who would have been answered otherwise, and how sure that is."""

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.backtests.replaying import Past
from service.decision import Verdict

# Of the normal distribution: 95 % lie within.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`many` of `of`, with the Wilson 95 % interval (Wilson 1927) for what it stands for."""

    many: int
    of: int
    low: float
    high: float


def share(many: int, of: int) -> Share:
    """Return a share with its interval; of nothing, it may be anything."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    rate, weight = many / of, _Z * _Z / of
    middle = (rate + weight / 2) / (1 + weight)
    half = _Z * math.sqrt(rate * (1 - rate) / of + weight / (4 * of)) / (1 + weight)
    return Share(many, of, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Example:
    """A decision that would have been another."""

    index: int
    decision: str


@dataclass(frozen=True, slots=True)
class Flip:
    """Decisions that went from one verdict to another."""

    before: Verdict
    after: Verdict
    share: Share
    examples: tuple[Example, ...]


@dataclass(slots=True)
class Flips:
    """Counts flips as decisions come.

    Attributes:
        examples: how many of each kind to keep; which ones is chosen by hash, so that the same
            question names the same.
        appearing, disappearing: how often a reason's code came or went, flip or not.
    """

    examples: int
    judged: int = 0
    by_verdict: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    by_project: Counter[tuple[str, Verdict, Verdict]] = field(default_factory=Counter)
    by_stage: Counter[tuple[str, Verdict, Verdict]] = field(default_factory=Counter)
    appearing: Counter[str] = field(default_factory=Counter)
    disappearing: Counter[str] = field(default_factory=Counter)
    _kept: dict[tuple[Verdict, Verdict], list[tuple[int, int, str]]] = field(default_factory=dict)

    def add(
        self, index: int, one: Past, before: Verdict, after: Verdict, codes: frozenset[str]
    ) -> None:
        """Count one decision that was judged again; `codes` are those of its reasons now."""
        self.judged += 1
        if codes != one.codes:
            self.appearing.update(codes - one.codes)
            self.disappearing.update(one.codes - codes)
        if before is after:
            return
        self.by_verdict[before, after] += 1
        self.by_project[one.project, before, after] += 1
        self.by_stage[one.stage.value, before, after] += 1
        kept = self._kept.setdefault((before, after), [])
        rank = -int.from_bytes(hashlib.sha256(one.decision.encode()).digest()[:8], "big")
        (heapq.heappush if len(kept) < self.examples else heapq.heappushpop)(
            kept, (rank, index, one.decision)
        )

    def flips(self) -> tuple[Flip, ...]:
        """Return what changed, the commonest first."""
        return tuple(
            Flip(*pair, share(many, self.judged), self._examples(pair))
            for pair, many in sorted(self.by_verdict.items(), key=lambda one: (-one[1], one[0]))
        )

    def _examples(self, pair: tuple[Verdict, Verdict]) -> tuple[Example, ...]:
        kept = self._kept.get(pair, [])[: self.examples] if self.examples else []
        return tuple(Example(index, decision) for _, index, decision in sorted(kept))


def counted(counts: Mapping[tuple[str, Verdict, Verdict], int]) -> dict[str, dict[str, int]]:
    """Return counts of flips by name, as `{"prj_1": {"allow to hold": 3}}`."""
    told: dict[str, dict[str, int]] = {}
    for (name, before, after), many in sorted(counts.items()):
        told.setdefault(name, {})[f"{before.word} to {after.word}"] = many
    return told
