"""What one policy changes against another, said in meanings."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from service.decision import Stage
from service.policy_book.policy import (
    ANY_SURFACE,
    Join,
    Joined,
    Policy,
    Rule,
    RuleException,
    Thresholds,
)


class Direction(StrEnum):
    """Whether more or fewer requests are stopped by a change."""

    STRICTER = "stricter"
    LOOSER = "looser"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a sentence without its full stop."""

    sentence: str
    direction: Direction


def difference(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return what `new` changes; nothing where both mean the same."""
    return (
        *_requirements(old, new),
        *_rules(old, new),
        *_joins(old, new),
        *_detectors(old, new),
    )


def _requirements(old: Policy, new: Policy) -> Iterator[Change]:
    for stage in Stage:
        before, after = (one.requires.get(stage, frozenset()) for one in (old, new))
        for gate in sorted(after - before):
            yield Change(f"{gate.value} is required at {stage.value}", Direction.STRICTER)
        for gate in sorted(before - after):
            said = f"{gate.value} is not required at {stage.value} any more"
            yield Change(said, Direction.LOOSER)


def _rules(old: Policy, new: Policy) -> Iterator[Change]:
    for category in sorted(old.rules.keys() | new.rules.keys()):
        before, after = old.rules.get(category), new.rules.get(category)
        if after is None:
            yield Change(f"there is no rule for {category} any more", Direction.STRICTER)
        elif before is None:
            yield Change(f"there is a rule for {category}", Direction.NEITHER)
        else:
            yield from _rule(before, after)


def _rule(old: Rule, new: Rule) -> Iterator[Change]:
    name = old.category
    for surface in sorted(old.thresholds.keys() | new.thresholds.keys(), key=_default_first):
        where = name if surface == ANY_SURFACE else f"{name} on {surface}"
        before, after = old.thresholds_on(surface), new.thresholds_on(surface)
        if before != after:
            yield Change(f"{where}: {_limits(before, after)}", _direction(before, after))
    if old.fixed != new.fixed:
        said = "cannot be loosened by anybody" if new.fixed else "can be loosened"
        yield Change(f"{name} {said}", Direction.STRICTER if new.fixed else Direction.LOOSER)
    if old.exceptions != new.exceptions:
        yield from _exceptions(old, new)
    for word in ("id", "owner", "message", "remedy"):
        if getattr(old, word) != getattr(new, word):
            said = f"{name}: its {word} reads {getattr(new, word)!r}"
            yield Change(said, Direction.NEITHER)


def _exceptions(old: Rule, new: Rule) -> Iterator[Change]:
    gone = [one for one in old.exceptions if one not in new.exceptions]
    come = [one for one in new.exceptions if one not in old.exceptions]
    for one in gone:
        looser = any(one.thresholds.is_looser_than(each) for each in new.thresholds.values())
        said = f"{new.category}: no exception {_case(one)} any more"
        yield Change(said, Direction.STRICTER if looser else Direction.LOOSER)
    for one in come:
        looser = any(one.thresholds.is_looser_than(each) for each in new.thresholds.values())
        said = f"{new.category} {_case(one)}: {_said(one.thresholds)}"
        yield Change(said, Direction.LOOSER if looser else Direction.STRICTER)
    if not gone and not come:
        said = f"{new.category}: its exceptions are asked in another order"
        yield Change(said, Direction.NEITHER)


def _joins(old: Policy, new: Policy) -> Iterator[Change]:
    before, after = ({join.code: join for join in one.joins} for one in (old, new))
    for code in sorted(before.keys() | after.keys()):
        if code not in after:
            yield Change(f"{code}: the rule {_needs(before[code])} is gone", Direction.LOOSER)
        elif code not in before:
            said = f"{code}: a new rule {_needs(after[code])} {_does(after[code])}"
            yield Change(said, Direction.STRICTER)
        elif before[code] != after[code]:
            said = f"{code}: the rule is now {_needs(after[code])} {_does(after[code])}"
            yield Change(said, _of_join(before[code], after[code]))


def _of_join(old: Join, new: Join) -> Direction:
    if old.verdict != new.verdict and old.all_of == new.all_of and old.parts == new.parts:
        return Direction.STRICTER if new.verdict > old.verdict else Direction.LOOSER
    return Direction.NEITHER


def _detectors(old: Policy, new: Policy) -> Iterator[Change]:
    for name in sorted(new.detectors - old.detectors):
        yield Change(f"what {name} reports is judged, not held", Direction.LOOSER)
    for name in sorted(old.detectors - new.detectors):
        yield Change(f"what {name} reports is held, whatever it is", Direction.STRICTER)


def _direction(old: Thresholds, new: Thresholds) -> Direction:
    looser, stricter = new.is_looser_than(old), old.is_looser_than(new)
    if looser == stricter:
        return Direction.NEITHER
    return Direction.LOOSER if looser else Direction.STRICTER


def _limits(old: Thresholds, new: Thresholds) -> str:
    told = [
        _limit(word, before, after)
        for word, before, after in (("hold", old.hold, new.hold), ("block", old.block, new.block))
        if before != after
    ]
    return ", ".join(told)


def _limit(word: str, old: float | None, new: float | None) -> str:
    if new is None:
        return f"no {word} any more (was from {old:g})"
    return f"{word} from {new:g}" + ("" if old is None else f" instead of {old:g}")


def _said(limits: Thresholds) -> str:
    told = [
        f"{word} from {limit:g}" if limit is not None else f"no {word}"
        for word, limit in (("hold", limits.hold), ("block", limits.block))
    ]
    return ", ".join(told)


def _case(one: RuleException) -> str:
    told = [
        f"{word} {', '.join(sorted(str(each) for each in values))}"
        for word, values in (
            ("on", one.surfaces),
            ("for", one.projects),
            ("in", one.territories),
            ("under the plan", one.plans),
            ("for the purpose", one.purposes),
        )
        if values
    ]
    return " ".join(told) + (f" until {one.until.isoformat()}" if one.until else "")


def _needs(join: Join) -> str:
    where = {"anywhere": "", "same": " in one part", "different": " in different parts"}
    return f"over {' and '.join(_part(one) for one in join.all_of)}{where[join.parts]}"


def _part(one: Joined) -> str:
    on = f" on {' or '.join(sorted(one.surfaces))}" if one.surfaces else ""
    return f"{' or '.join(sorted(one.categories))}{on} from {one.at_least:g}"


def _does(join: Join) -> str:
    return f"{join.verdict.word}s"


def _default_first(surface: str) -> tuple[bool, str]:
    return surface != ANY_SURFACE, surface
