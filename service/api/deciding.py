"""The shortest way to a decision: on the event loop, where nothing has to be opened.

Those who arrive together are looked at together, by gates that share their reads, and what was
seen a moment ago is not looked at again. Whatever is not plainly allowed goes the long way
(`desk.answer`) with what was seen, where people's rulings are looked up and reviews are opened.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from service import desk, judge
from service.api.arriving import Stands
from service.arrivals import Arrivals
from service.database import DatabaseUnavailable
from service.decision import Circumstances, Decision, Mode, Observation, Stage, Verdict
from service.ids import new_id
from service.request import GenerationRequest
from service.rooms import Rooms
from service.steps.verdicts import decision_entry

# How long those who come later wait for a look that has begun, so as to share the next one.
_PATIENCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Sight:
    """What the gates saw in a request, and until when a claim that waits may not change it."""

    observations: tuple[Observation, ...]
    until: datetime | None


Looks = Arrivals[GenerationRequest, Sight]


def looking(rooms: Rooms) -> Callable[[Sequence[GenerationRequest]], list[Sight | Exception]]:
    """Return what has the gates look at many requests at once, none of which has a reference."""

    def look(requests: Sequence[GenerationRequest]) -> list[Sight | Exception]:
        now = rooms.clock()
        with rooms.database.reading() as conn:
            begins = rooms.gates.claims.next_start(conn, now=now)
        return [
            one if isinstance(one, Exception) else Sight(one, begins)
            for one in desk.looked_at(rooms, requests, now)
        ]

    return look


def shared_looks(rooms: Rooms, executor: Executor) -> Looks:
    """Return what gathers requests without references, and has the gates look at them together."""
    return Arrivals(
        looking(rooms), executor, patience_s=_PATIENCE_S, everybodys=DatabaseUnavailable
    )


async def answer(
    rooms: Rooms, looks: Looks, request: GenerationRequest, stands: Stands, mode: Mode
) -> desk.Answer:
    """Return the answer, in the log.

    Raises:
        BadRequest: a reference cannot be opened.
        BookBroken, DatabaseUnavailable, AuditError: there is no decision.
    """
    if request.references:
        return await run_in_threadpool(desk.answer, rooms, request, mode=mode)
    seen = await _seen(rooms, looks, request, stands)
    standing = stands.policies
    if not standing.shadows and standing.overrides_until is None:
        decision = _decision(rooms, request, seen, stands, mode)
        # Who is depicted is shown the use, in the transaction of the entry: the long way does that.
        if decision.verdict is Verdict.ALLOW and desk.stands_alone(decision):
            receipt = await rooms.log.append_async(decision_entry(decision, request))
            return desk.permitted(rooms, request, decision, receipt)
    return await run_in_threadpool(desk.answer, rooms, request, mode=mode, seen=seen)


async def _seen(
    rooms: Rooms, looks: Looks, request: GenerationRequest, stands: Stands
) -> tuple[Observation, ...]:
    if rooms.cache is None:
        return (await looks.ask(request)).observations
    now = rooms.clock()
    # Of registers that were read before the gates look: what they see is not older than it says.
    key = rooms.cache.key(request, stands.registers)
    known = rooms.cache.found(key, now)
    if known is not None:
        return known
    sight = await looks.ask(request)
    rooms.cache.keep(key, sight.observations, now=now, until=sight.until)
    return sight.observations


def _decision(
    rooms: Rooms,
    request: GenerationRequest,
    seen: tuple[Observation, ...],
    stands: Stands,
    mode: Mode,
) -> Decision:
    now, asker = rooms.clock(), request.requester
    return judge.decide(
        seen,
        stands.policies.policy_for(asker.project, asker.actor),
        decision_id=new_id("dec", now),
        request_id=request.id,
        stage=Stage.REQUEST,
        mode=mode,
        now=now,
        circumstances=Circumstances(asker.project, stands.plan, request.territory, request.purpose),
    )
