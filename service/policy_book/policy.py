"""A policy as values: which observations, above which scores, lead to which verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from math import inf

from service.decision import (
    Circumstances,
    Gate,
    Observation,
    Owner,
    PolicyRef,
    Purpose,
    Stage,
    Verdict,
)

NEVER = "never"
ANY_SURFACE = "default"
UNAVAILABLE = "policy.unavailable"
"""A check could not be made: always a rule, always fixed, and always at least a hold."""


# Far more than a build has; old logs and hostile rows may name others.
_MOST_KINDS = 4096


class PolicyRefused(Exception):
    """The document is not a whole policy; the message says where and what to change."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on to hold and to block; None is never."""

    hold: float | None
    block: float | None

    def verdict(self, score: float) -> tuple[Verdict, float]:
        """Return the verdict for `score` and the threshold that decided it (0.0 on allow)."""
        if self.block is not None and score >= self.block:
            return Verdict.BLOCK, self.block
        if self.hold is not None and score >= self.hold:
            return Verdict.HOLD, self.hold
        return Verdict.ALLOW, 0.0

    def is_looser_than(self, other: "Thresholds") -> bool:
        """Whether some score gets a milder verdict here than there."""
        return _above(self.block, other.block) or _above(_stops(self), _stops(other))


@dataclass(frozen=True, slots=True)
class RuleException:
    """Other thresholds for some requests. What is empty is no condition.

    Attributes:
        until: the last day, UTC, on which it counts; None for ever.
    """

    thresholds: Thresholds
    surfaces: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    territories: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    until: date | None = None

    def applies(self, surface: str, to: Circumstances, at: datetime) -> bool:
        """Whether it counts for an observation on `surface` of such a request at that moment."""
        return (
            (not self.surfaces or surface in self.surfaces)
            and (not self.projects or to.project in self.projects)
            and (not self.territories or to.territory in self.territories)
            and (not self.plans or to.plan in self.plans)
            and (not self.purposes or to.purpose in self.purposes)
            and (self.until is None or at.date() <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What one category of observation means, and what to tell whoever is refused.

    Attributes:
        thresholds: by surface, `default` for those that are not named.
        exceptions: the first that applies counts, in the order of the document.
        fixed: no exception, no review of a block and no appeal loosens it.
    """

    id: str
    category: str
    owner: Owner
    message: str
    remedy: str
    thresholds: Mapping[str, Thresholds]
    exceptions: tuple[RuleException, ...] = ()
    fixed: bool = False

    def thresholds_on(
        self, surface: str, to: Circumstances | None = None, at: datetime | None = None
    ) -> Thresholds:
        """Return the thresholds for `surface`, of such a request at that moment if one is given."""
        if self.exceptions and to is not None and at is not None:
            for one in self.exceptions:
                if one.applies(surface, to, at):
                    return one.thresholds
        return self.thresholds.get(surface) or self.thresholds[ANY_SURFACE]

    def verdict(
        self,
        score: float,
        surface: str,
        to: Circumstances | None = None,
        at: datetime | None = None,
    ) -> tuple[Verdict, float]:
        """Return the verdict for `score` and the threshold that decided it (0.0 on allow)."""
        return self.thresholds_on(surface, to, at).verdict(score)


class Parts(StrEnum):
    """Where the observations of a join have to be, by their `param`."""

    ANYWHERE = "anywhere"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Joined:
    """One of the observations that a join needs: of these categories and surfaces, that strong.

    Attributes:
        surfaces: empty for any.
        at_least: 0..1.
    """

    categories: frozenset[str]
    surfaces: frozenset[str]
    at_least: float


@dataclass(frozen=True, slots=True)
class Join:
    """A rule over several observations; it only ever makes stricter."""

    id: str
    code: str
    owner: Owner
    message: str
    remedy: str
    verdict: Verdict
    parts: Parts
    all_of: tuple[Joined, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The rule that a kind of observation is asked about.

    Attributes:
        limits: its thresholds, where they are the same for every request; else None.
        is_unknown: the rule is that for what could not be checked, whatever the score.
    """

    rule: Rule
    limits: Thresholds | None
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy.

    Attributes:
        rules: by category.
        requires: the gates that must have looked at each stage.
        detectors: names of those it was written for, `name` or `name@version`; what another one
            reports is held.
    """

    ref: PolicyRef
    rules: Mapping[str, Rule]
    requires: Mapping[Stage, frozenset[Gate]]
    joins: tuple[Join, ...] = ()
    detectors: frozenset[str] = frozenset()
    _looked_up: dict[tuple[str, str, str], Asked] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _floors: dict[tuple[str, str, str], float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _hints: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note from which score on a category can be part of a join."""
        for part in (part for join in self.joins for part in join.all_of):
            for category in part.categories:
                self._hints[category] = min(self._hints.get(category, inf), part.at_least)

    def heard(self, seen: Sequence[Observation]) -> list[Observation]:
        """Return those that may lead to a reason, by a rule of their own, in order: mostly none."""
        floors, heard = self._floors, []
        for one in seen:
            floor = floors.get((one.category, one.surface, one.detector))
            if floor is None:
                floor = self._floor(one.category, one.surface, one.detector)
            if one.score >= floor:
                heard.append(one)
        return heard

    def hints(self, seen: Sequence[Observation]) -> list[Observation]:
        """Return those that may be part of a join, in order."""
        floor_of = self._hints.get
        return [one for one in seen if one.score >= floor_of(one.category, inf)]

    def _floor(self, category: str, surface: str, detector: str) -> float:
        """Return the score under which such an observation means nothing to anybody."""
        asked = self.asked(category, surface, detector)
        limits = (
            asked.rule.thresholds_on(surface),
            *(one.thresholds for one in asked.rule.exceptions),
        )
        stops = [stop for one in limits if (stop := _stops(one)) is not None]
        floor = -inf if asked.is_unknown else min(stops, default=inf)
        if len(self._floors) >= _MOST_KINDS:
            self._floors.clear()
        self._floors[category, surface, detector] = floor
        return floor

    def asked(self, category: str, surface: str, detector: str) -> Asked:
        """Return which rule an observation is asked about; looked up once for each kind.

        What no rule or no detector of the policy's stands for is asked about the rule for what
        could not be checked: nothing is allowed that nobody has thought of.
        """
        key = (category, surface, detector)
        found = self._looked_up.get(key)
        if found is None:
            if len(self._looked_up) >= _MOST_KINDS:
                self._looked_up.clear()
            found = self._looked_up[key] = self._ask(category, surface, detector)
        return found

    def _ask(self, category: str, surface: str, detector: str) -> Asked:
        rule = self.rules.get(category)
        if rule is None or (category != UNAVAILABLE and not self.knows(detector)):
            rule = self.rules[UNAVAILABLE]
            return Asked(rule, rule.thresholds_on(surface), is_unknown=True)
        return Asked(rule, None if rule.exceptions else rule.thresholds_on(surface))

    def rule_for(self, category: str) -> Rule:
        """Return the rule for a category of this build; loading made sure that there is one."""
        return self.rules[category]

    def is_fixed(self, code: str) -> bool:
        """Whether nothing loosens the rule behind a reason's code. An unknown one is."""
        rule = self.rules.get(code)
        if rule is not None:
            return rule.fixed
        joins = [join for join in self.joins if join.code == code]
        return not joins or any(self._is_over_fixed(join) for join in joins)

    def _is_over_fixed(self, join: Join) -> bool:
        """Whether one of the rules that it draws together is fixed: then it is fixed itself."""
        categories = {category for part in join.all_of for category in part.categories}
        return any(rule.fixed for name in categories if (rule := self.rules.get(name)) is not None)

    def knows(self, detector: str) -> bool:
        """Whether it was written for this detector, in this version."""
        return detector in self.detectors or detector.partition("@")[0] in self.detectors


def _stops(limits: Thresholds) -> float | None:
    """Return from which score on anything but allow comes."""
    known = [one for one in (limits.hold, limits.block) if one is not None]
    return min(known, default=None)


def _above(one: float | None, other: float | None) -> bool:
    return other is not None and (one is None or one > other)
