"""A policy: which observation, above which score, leads to which verdict, in whose name.

A document of YAML, addressed by its SHA-256. It refuses to load when it is not whole: a category
without a rule, a rule for a category nobody reports, a missing threshold, an unknown key.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.decision import Gate, Owner, PolicyRef, Stage, Verdict

NEVER = "never"
ANY_SURFACE = "default"


class PolicyRefused(Exception):
    """The document is not a whole policy; the message says where and what to change."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on to hold and to block; None is never."""

    hold: float | None
    block: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What one category of observation means, and what to tell whoever is refused."""

    id: str
    category: str
    owner: Owner
    message: str
    remedy: str
    thresholds: tuple[tuple[str, Thresholds], ...]

    def thresholds_on(self, surface: str) -> Thresholds:
        """Return the thresholds for `surface`, or the default ones."""
        by_surface = dict(self.thresholds)
        return by_surface.get(surface, by_surface[ANY_SURFACE])

    def verdict(self, score: float, surface: str) -> tuple[Verdict, float]:
        """Return the verdict for `score` and the threshold that decided it (0.0 on allow)."""
        limits = self.thresholds_on(surface)
        if limits.block is not None and score >= limits.block:
            return Verdict.BLOCK, limits.block
        if limits.hold is not None and score >= limits.hold:
            return Verdict.HOLD, limits.hold
        return Verdict.ALLOW, 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. `requires` lists the gates that must have looked at each stage."""

    ref: PolicyRef
    rules: dict[str, Rule]
    requires: dict[Stage, frozenset[Gate]]

    def rule_for(self, category: str) -> Rule:
        """Return the rule for `category`; loading made sure that there is one."""
        return self.rules[category]


_Score = Annotated[float, Field(ge=0, le=1)]


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    hold: _Score | Literal["never"]
    block: _Score | Literal["never"]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=3)
    category: str
    owner: Owner
    message: str = Field(min_length=10)
    remedy: str = Field(min_length=5)
    thresholds: dict[str, _Limits]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1)
    version: str = Field(min_length=1)
    # Every film carries the mark; a policy that leaves it out would promise something else.
    conditions: list[Literal["visible_mark"]] = Field(min_length=1)
    requires: dict[Stage, list[Gate]]
    rules: list[_Rule] = Field(min_length=1)


def load(document: bytes, *, categories: frozenset[str], surfaces: frozenset[str]) -> Policy:
    """Return the policy in `document`.

    Args:
        document: YAML, UTF-8.
        categories: everything the detectors may report; each needs a rule.
        surfaces: where they may report it.

    Raises:
        PolicyRefused: the document is not whole.
    """
    try:
        parsed = _Document.model_validate(yaml.safe_load(document))
    except yaml.YAMLError as broken:
        raise PolicyRefused(f"not YAML: {broken}") from broken
    except ValidationError as broken:
        first = broken.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PolicyRefused(f"{where or 'document'}: {first['msg']}") from broken
    _complete(parsed, categories, surfaces)
    ref = PolicyRef(parsed.id, parsed.version, hashlib.sha256(document).hexdigest())
    return Policy(
        ref=ref,
        rules={rule.category: _rule(rule) for rule in parsed.rules},
        requires={stage: frozenset(gates) for stage, gates in parsed.requires.items()},
    )


def _complete(parsed: _Document, categories: frozenset[str], surfaces: frozenset[str]) -> None:
    named = [rule.category for rule in parsed.rules]
    problems = [
        *(f"no detector reports the category {name!r}" for name in named if name not in categories),
        *(f"two rules for the category {name!r}" for name in set(named) if named.count(name) > 1),
        *(f"no rule for the category {name!r}" for name in sorted(categories - set(named))),
        *(
            f"rule {rule.id}: no threshold for {ANY_SURFACE!r}"
            for rule in parsed.rules
            if ANY_SURFACE not in rule.thresholds
        ),
        *(
            f"rule {rule.id}: unknown surface {surface!r}"
            for rule in parsed.rules
            for surface in sorted(set(rule.thresholds) - surfaces - {ANY_SURFACE})
        ),
        *(
            f"requires: no gate for the stage {stage.value!r}"
            for stage in (Stage.REQUEST, Stage.OUTPUT, Stage.RELEASE)
            if not parsed.requires.get(stage)
        ),
    ]
    if problems:
        raise PolicyRefused("; ".join(problems))


def _rule(rule: _Rule) -> Rule:
    return Rule(
        id=rule.id,
        category=rule.category,
        owner=rule.owner,
        message=rule.message,
        remedy=rule.remedy,
        thresholds=tuple(
            (surface, Thresholds(_number(limits.hold), _number(limits.block)))
            for surface, limits in rule.thresholds.items()
        ),
    )


def _number(limit: float | Literal["never"]) -> float | None:
    return None if limit == NEVER else float(limit)
