"""What a decision does to a job: go on, wait for a person, or end. Logged before anyone is told."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from service import jobs, judge, reviews
from service.audit.entries import Entry, Private
from service.decision import (
    Circumstances,
    Decision,
    Mode,
    Observation,
    Shadow,
    Stage,
    Verdict,
)
from service.ids import new_id
from service.jobs import Fields, Step
from service.keys import Purpose
from service.policy_book import overrides
from service.policy_book.book import Standing
from service.request import GenerationRequest
from service.rooms import Rooms
from service.steps import waiting
from service.steps.run import Next, Run
from service.wire import leaf_facts, spans_json


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision stands on besides its observations, read at one moment.

    Attributes:
        lifted: what an upheld appeal has lifted for this request at this stage.
    """

    standing: Standing
    circumstances: Circumstances
    lifted: frozenset[str] = frozenset()


def ground(rooms: Rooms, conn: Connection, request: GenerationRequest, stage: Stage) -> Ground:
    """Return what a decision about `request` at `stage` stands on now.

    Raises:
        BookBroken: no policy can be said to be live, so there is no decision.
    """
    now, project = rooms.clock(), request.requester.project
    standing = rooms.book.standing(conn)
    plan = rooms.book.plan(conn, project)
    lifted = frozenset[str]()
    if standing.overrides_until is not None and now < standing.overrides_until:
        key = rooms.keys.secrets(Purpose.VAULT)[-1].secret
        lifted = overrides.lifted(conn, request, stage, key, now)
    asked = Circumstances(project, plan, request.territory, request.purpose)
    return Ground(standing, asked, lifted)


def decided(
    rooms: Rooms,
    request: GenerationRequest,
    observations: Sequence[Observation],
    *,
    stage: Stage,
    mode: Mode = Mode.ENFORCE,
    cleared: frozenset[str] = frozenset(),
    on: Ground | None = None,
) -> Decision:
    """Return what the policy that decides for the requester makes of `observations`.

    What other policies would say, which only shadow it, stands beside it.

    Args:
        on: read by the caller, who reads for many requests at once; else it is read here.

    Raises:
        BookBroken: no policy can be said to be live, so there is no decision.
    """
    if on is None:
        with rooms.database.reading() as conn:
            on = ground(rooms, conn, request, stage)
    now, asker = rooms.clock(), request.requester
    ask = partial(
        judge.decide,
        observations,
        decision_id=new_id("dec", now),
        request_id=request.id,
        stage=stage,
        mode=mode,
        now=now,
        circumstances=on.circumstances,
        cleared=cleared,
        lifted=on.lifted,
    )
    decides = on.standing.policy_for(asker.project, asker.actor)
    decision = ask(decides)
    # Looked up for holds alone: most requests have none.
    if before := waiting.cleared_before(rooms, request, decision):
        ask = partial(ask, cleared=cleared | before)
        decision = ask(decides)
    if not on.standing.shadows:
        return decision
    return replace(decision, shadow=tuple(_shadow(ask(one)) for one in on.standing.shadows))


def _shadow(decision: Decision) -> Shadow:
    codes = tuple(sorted({reason.code for reason in decision.reasons}))
    return Shadow(decision.policy, decision.verdict, codes)


def decision_entry(decision: Decision, request: GenerationRequest) -> Entry:
    """Return the log entry of a decision. The prompt goes in as a commitment only.

    So do the places in it that the reasons point at: the requester is shown them until they are
    erased with the prompt.
    """
    actor = request.requester.actor
    values = []
    if decision.stage is Stage.REQUEST:
        values += _said(request)
    if spans := spans_json(decision):
        values.append(Private(PLACES, actor, json.dumps(spans)))
    return Entry(
        key=entry_key(decision.id),
        type="decision.made",
        at=decision.created_at,
        request=request.id,
        actor=request.requester.actor,
        project=request.requester.project,
        facts=leaf_facts(decision),
        values=tuple(values),
    )


def _said(request: GenerationRequest) -> list[Private]:
    """Return what only the requester's key may open, each field to be disclosed on its own."""
    shots = [[one.prompt, one.seconds] for one in request.shots]
    before = list(request.ancestors)
    said = {
        "prompt": request.prompt,
        "ancestors": json.dumps(before, ensure_ascii=False) if before else "",
        "shots": json.dumps(shots, ensure_ascii=False) if shots else "",
        "end_user": request.end_user,
    }
    return [Private(name, request.requester.actor, text) for name, text in said.items() if text]


