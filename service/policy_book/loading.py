"""From a document to a policy, or to everything that is wrong with it, line by line."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from service.decision import PolicyRef, Stage, Verdict
from service.policy_book.document import ExceptionForm, Form, JoinForm, RuleForm
from service.policy_book.policy import (
    ANY_SURFACE,
    NEVER,
    UNAVAILABLE,
    Join,
    Joined,
    Parts,
    Policy,
    PolicyRefused,
    Rule,
    RuleException,
    Thresholds,
)
from service.policy_book.reading import Lines, NotYaml, Path, read

_STAGES = (Stage.REQUEST, Stage.OUTPUT, Stage.RELEASE)
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Build:
    """What this build of the service can report: a policy has to have an answer to all of it."""

    categories: frozenset[str]
    surfaces: frozenset[str]
    detectors: frozenset[str]
    optional: frozenset[str] = frozenset()


def load(
    document: bytes,
    *,
    categories: frozenset[str],
    surfaces: frozenset[str],
    detectors: frozenset[str],
    optional: frozenset[str] = frozenset(),
) -> Policy:
    """Return the policy in `document`.

    Args:
        document: YAML, UTF-8.
        categories: everything the detectors may report; each needs a rule.
        surfaces: where they may report it.
        detectors: names of those that this build can ask, without versions; each is listed.
        optional: names of those that are there only where the settings say so; any may be listed.

    Raises:
        PolicyRefused: the document is not whole; the message says all that is wrong, with lines.
    """
    try:
        plain, lines = read(document)
    except NotYaml as broken:
        raise PolicyRefused(str(broken)) from broken
    try:
        form = Form.model_validate(plain)
    except ValidationError as broken:
        raise PolicyRefused(_sentences(_of_form(broken, lines))) from None
    problems = sorted(_problems(form, Build(categories, surfaces, detectors, optional), lines))
    if problems:
        raise PolicyRefused(_sentences(problems))
    return Policy(
        ref=PolicyRef(form.id, form.version, hashlib.sha256(document).hexdigest()),
        rules={rule.category: _rule(rule) for rule in form.rules},
        requires={stage: frozenset(gates) for stage, gates in form.requires.items()},
        joins=tuple(_join(join) for join in form.joins),
        detectors=frozenset(form.detectors),
    )


Problem = tuple[int, str]


def _sentences(problems: list[Problem]) -> str:
    said = [f"line {line}: {what}" for line, what in problems[:_MOST_NAMED]]
    more = len(problems) - len(said)
    return "; ".join([*said, f"and {more} more"] if more else said)


def _of_form(broken: ValidationError, lines: Lines) -> list[Problem]:
    found = []
    for one in broken.errors(include_url=False, include_input=False):
        # Which of two forms a value was tried as says nothing to its author.
        path = tuple(part for part in one["loc"] if not str(part).startswith("literal["))
        path = tuple(part for part in path if part not in {"float", "constrained-float"})
        where = ".".join(str(part) for part in path) or "document"
        found.append((lines.at(path), f"{where}: {one['msg']}"))
    return sorted(set(found))


def _problems(form: Form, build: Build, lines: Lines) -> Iterator[Problem]:
    yield from _of_categories(form, build, lines)
    yield from _of_detectors(form, build, lines)
    for stage in _STAGES:
        if not form.requires.get(stage):
            yield lines.at(("requires", stage)), f"no gate for the stage {stage.value!r}"
    for number, rule in enumerate(form.rules):
        yield from _of_rule(rule, build, lines, ("rules", number))
    ids = [rule.id for rule in form.rules] + [join.id for join in form.joins]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        yield 1, f"two rules have the id {twice!r}"
    for number, join in enumerate(form.joins):
        yield from _of_join(join, build, lines, ("joins", number))
    codes = [join.code for join in form.joins]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield lines.at(("joins",)), f"two joins have the code {code!r}"


def _of_categories(form: Form, build: Build, lines: Lines) -> Iterator[Problem]:
    named = [rule.category for rule in form.rules]
    for number, name in enumerate(named):
        line = lines.at(("rules", number, "category"))
        if name not in build.categories:
            yield line, f"no detector reports the category {name!r}"
        if named.index(name) < number:
            yield line, f"two rules for the category {name!r}"
    for name in sorted(build.categories - set(named)):
        yield lines.at(("rules",)), f"no rule for the category {name!r}"


def _of_detectors(form: Form, build: Build, lines: Lines) -> Iterator[Problem]:
    named = {detector.partition("@")[0] for detector in form.detectors}
    for number, detector in enumerate(form.detectors):
        if detector.partition("@")[0] not in build.detectors | build.optional:
            line = lines.at(("detectors", number))
            yield line, f"the detector {detector!r} cannot be reached here: remove it or install it"
    for name in sorted(build.detectors - named):
        yield (
            lines.at(("detectors",)),
            f"the detector {name!r} is not listed, so all it reports would be held: list it",
        )


def _of_rule(rule: RuleForm, build: Build, lines: Lines, path: Path) -> Iterator[Problem]:
    line = lines.at(path)
    if ANY_SURFACE not in rule.thresholds:
        yield line, f"rule {rule.id}: no threshold for {ANY_SURFACE!r}"
    for surface, limits in rule.thresholds.items():
        at = lines.at((*path, "thresholds", surface))
        if surface not in build.surfaces | {ANY_SURFACE}:
            yield at, f"rule {rule.id}: unknown surface {surface!r}"
        yield from _of_order(rule.id, _limits(limits.hold, limits.block), at)
    if rule.category == UNAVAILABLE and not _always_holds(rule):
        yield line, f"rule {rule.id}: what could not be checked is held: fixed, with hold at most 1"
    if rule.fixed and rule.exceptions:
        yield line, f"rule {rule.id} is fixed and has exceptions: remove one or the other"
    if ANY_SURFACE in rule.thresholds:
        for number, one in enumerate(rule.exceptions):
            at = lines.at((*path, "exceptions", number))
            yield from ((at, f"rule {rule.id}: {said}") for said in _of_exception(rule, one, build))


def _always_holds(rule: RuleForm) -> bool:
    limits = [_limits(one.hold, one.block) for one in rule.thresholds.values()]
    return rule.fixed and all(one.verdict(1.0)[0] is not Verdict.ALLOW for one in limits)


def _of_order(rule: str, limits: Thresholds, line: int) -> Iterator[Problem]:
    if limits.hold is not None and limits.block is not None and limits.hold > limits.block:
        yield line, f"rule {rule}: hold {limits.hold} is above block {limits.block}"


def _of_exception(rule: RuleForm, one: ExceptionForm, build: Build) -> Iterator[str]:
    made = _exception(one)
    for surface in sorted(made.surfaces - build.surfaces):
        yield f"unknown surface {surface!r} in an exception"
    if not any((made.surfaces, made.projects, made.territories, made.plans, made.purposes)):
        yield "an exception for everything is no exception: change the thresholds"
    for _, said in _of_order(rule.id, made.thresholds, 0):
        yield said
    usual = [_limits(limits.hold, limits.block) for limits in rule.thresholds.values()]
    is_looser = any(made.thresholds.is_looser_than(limits) for limits in usual)
    if made.projects and is_looser and made.until is None:
        yield "an exception that allows named projects more has an end: add `until`"


def _of_join(join: JoinForm, build: Build, lines: Lines, path: Path) -> Iterator[Problem]:
    if join.code in build.categories:
        yield lines.at(path), f"join {join.id}: the code {join.code!r} is a category already"
    for number, part in enumerate(join.all_of):
        line = lines.at((*path, "all_of", number))
        for name in sorted(set(part.categories) - build.categories):
            yield line, f"join {join.id}: no detector reports the category {name!r}"
        for surface in sorted(set(part.surfaces) - build.surfaces):
            yield line, f"join {join.id}: unknown surface {surface!r}"


def _rule(rule: RuleForm) -> Rule:
    return Rule(
        id=rule.id,
        category=rule.category,
        owner=rule.owner,
        message=rule.message,
        remedy=rule.remedy,
        thresholds={
            surface: _limits(limits.hold, limits.block)
            for surface, limits in rule.thresholds.items()
        },
        exceptions=tuple(_exception(one) for one in rule.exceptions),
        fixed=rule.fixed,
    )


def _exception(one: ExceptionForm) -> RuleException:
    return RuleException(
        _limits(one.hold, one.block),
        surfaces=frozenset(one.surfaces),
        projects=frozenset(one.projects),
        territories=frozenset(one.territories),
        plans=frozenset(one.plans),
        purposes=frozenset(one.purposes),
        until=one.until,
    )


def _join(join: JoinForm) -> Join:
    return Join(
        id=join.id,
        code=join.code,
        owner=join.owner,
        message=join.message,
        remedy=join.remedy,
        verdict=Verdict.BLOCK if join.verdict == "block" else Verdict.HOLD,
        parts=Parts(join.parts),
        all_of=tuple(
            Joined(frozenset(one.categories), frozenset(one.surfaces), one.at_least)
            for one in join.all_of
        ),
    )


def _limits(hold: float | Literal["never"], block: float | Literal["never"]) -> Thresholds:
    return Thresholds(_number(hold), _number(block))


def _number(limit: float | Literal["never"]) -> float | None:
    return None if limit == NEVER else float(limit)
