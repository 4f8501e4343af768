"""From observations to a decision. A pure function: same observations, same policy, same answer."""

from collections.abc import Sequence
from datetime import datetime

from service.decision import (
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
from service.policy_book import Policy

UNAVAILABLE = "policy.unavailable"


def decide(
    observations: Sequence[Observation],
    policy: Policy,
    *,
    decision_id: str,
    request_id: str,
    stage: Stage,
    mode: Mode,
    now: datetime,
    cleared: frozenset[str] = frozenset(),
) -> Decision:
    """Return the decision that `policy` draws from `observations`.

    Args:
        observations: everything seen. A gate that the policy requires at this stage and that
            reported nothing becomes an observation of its own, which holds the request.
        cleared: `standing` of holds that a person has cleared for this request; a block, and a
            check that could not be made, are never cleared.

    Raises:
        NothingChecked: there is no observation at all.
    """
    if not observations:
        raise NothingChecked(f"nothing looked at request {request_id} at stage {stage.value}")
    seen = (*observations, *_missing(observations, policy, stage))
    reasons = tuple(
        reason
        for observation in seen
        if (reason := _reason(observation, policy)) is not None
        and not (_clearable(reason) and standing(reason, observation) in cleared)
    )
    return Decision(
        id=decision_id,
        request_id=request_id,
        created_at=now,
        mode=mode,
        stage=stage,
        verdict=strictest(reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: -reason.verdict)),
        conditions=(VisibleMark(),),
        observations=seen,
        policy=policy.ref,
        billable=strictest(reasons) is Verdict.ALLOW and mode is Mode.ENFORCE,
    )


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
    return frozenset(
        standing(reason, by_id[reason.observation])
        for reason in decision.reasons
        if _clearable(reason)
    )


def _clearable(reason: Reason) -> bool:
    return reason.verdict is Verdict.HOLD and reason.code != UNAVAILABLE


def _missing(
    observations: Sequence[Observation], policy: Policy, stage: Stage
) -> tuple[Observation, ...]:
    looked = {observation.gate for observation in observations}
    return tuple(
        Observation(
            id=f"obs_missing_{gate.value}",
            gate=gate,
            detector="policy.requires",
            category=UNAVAILABLE,
            surface="request",
            param="request",
            score=1.0,
        )
        for gate in sorted(policy.requires.get(stage, frozenset(Gate)) - looked)
    )


def _reason(observation: Observation, policy: Policy) -> Reason | None:
    rule = policy.rule_for(observation.category)
    verdict, threshold = rule.verdict(observation.score, observation.surface)
    if verdict is Verdict.ALLOW:
        return None
    return Reason(
        code=observation.category,
        verdict=verdict,
        gate=Gate.POLICY if observation.category == UNAVAILABLE else observation.gate,
        owner=rule.owner,
        category=observation.category.split(".", 1)[1],
        message=rule.message,
        remedy=rule.remedy,
        param=observation.param,
        rule=rule.id,
        observation=observation.id,
        score=observation.score,
        threshold=threshold,
        place=observation.place,
        appealable=False,
    )