def entry_of(rooms: Rooms, decision: Decision, request: GenerationRequest) -> Entry:
    """Return `decision_entry`, with what an appeal against a refusal needs.

    The request is not kept as long as one may appeal; this hash is, and is erased with the rest.
    """
    entry = decision_entry(decision, request)
    if decision.mode is not Mode.ENFORCE or decision.verdict is Verdict.ALLOW:
        return entry
    key = rooms.keys.secrets(Purpose.VAULT)[-1].secret
    sign = Private(SIGN, entry.actor, overrides.sign_of(request, decision.stage, key))
    return replace(entry, values=(*entry.values, sign))


PLACES = "places"
"""The private value of a decision that says where in the prompt its reasons point."""

SIGN = "sign"
"""The private value of a refusal that knows its request again: `overrides.sign_of` it."""


def entry_key(decision_id: str) -> str:
    """Return the key under which the log has a decision."""
    return f"decision:{decision_id}"


def judged(run: Run, stage: Stage, observations: Sequence[Observation]) -> Decision:
    """Return the decision about a job at `stage`, with the holds that a person has cleared."""
    with run.rooms.database.reading() as conn:
        cleared = reviews.cleared(conn, run.job.id)
    return decided(run.rooms, run.request, observations, stage=stage, cleared=cleared)


def settle(run: Run, step: Step) -> None:
    """Make sure that what an earlier step staged is in the tree: nothing goes on before."""
    entry = run.results.get(step, {}).get("entry")
    if isinstance(entry, str):
        run.rooms.log.settle(entry)


def concluded(run: Run, step: Step, decision: Decision, result: Fields) -> Next:
    """Commit what `decision` means for the job at `step`, and wait until it is in the log.

    Allowed: the step is recorded. Held: a review is opened and the job waits. Blocked: it ends.
    """
    record = {**result, **kept(decision)}
    with run.commit(step) as conn:
        run.rooms.log.stage(conn, entry_of(run.rooms, decision, run.request))
        record_uses(run.rooms, conn, decision)
        going = _write(run, conn, step, decision, record)
    run.rooms.log.settle(entry_key(decision.id))
    if going is Next.GO:
        run.results[step] = record
    return going


def _write(run: Run, conn: Connection, step: Step, decision: Decision, record: Fields) -> Next:
    now = run.rooms.clock()
    if decision.verdict is Verdict.ALLOW:
        jobs.record_step(conn, run.lease, step, record, now)
        return Next.GO
    if decision.verdict is Verdict.HOLD:
        held = jobs.hold(conn, run.lease, decision.stage, now)
        codes = sorted({reason.code for reason in decision.reasons})
        standings = sorted(judge.standings(decision))
        reviews.open_review(conn, held, decision.id, codes, now, standings=standings)
        return Next.STOP
    worst = decision.reasons[0]
    jobs.refuse(conn, run.lease, worst.code, f"{worst.message} {worst.remedy}", now)
    return Next.STOP


def kept(decision: Decision) -> Fields:
    """Return what a step keeps of its decision for the later ones."""
    return {
        "decision": decision.id,
        "entry": entry_key(decision.id),
        "granted": dict(granted_in(decision)),
        "claims": sorted(claims_in(decision)),
    }


def record_uses(rooms: Rooms, conn: Connection, decision: Decision) -> None:
    """Write beside each likeness that was asked for what came of it; refused attempts too."""
    for likeness in sorted(likenesses_in(decision)):
        rooms.gates.registry.record_use(
            conn,
            likeness,
            decision.request_id,
            decision.verdict.word,
            now=decision.created_at,
        )


def likenesses_in(decision: Decision) -> frozenset[str]:
    """Return the likenesses that were seen or named."""
    return _matched(decision, "lik_")


def granted_in(decision: Decision) -> dict[str, str]:
    """Return the likenesses that were allowed, each with what permits it."""
    pairs = {
        seen.matched
        for seen in decision.observations
        if seen.category in {"likeness.granted", "likeness.handle_granted"}
    }
    return {pair[0]: pair[1] for pair in sorted(pairs) if len(pair) == 2}


def claims_in(decision: Decision) -> frozenset[str]:
    """Return the claims that were met."""
    return _matched(decision, "clm_")


def _matched(decision: Decision, prefix: str) -> frozenset[str]:
    return frozenset(
        matched
        for seen in decision.observations
        for matched in seen.matched
        if matched.startswith(prefix)
    )
