"""Reviews of decisions that have no job: one for the same hold, and cleared for a while.

What a person has cleared is the request as its hash knows it, and of that the very holds that they
saw: another place, another person or claim met, is a new hold.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from service.decision import Stage
from service.ids import new_id
from service.reviews import CLEARED_FOR, Review, Ruling, get, review

_OPEN = review.c.ruling == Ruling.OPEN
# Between a failed insert and the look at what was in its way, that may be decided.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A request that an enforced decision holds, and that no job waits for.

    Attributes:
        standings: what clearing it clears, as `judge.standings` gives it; not empty.
        sign: `overrides.sign_of` it.
    """

    project: str
    requester: str
    decision_id: str
    codes: tuple[str, ...]
    standings: frozenset[str] = field(repr=False)
    sign: str = field(repr=False)

    @property
    def once(self) -> str:
        """What is equal for the same hold of the same request."""
        same = json.dumps([self.project, self.requester, self.sign, sorted(self.standings)])
        return "ask_" + hashlib.sha256(same.encode()).hexdigest()


def waiting(conn: Connection, held: HeldRequest, now: datetime) -> Review:
    """Return the review that the request waits for, opened if there is none.

    However often somebody asks, the moderators have one review; and what one of them has refused
    is not put before them again for as long as a clearance would last.
    """
    refused = _refused(conn, held, now)
    if refused is not None:
        return refused
    for _ in range(_TRIES):
        _put(conn, held, now)
        query = select(review.c.id).where(review.c.once == held.once, _OPEN)
        found = conn.execute(query).scalar()
        if found is not None:
            return get(conn, found)
    raise RuntimeError("a review is decided as fast as it is opened")


def cleared(
    conn: Connection, project: str, requester: str, sign: str, now: datetime
) -> frozenset[str]:
    """Return the standings that a person has cleared for this request of this requester."""
    query = select(review.c.standings).where(
        review.c.sign == sign,
        review.c.project == project,
        review.c.requester == requester,
        review.c.ruling == Ruling.CLEARED,
        review.c.until_at > now,
    )
    return frozenset(one for standings in conn.execute(query).scalars() for one in standings)


def _refused(conn: Connection, held: HeldRequest, now: datetime) -> Review | None:
    query = select(review.c.id).where(
        review.c.sign == held.sign,
        review.c.once == held.once,
        review.c.ruling == Ruling.REFUSED,
        review.c.decided_at > now - CLEARED_FOR,
    )
    found = conn.execute(query.order_by(review.c.id.desc()).limit(1)).scalar()
    return None if found is None else get(conn, found)


def _put(conn: Connection, held: HeldRequest, now: datetime) -> None:
    values = {
        "id": new_id("rev", now),
        "job": "",
        "project": held.project,
        "requester": held.requester,
        "stage": Stage.REQUEST,
        "decision_id": held.decision_id,
        "reasons": list(held.codes),
        "standings": sorted(held.standings),
        "opened_at": now,
        "ruling": Ruling.OPEN,
        "once": held.once,
        "sign": held.sign,
    }
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    made = dialect.insert(review).values(values)
    conn.execute(made.on_conflict_do_nothing(index_elements=["once"], index_where=_OPEN))
