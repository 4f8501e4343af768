"""What somebody who was refused holds against it: once for each decision, ruled on by another.

No words are kept here. Why somebody appeals, and what was answered, are private values of the
log's entries; of the request there is a keyed hash, so that what is lifted is lifted for it alone.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    insert,
    select,
    update,
)

from service.database import metadata
from service.decision import Stage
from service.ids import new_id
from service.jobs import Instant
from service.jobs.tables import word

MAX_CHARACTERS = 4000
"""Of what an appellant and a moderator may write."""

TERM = timedelta(days=180)
"""How long one may appeal: six months, as the EU's Digital Services Act has it (Article 20)."""

LIFTED_FOR = timedelta(days=30)
"""How long an upheld appeal lifts what it lifts: time enough to ask again, and not for ever, since
the policy and the world go on."""


class State(StrEnum):
    """What became of an appeal."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class AppealError(Exception):
    """Base of everything this module raises. `word` says what is wrong, to programs."""

    word = "appeal_not_possible"


class NoSuchAppeal(AppealError):
    """There is none of this id that the asker may see."""


class NotAppealable(AppealError):
    """This decision has refused nobody, or nothing that a person could look at; says which."""

    word = "not_appealable"


class TooLate(AppealError):
    """The decision is older than `TERM`."""

    word = "too_late"


class AlreadyAppealed(AppealError):
    """One appeal for each decision; `appeal` is that one."""

    word = "already_appealed"

    def __init__(self, appeal: str) -> None:
        super().__init__(f"{appeal} is against this decision")
        self.appeal = appeal


class AlreadyRuled(AppealError):
    """Somebody was first."""

    word = "already_decided"

    def __init__(self, appeal: str, state: State) -> None:
        super().__init__(f"{appeal} is {state}")
        self.state = state


class OwnAppeal(AppealError):
    """Nobody rules on their own appeal, nor on one against what they decided themselves."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision that can be appealed against, as the log has it.

    Attributes:
        codes: of its reasons, sorted; without those that say that a check could not be made.
        reviewer: who refused to clear it, if somebody did.
        sign: `overrides.sign_of` the request; empty where it is not kept any more.
    """

    decision_id: str
    project: str
    actor: str
    stage: Stage
    codes: tuple[str, ...]
    policy: str
    reviewer: str
    sign: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a moderator says of an appeal.

    Attributes:
        lifted: codes that no longer count for this request, until `until`.
        remaining: codes of fixed rules, which stand whatever a moderator says.
    """

    state: State
    moderator: str
    lifted: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal and what became of it.

    Attributes:
        id: `apl_…`.
        policy: SHA-256 of the policy that decided.
        reviewer: who refused to clear it before, and may not rule on it; or empty.
        moderator, decided_at: empty and None while `open`.
        lifted, remaining, until: see `Ruling`.
    """

    id: str
    decision_id: str
    project: str
    appellant: str
    stage: Stage
    codes: tuple[str, ...]
    policy: str
    reviewer: str
    sign: str = field(repr=False)
    opened_at: datetime
    state: State
    moderator: str
    decided_at: datetime | None
    lifted: tuple[str, ...]
    remaining: tuple[str, ...]
    until: datetime | None


appeal = Table(
    "appeal",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("decision_id", String(80), nullable=False, unique=True),
    Column("project", String(80), nullable=False),
    Column("appellant", String(80), nullable=False),
    Column("stage", word(Stage, "appeal_stage"), nullable=False),
    Column("codes", JSON, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("reviewer", String(80), nullable=False),
    Column("sign", String(64), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("state", word(State, "appeal_state"), nullable=False),
    Column("moderator", String(80), nullable=False),
    Column("decided_at", Instant),
    Column("lifted", JSON, nullable=False),
    Column("remaining", JSON, nullable=False),
    Column("until", Instant),
)
_a = appeal.c
_OPEN = _a.state == State.OPEN
Index("appeal_appellant", _a.appellant, _a.id)
Index("appeal_open", _a.project, _a.id, sqlite_where=_OPEN, postgresql_where=_OPEN)


def open_appeal(conn: Connection, against: Refused, now: datetime) -> Appeal:
    """Put a refusal before the moderators.

    Raises:
        AlreadyAppealed: once for each decision.
    """
    earlier = of_decision(conn, against.decision_id)
    if earlier is not None:
        raise AlreadyAppealed(earlier.id)
    made = new_id("apl", now)
    conn.execute(
        insert(appeal).values(
            id=made,
            decision_id=against.decision_id,
            project=against.project,
            appellant=against.actor,
            stage=against.stage,
            codes=list(against.codes),
            policy=against.policy,
            reviewer=against.reviewer,
            sign=against.sign,
            opened_at=now,
            state=State.OPEN,
            moderator="",
            lifted=[],
            remaining=[],
        )
    )
    return get(conn, made)


def get(conn: Connection, appeal_id: str) -> Appeal:
    """Return the appeal.

    Raises:
        NoSuchAppeal: there is none.
    """
    row = conn.execute(select(appeal).where(_a.id == appeal_id)).mappings().first()
    if row is None:
        raise NoSuchAppeal(appeal_id)
    return _as_appeal(row)


def of_decision(conn: Connection, decision_id: str) -> Appeal | None:
    """Return the appeal against a decision, if there is one."""
    row = conn.execute(select(appeal).where(_a.decision_id == decision_id)).mappings().first()
    return None if row is None else _as_appeal(row)


def list_open(
    conn: Connection, *, project: str | None = None, after: str = "", limit: int = 50
) -> tuple[Appeal, ...]:
    """Return what waits for a moderator, longest first.

    Args:
        project: None for those who moderate the whole service.
        after: the last appeal of the page before.
    """
    query = select(appeal).where(_OPEN, _a.id > after).order_by(_a.id).limit(limit)
    if project is not None:
        query = query.where(_a.project == project)
    return tuple(_as_appeal(row) for row in conn.execute(query).mappings())


def list_own(
    conn: Connection, project: str, appellant: str, *, after: str = "", limit: int = 50
) -> tuple[Appeal, ...]:
    """Return one's own appeals, oldest first, whatever became of them."""
    own = (_a.project == project, _a.appellant == appellant, _a.id > after)
    rows = conn.execute(select(appeal).where(*own).order_by(_a.id).limit(limit)).mappings()
    return tuple(_as_appeal(row) for row in rows)


