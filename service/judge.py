"""From observations to a decision. A pure function: same observations, same policy, same answer."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from service.decision import (
    Circumstances,
    Decision,
    Gate,
    Mode,
    NothingChecked,
    Observation,
    Reason,
    Stage,
    Verdict,
    VisibleMark,
    strictest,
)
from service.policy_book import UNAVAILABLE, Join, Joined, Parts, Policy, Rule

IsCleared = Callable[[Reason], bool]
"""Whether a person has lifted this reason for this request."""

_ANYWHERE = Circumstances()
# The detector of an observation that says that a required gate said nothing.
MISSING = "policy.requires"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy makes of observations.

    Attributes:
        seen: the observations, with one for each gate that was required and said nothing.
        reasons: those that stand, the strictest first.
        cleared: those that would stand if nobody had cleared them, as `cleared_as` writes them.
    """

    seen: tuple[Observation, ...]
    reasons: tuple[Reason, ...]
    cleared: tuple[str, ...]


def decide(
    observations: Sequence[Observation],
    policy: Policy,
    *,
    decision_id: str,
    request_id: str,
    stage: Stage,
    mode: Mode,
    now: datetime,
    circumstances: Circumstances = _ANYWHERE,
    cleared: frozenset[str] = frozenset(),
    lifted: frozenset[str] = frozenset(),
) -> Decision:
    """Return the decision that `policy` draws from `observations`.

    Args:
        observations: everything seen. A gate that the policy requires at this stage and that
            reported nothing becomes an observation of its own, which holds the request.
        cleared: `standing` of holds that a person has cleared for this request; a block, and a
            check that could not be made, are never cleared.
        lifted: `lifting` of what an upheld appeal has lifted for this request, blocks too; codes
            of rules that the policy calls fixed are not.

    Raises:
        NothingChecked: there is no observation at all.
    """
    if not observations:
        raise NothingChecked(f"nothing looked at request {request_id} at stage {stage.value}")
    by_id = {seen.id: seen for seen in observations}

    def is_cleared(reason: Reason) -> bool:
        if lifted and not policy.is_fixed(reason.code) and _lifting(reason, by_id) in lifted:
            return True
        return bool(cleared) and _clearable(reason) and _standing(reason, by_id) in cleared

    judged = judge(
        observations,
        policy,
        stage=stage,
        circumstances=circumstances,
        at=now,
        is_cleared=is_cleared if cleared or lifted else None,
    )
    verdict = strictest(judged.reasons)
    return Decision(
        id=decision_id,
        request_id=request_id,
        created_at=now,
        mode=mode,
        stage=stage,
        verdict=verdict,
        reasons=judged.reasons,
        conditions=(VisibleMark(),),
        observations=judged.seen,
        policy=policy.ref,
        billable=verdict is Verdict.ALLOW and mode is Mode.ENFORCE,
        circumstances=circumstances,
        cleared=judged.cleared,
    )


def judge(
    observations: Sequence[Observation],
    policy: Policy,
    *,
    stage: Stage,
    circumstances: Circumstances,
    at: datetime,
    is_cleared: IsCleared | None = None,
) -> Judged:
    """Return what `policy` makes of `observations` of such a request at that moment.

    Nothing else goes in, so that what is logged can be judged again, by any policy.
    """
    seen = (*observations, *_missing(observations, policy, stage))
    found = [
        reason
        for one in policy.heard(seen)
        if (reason := _reason(one, policy, circumstances, at)) is not None
    ]
    if hints := policy.hints(seen):
        found += [reason for join in policy.joins if (reason := _joined(join, hints)) is not None]
    cleared: tuple[str, ...] = ()
    if is_cleared is not None and found:
        lifted = [reason for reason in found if is_cleared(reason)]
        found = [reason for reason in found if reason not in lifted]
        cleared = tuple(cleared_as(reason) for reason in lifted)
    # Stable: of two alike, the one that was seen first stays first.
    found.sort(key=lambda reason: -reason.verdict)
    return Judged(seen, tuple(found), cleared)


def cleared_as(reason: Reason) -> str:
    """Return how a cleared reason stands in `Decision.cleared`: its code and what it points at."""
    return f"{reason.code}@{reason.observation}"


def lifting(code: str, matched: Iterable[str]) -> str:
    """Return what an upheld appeal lifts: a code, of whom or of what it was met by.

    A person who enrols later, and a claim that is filed later, have been heard by nobody. What is
    met by nobody in particular, as a filter's finding is, is lifted by its code alone.
    """
    met = sorted(set(matched))
    if not met:
        return code
    return f"{code}#{hashlib.sha256(chr(10).join(met).encode()).hexdigest()[:16]}"


def _lifting(reason: Reason, by_id: Mapping[str, Observation]) -> str:
    met = [by_id[one].matched for one in (reason.observation, *reason.joined)]
    return lifting(reason.code, chain.from_iterable(met))


