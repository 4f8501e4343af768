"""What a whole policy says that its author may not have meant."""

from collections.abc import Iterator
from datetime import date, timedelta

from service.policy_book.policy import Policy, Rule, RuleException

_LONG = timedelta(days=366)


def warnings(policy: Policy, today: date) -> tuple[str, ...]:
    """Return sentences about parts that have no effect, or last longer than one would think."""
    return (*_of_rules(policy, today), *_of_joins(policy))


def _of_rules(policy: Policy, today: date) -> Iterator[str]:
    for rule in policy.rules.values():
        for surface, limits in rule.thresholds.items():
            if limits.hold is not None and limits.hold == limits.block:
                yield f"rule {rule.id} on {surface}: hold is block, so nothing is ever held"
        for number, one in enumerate(rule.exceptions):
            for said in _of_exception(rule, number, one, today):
                yield f"rule {rule.id}, exception {number + 1}: {said}"


def _of_exception(rule: Rule, number: int, one: RuleException, today: date) -> Iterator[str]:
    if one.until is not None and one.until < today:
        yield f"it ended on {one.until.isoformat()} and has no effect"
    if one.until is not None and one.until > today + _LONG:
        yield f"it lasts until {one.until.isoformat()}, over a year"
    if any(_covers(earlier, one) for earlier in rule.exceptions[:number]):
        yield "an exception before it applies wherever it does, so it has no effect"


def _covers(wide: RuleException, narrow: RuleException) -> bool:
    """Whether `wide` applies wherever and whenever `narrow` does."""
    if wide.until is not None and (narrow.until is None or narrow.until > wide.until):
        return False
    names = ("surfaces", "projects", "territories", "plans", "purposes")
    return all(
        not getattr(wide, name)
        or (getattr(narrow, name) and getattr(narrow, name) <= getattr(wide, name))
        for name in names
    )


def _of_joins(policy: Policy) -> Iterator[str]:
    for join in policy.joins:
        for part in join.all_of:
            # What blocks by itself anyway never needed the others.
            alone = [
                category
                for category in sorted(part.categories)
                if policy.rules[category].verdict(part.at_least, "default")[0] >= join.verdict
            ]
            if alone:
                yield (
                    f"join {join.id}: {', '.join(alone)} from {part.at_least:g} is "
                    f"{join.verdict.word} by itself"
                )