def require_judge(found: Appeal, moderator: str) -> None:
    """Return if `moderator` may rule on it.

    Raises:
        OwnAppeal: it is theirs, or they refused it before.
    """
    if moderator in {found.appellant, found.reviewer}:
        raise OwnAppeal(found.id)


def rule(conn: Connection, appeal_id: str, ruling: Ruling, now: datetime) -> Appeal:
    """Write what became of an appeal, once.

    Raises:
        NoSuchAppeal, OwnAppeal, AlreadyRuled: it stays as it is.
    """
    require_judge(get(conn, appeal_id), ruling.moderator)
    # Of two moderators at once, the second finds it no longer open.
    written = conn.execute(
        update(appeal)
        .where(_a.id == appeal_id, _OPEN)
        .values(
            state=ruling.state,
            moderator=ruling.moderator,
            decided_at=now,
            lifted=list(ruling.lifted),
            remaining=list(ruling.remaining),
            until=ruling.until,
        )
    )
    if not written.rowcount:
        raise AlreadyRuled(appeal_id, get(conn, appeal_id).state)
    return get(conn, appeal_id)


def message(found: Appeal) -> str:
    """Return what an appeal comes to, in a sentence or two."""
    if found.state is State.OPEN:
        return "It waits for a person who did not decide about it before."
    if found.state is State.DISMISSED:
        return "The decision stands; the statement says why."
    said = []
    if found.lifted and found.until:
        said.append(
            f"Until {found.until:%Y-%m-%d} the same request is not refused again for "
            f"{', '.join(found.lifted)}: send it once more."
        )
    if found.remaining:
        said.append(
            f"{', '.join(found.remaining)} is a rule that nobody here may lift: the observation "
            "was wrong, and it stays with the operator to mend what made it."
        )
    if not said:
        said.append(
            "The decision was wrong. What would know the request again is no longer kept, so "
            "nothing is lifted: send it once more, and appeal again if it is refused."
        )
    return " ".join(said)


def forget(conn: Connection, actor: str) -> int:
    """Drop what ties the actor's appeals to their requests; return how many there were.

    What they wrote and were answered is gone with their key.
    """
    theirs = (_a.appellant == actor, _a.sign != "")
    return int(conn.execute(update(appeal).where(*theirs).values(sign="")).rowcount)


def _as_appeal(row: RowMapping) -> Appeal:
    values = {str(name): value for name, value in row.items()}
    lists = {name: tuple(values[name]) for name in ("codes", "lifted", "remaining")}
    return Appeal(**{**values, **lists})