def standing(reason: Reason, observation: Observation) -> str:
    """Return what identifies a hold for as long as the facts are the same.

    A person who clears a hold clears exactly this: another code, another field, another place or
    another person or claim matched is a new hold. The place counts, since a stranger matches
    nobody, and neither does somebody who has revoked.
    """
    return "|".join((reason.code, reason.param, repr(observation.place), *observation.matched))


def standings(decision: Decision) -> frozenset[str]:
    """Return the `standing` of each hold in `decision`: what clearing it would clear.

    That a check could not be made is not among them: whoever clears it lets the gates look again,
    and does not stand in for them.
    """
    by_id = {observation.id: observation for observation in decision.observations}
    return frozenset(_standing(reason, by_id) for reason in decision.reasons if _clearable(reason))


def _standing(reason: Reason, by_id: Mapping[str, Observation]) -> str:
    main = by_id[reason.observation]
    if not reason.joined:
        return standing(reason, main)
    # Whoever clears what was joined clears exactly these together.
    together = (main, *(by_id[other] for other in reason.joined))
    return "+".join(
        "|".join((reason.code, one.category, one.param, repr(one.place), *one.matched))
        for one in together
    )


def _clearable(reason: Reason) -> bool:
    return reason.verdict is Verdict.HOLD and reason.code != UNAVAILABLE


def _missing(
    observations: Sequence[Observation], policy: Policy, stage: Stage
) -> tuple[Observation, ...]:
    looked = {observation.gate for observation in observations}
    missing = policy.requires.get(stage, _EVERY_GATE) - looked
    return tuple(
        Observation(
            id=f"obs_missing_{gate.value}",
            gate=gate,
            detector=MISSING,
            category=UNAVAILABLE,
            surface="request",
            param="request",
            score=1.0,
        )
        for gate in sorted(missing)
    )


_EVERY_GATE = frozenset(Gate)


def _reason(
    seen: Observation, policy: Policy, circumstances: Circumstances, at: datetime
) -> Reason | None:
    asked = policy.asked(seen.category, seen.surface, seen.detector)
    limits = asked.limits or asked.rule.thresholds_on(seen.surface, circumstances, at)
    verdict, threshold = limits.verdict(1.0 if asked.is_unknown else seen.score)
    return None if verdict is Verdict.ALLOW else _met(asked.rule, seen, verdict, threshold)


def _met(rule: Rule, seen: Observation, verdict: Verdict, threshold: float) -> Reason:
    return Reason(
        code=rule.category,
        verdict=verdict,
        gate=Gate.POLICY if rule.category == UNAVAILABLE else seen.gate,
        owner=rule.owner,
        category=rule.category.split(".", 1)[1],
        message=rule.message,
        remedy=rule.remedy,
        param=seen.param,
        rule=rule.id,
        observation=seen.id,
        score=seen.score,
        threshold=threshold,
        place=seen.place,
    )


def _joined(join: Join, seen: Sequence[Observation]) -> Reason | None:
    """Return the reason of a join that is met; it points at the first that the join names."""
    wanted = [_strongest(part, seen) for part in join.all_of]
    if not all(wanted):
        return None
    chosen = next(_choices(join.parts, wanted, ()), None)
    if chosen is None:
        return None
    main, *others = chosen
    return Reason(
        code=join.code,
        verdict=join.verdict,
        gate=Gate.POLICY,
        owner=join.owner,
        category=join.code.split(".", 1)[1],
        message=join.message,
        remedy=join.remedy,
        param=main.param,
        rule=join.id,
        observation=main.id,
        score=main.score,
        threshold=join.all_of[0].at_least,
        place=main.place,
        joined=tuple(one.id for one in others),
    )


def _strongest(part: Joined, seen: Sequence[Observation]) -> list[Observation]:
    fit = [
        one
        for one in seen
        if one.category in part.categories
        and one.score >= part.at_least
        and (not part.surfaces or one.surface in part.surfaces)
    ]
    return sorted(fit, key=lambda one: -one.score)


def _choices(
    parts: Parts, wanted: Sequence[Sequence[Observation]], chosen: tuple[Observation, ...]
) -> Iterator[tuple[Observation, ...]]:
    """Yield one observation for each that is wanted, no two the same, in the parts they must be."""
    if len(chosen) == len(wanted):
        yield chosen
        return
    for one in wanted[len(chosen)]:
        if all(one is not other and _fits(parts, one, other) for other in chosen):
            yield from _choices(parts, wanted, (*chosen, one))


def _fits(parts: Parts, one: Observation, other: Observation) -> bool:
    match parts:
        case Parts.ANYWHERE:
            return True
        case Parts.SAME:
            return one.param == other.param
        case Parts.DIFFERENT:
            return one.param != other.param and not _is_whole(one, other)


_TEXTS = frozenset({"prompt", "shots", "ancestors"})


def _is_whole(one: Observation, other: Observation) -> bool:
    """Whether one was seen in all texts joined, and the other in a text that is part of them."""
    texts = [seen.param for seen in (one, other)]
    return "shots" in texts and all(text.partition("[")[0] in _TEXTS for text in texts)
