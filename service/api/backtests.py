"""`/v1/policy/backtests`: what another policy would have decided about the traffic there was."""

import threading
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service import wiring
from service.accounts import Principal, Role
from service.api.errors import Forbidden, InProgress
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep
from service.api.words import PRINTABLE
from service.audit.entries import Entry
from service.audit.search.asking import query_of
from service.audit.search.query import All, Query, Term
from service.backtests.running import Asked, run
from service.backtests.telling import backtest_json
from service.ids import new_id
from service.policy_book import Policy, PolicyRefused
from service.policy_book.states import NoSuchDocument
from service.request import BadRequest
from service.rooms import Rooms
from service.wire import JSON, policy_json, receipt_json

router = APIRouter(prefix="/v1/policy/backtests", tags=["policy"])

# What somebody waits for at a prompt; the command line has no such limit.
_MOST, _MOST_S = 200_000, 20.0
_WHOLE_HOUSE = frozenset({Role.OPERATOR, Role.ADMIN})
# It takes a core for seconds, and the decisions of others wait for that.
_one_at_a_time = threading.Lock()

_Time = Annotated[str, Field(max_length=40, pattern=PRINTABLE)]


class BacktestBody(BaseModel):
    """Which policy, over which decisions.

    `candidate` is the SHA-256 of a document in the book, or a document; `against` is `logged`,
    what was decided then, or `live`. Times are as in `/v1/audit/entries`: `2026-11-01`, `-7d`.
    """

    model_config = ConfigDict(extra="forbid")
    candidate: str = Field(min_length=1, max_length=256 << 10)
    against: Annotated[str, Field(pattern=r"^(logged|live)$")] = "logged"
    since: _Time = ""
    until: _Time = ""
    q: str = Field(default="", max_length=2000)
    sample: float = Field(default=1.0, gt=0, le=1)
    seed: Annotated[str, Field(max_length=80, pattern=PRINTABLE)] = ""
    examples: int = Field(default=5, ge=0, le=50)
    project: Annotated[str, Field(max_length=80, pattern=PRINTABLE)] = ""


@router.post("", openapi_extra=documented(BacktestBody))
def create_backtest(
    asker: Asker, rooms: RoomsDep, body: Annotated[BacktestBody, Depends(body_of(BacktestBody))]
) -> JSON:
    """Judge logged observations again. Nothing is decided by it."""
    asked = Asked(
        query=_query(rooms, asker, body),
        candidate=_candidate(rooms, body.candidate),
        against=rooms.book.standing().live if body.against == "live" else None,
        sample=body.sample,
        seed=body.seed,
        examples=body.examples,
        most=_MOST,
        most_s=_MOST_S,
    )
    if not _one_at_a_time.acquire(blocking=False):
        raise InProgress
    try:
        found = run(rooms.log, asked)
    finally:
        _one_at_a_time.release()
    now = rooms.clock()
    receipt = rooms.log.append(
        Entry(
            key=new_id("act", now),
            type="policy.backtested",
            at=now,
            actor=asker.actor,
            project=asker.project,
            facts={
                "policy": policy_json(asked.candidate.ref),
                "against": body.against,
                "judged": found.flips.judged,
                "flipped": sum(found.flips.by_verdict.values()),
                "below": found.tree_size,
            },
        )
    )
    return {**backtest_json(asked, found), "receipt": receipt_json(receipt)}


def _query(rooms: Rooms, asker: Principal, body: BacktestBody) -> Query:
    asked = query_of(body.q, body.since, body.until, rooms.clock())
    wanted = body.project or asker.project
    if wanted != asker.project and not _WHOLE_HOUSE & asker.roles:
        raise Forbidden("Only an operator replays the traffic of other projects.")
    return asked if wanted == "all" else All((asked, Term("project", wanted)))


def _candidate(rooms: Rooms, named: str) -> Policy:
    if len(named) == 64 and named.isalnum():
        found = rooms.book.policy(named)
        if found is None:
            raise NoSuchDocument(named)
        return found
    try:
        return wiring.policy(named.encode())
    except (PolicyRefused, UnicodeEncodeError) as refused:
        raise BadRequest(
            "candidate", "policy_refused", str(refused), "Correct the document."
        ) from refused
