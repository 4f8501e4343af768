"""What an upheld appeal lifts, for a while: one code for one request, and nothing else.

Of a code that was met by persons or claims, it lifts what those met: see `judge.lifting`.

The request itself is not kept here, only a keyed hash of it: whoever sends exactly the same again
is not refused again for what a person has looked at.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Column, Connection, Index, String, Table, func, insert, select

from generator.shots import Size
from service import body
from service.database import metadata
from service.decision import Stage
from service.ids import new_id
from service.jobs import Instant
from service.jobs.tables import word
from service.policy_book import store
from service.policy_book.states import BookError
from service.request import GenerationRequest, Parameters

override_table = Table(
    "policy_override",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("project", String(80), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("stage", word(Stage, "policy_override_stage"), nullable=False),
    Column("code", String(120), nullable=False),
    Column("sign", String(64), nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
)
_o = override_table.c
Index("policy_override_sign", _o.sign)
FIXED = frozenset({"filters.minors", "policy.unavailable"})
"""Codes that no appeal lifts, whatever a document says."""
_ANY = Parameters("", Size(1, 1), 0, Fraction(1), 0)


class CodeFixed(BookError):
    """Nobody lifts this code, not even for a while."""


@dataclass(frozen=True, slots=True)
class Override:
    """What is lifted.

    Attributes:
        actor: whose appeal was upheld; it holds for the whole project.
        code: what counts no more at `stage`, such as `filters.violence`; see `judge.lifting`.
        sign: see `sign_of`.
        until: when it lapses.
    """

    project: str
    actor: str
    stage: Stage
    code: str
    sign: str
    until: datetime


def sign_of(request: GenerationRequest, stage: Stage, key: bytes) -> str:
    """Return what is equal for two sendings of one request, as far as `stage` looks at it.

    Before generation that is what was asked, in whatever size and with whatever seed; afterwards
    it is the film, which another seed makes another one.

    Args:
        key: the house's oldest vault key, as for `body.fingerprint`.
    """
    seen = replace(request, parameters=_ANY) if stage is Stage.REQUEST else request
    return body.fingerprint(seen, key)


def grant_override(conn: Connection, new: Override, now: datetime) -> str:
    """Write an override, seen by every process with its next decision; return its id.

    The caller logs it in the same transaction.

    Raises:
        CodeFixed: nobody lifts this code.
    """
    if new.code.partition("#")[0] in FIXED:
        raise CodeFixed(f"{new.code} is never lifted")
    made = new_id("ovr", now)
    conn.execute(
        insert(override_table).values(
            id=made,
            project=new.project,
            actor=new.actor,
            stage=new.stage,
            code=new.code,
            sign=new.sign,
            granted_at=now,
            until_at=new.until,
        )
    )
    store.touch(conn)
    return made


def lifted(
    conn: Connection, request: GenerationRequest, stage: Stage, key: bytes, now: datetime
) -> frozenset[str]:
    """Return what is lifted for this request at this stage, now; see `judge.lifting`."""
    sign = sign_of(request, stage, key)
    return overrides_for(conn, request.requester.project, stage, sign, now)


def overrides_for(
    conn: Connection, project: str, stage: Stage, sign: str, now: datetime
) -> frozenset[str]:
    """Return what is lifted for whatever has this `sign_of`; see `judge.lifting`."""
    query = select(_o.code).where(
        _o.sign == sign, _o.project == project, _o.stage == stage, _o.until_at > now
    )
    return frozenset(conn.execute(query).scalars())


def last(conn: Connection) -> datetime | None:
    """Return when the last override lapses; None where there is none."""
    found: datetime | None = conn.execute(select(func.max(_o.until_at))).scalar()
    return found
