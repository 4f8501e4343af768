"""What people are told: a likeness was used, a claim was met, a request came to something.

Made from the outbox, once for each event and person. A notice holds ids only, and only those
that are its reader's business: the owner of a likeness learns of the job and the grant, not who
asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    String,
    Table,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.database import metadata
from service.ids import new_id
from service.jobs import Instant, OutboxItem
from service.jobs.tables import word


class NoticeKind(StrEnum):
    """Why somebody is told."""

    LIKENESS_USED = "likeness_used"
    CLAIM_MATCHED = "claim_matched"
    RELEASED = "released"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"
    REVIEW_CLEARED = "review_cleared"
    REVIEW_REFUSED = "review_refused"
    APPEAL_UPHELD = "appeal_upheld"
    APPEAL_DISMISSED = "appeal_dismissed"


class NoticeError(Exception):
    """Base of everything this module raises."""


class UnknownTopic(NoticeError):
    """Nobody has said who is to be told of this; better to stop than to tell nobody."""


class IncompleteItem(NoticeError):
    """The outbox item lacks an id that its notice needs."""


class UnknownNotice(NoticeError):
    """There is no such notice, or it is another person's."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one person is told.

    Attributes:
        id: `ntc_…`.
        actor: the reader.
        subject: id of the likeness, claim or job that it is about.
        about: further ids by name, such as `job` and `grant`.
        read_at: None while unread.
    """

    id: str
    actor: str
    kind: NoticeKind
    subject: str
    about: Mapping[str, str]
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Form:
    """Which fields of an outbox item make the notice. Its reader is always the field `actor`."""

    kind: NoticeKind
    subject: str
    about: tuple[str, ...] = ()


_FORMS = {
    "likeness.used": _Form(NoticeKind.LIKENESS_USED, "likeness", ("job", "grant")),
    "claim.matched": _Form(NoticeKind.CLAIM_MATCHED, "claim", ("job",)),
    "job.released": _Form(NoticeKind.RELEASED, "job", ("blob",)),
    "job.held": _Form(NoticeKind.HELD, "job"),
    "job.refused": _Form(NoticeKind.REFUSED, "job"),
    "job.failed": _Form(NoticeKind.FAILED, "job"),
    "review.cleared": _Form(NoticeKind.REVIEW_CLEARED, "review", ("decision",)),
    "review.refused": _Form(NoticeKind.REVIEW_REFUSED, "review", ("decision",)),
    "appeal.upheld": _Form(NoticeKind.APPEAL_UPHELD, "appeal", ("decision",)),
    "appeal.dismissed": _Form(NoticeKind.APPEAL_DISMISSED, "appeal", ("decision",)),
}
# Events of a job that are nobody's news: the requester did it, or it is the operator's business.
_SILENT = frozenset(
    {"job.queued", "job.resumed", "job.cancelled", "job.deleted", "job.quarantined"}
)

notice = Table(
    "notice",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("event", String(300), nullable=False, unique=True),
    Column("actor", String(80), nullable=False),
    Column("kind", word(NoticeKind, "notice_kind"), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("about", JSON, nullable=False),
    Column("at", Instant, nullable=False),
    Column("read_at", Instant),
)
Index("notice_actor", notice.c.actor, notice.c.id)
_VIEW = tuple(column for column in notice.c if column.name != "event")


def tell(conn: Connection, item: OutboxItem) -> list[Notice]:
    """Write and return the notices of one event; the same event again returns the same ones.

    Raises:
        UnknownTopic: it is not known whom this concerns.
        IncompleteItem: an id is missing.
    """
    if item.topic in _SILENT:
        return []
    form = _FORMS.get(item.topic)
    if form is None:
        raise UnknownTopic(item.topic)
    missing = {"actor", form.subject, *form.about} - set(item.payload)
    if missing:
        raise IncompleteItem(f"{item.topic} without {', '.join(sorted(missing))}")
    event = f"{item.key}:{item.payload['actor']}"
    values = {
        "id": new_id("ntc", item.at),
        "event": event,
        "actor": item.payload["actor"],
        "kind": form.kind,
        "subject": item.payload[form.subject],
        "about": {name: item.payload[name] for name in form.about},
        "at": item.at,
    }
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    conn.execute(
        dialect.insert(notice).values(values).on_conflict_do_nothing(index_elements=["event"])
    )
    return [Notice(*row) for row in conn.execute(select(*_VIEW).where(notice.c.event == event))]


def list_for(
    conn: Connection, actor: str, *, after: str | None = None, limit: int = 50
) -> tuple[Notice, ...]:
    """Return the person's notices, newest first, from behind the notice `after` on."""
    query = select(*_VIEW).where(notice.c.actor == actor)
    if after is not None:
        query = query.where(notice.c.id < after)
    rows = conn.execute(query.order_by(notice.c.id.desc()).limit(limit))
    return tuple(Notice(*row) for row in rows)


def unread(conn: Connection, actor: str) -> int:
    """Return how many notices the person has not read."""
    query = select(func.count()).where(notice.c.actor == actor, notice.c.read_at.is_(None))
    return conn.execute(query).scalar_one()


def mark_read(conn: Connection, actor: str, notice_id: str, now: datetime) -> Notice:
    """Remember that the person has read it; the first time counts.

    Raises:
        UnknownNotice: there is none of this person's.
    """
    own = (notice.c.id == notice_id, notice.c.actor == actor)
    conn.execute(update(notice).where(*own, notice.c.read_at.is_(None)).values(read_at=now))
    row = conn.execute(select(*_VIEW).where(*own)).first()
    if row is None:
        raise UnknownNotice(notice_id)
    return Notice(*row)


def forget(conn: Connection, actor: str) -> int:
    """Drop everything that the person was told; return how many notices there were."""
    return int(conn.execute(delete(notice).where(notice.c.actor == actor)).rowcount)
