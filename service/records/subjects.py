"""Whom an erasure is about: an actor with their likenesses, a likeness, or another's id."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness import store as likenesses
from service import accounts
from service.accounts import erasing
from service.audit import retired
from service.jobs import Job
from service.jobs import erasing as requests
from service.records.holds import Hold
from service.records.words import (
    BelongsElsewhere,
    CaseMissing,
    Keeper,
    NoSuchSubject,
    NotYours,
    Reach,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody, with everything that is theirs.

    Attributes:
        owner: the actor whose id or whose likeness it is; empty for an id that has no account.
        likenesses: theirs, revoked ones too; of a likeness, itself.
        projects: where they have, or had, a key; without an account, where they were logged.
        is_actor: the id is an actor's own.
    """

    id: str
    owner: str
    likenesses: tuple[str, ...]
    projects: frozenset[str]
    is_actor: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The subjects whose keys an erasure destroys."""
        return tuple(dict.fromkeys((self.id, *self.likenesses)))


def found(conn: Connection, subject: str) -> Subject:
    """Return who has this id.

    Raises:
        NoSuchSubject: nobody, and nothing private was ever logged about them.
    """
    likeness = likenesses.likeness_by_id(conn, subject)
    if likeness is not None:
        projects = erasing.projects_of(conn, likeness.owner)
        return Subject(subject, likeness.owner, (subject,), projects, is_actor=False)
    try:
        accounts.actor(conn, subject)
    except accounts.NoSuchAccount:
        return _unaccounted(conn, subject)
    owned = tuple(one.id for one in likenesses.owned(conn, subject))
    return Subject(subject, subject, owned, erasing.projects_of(conn, subject), is_actor=True)


def whoever(conn: Connection, subject: str) -> Subject:
    """Return who has this id, or had it before a backup was put back."""
    try:
        return found(conn, subject)
    except NoSuchSubject:
        return Subject(subject, "", (), frozenset(), is_actor=False)


def permitted(conn: Connection, keeper: Keeper, subject: str, case: str) -> Subject:
    """Return who has this id, if `keeper` may have them erased.

    Raises:
        NoSuchSubject, NotYours, CaseMissing, BelongsElsewhere: they may not, and why.
    """
    who = found(conn, subject)
    if who.owner == keeper.actor:
        return who
    if keeper.reach is Reach.PROJECT:
        # The same words for another project's as for nobody.
        if keeper.project not in who.projects:
            raise NoSuchSubject(f"nobody has the id {subject}, and nothing private is logged of it")
        if not keeper.is_officer:
            raise NotYours(f"{subject} is somebody else: only an operator can ask on their behalf")
        if who.projects != {keeper.project}:
            raise BelongsElsewhere(f"{subject} works in other projects too")
    if not case:
        raise CaseMissing(f"{subject} is somebody else: name the case in which you ask")
    return who


def kept_by(conn: Connection, who: Subject, holds: Sequence[Hold]) -> Hold | None:
    """Return the first hold that covers somebody or anything that their keys open."""
    if not holds:
        return None
    ids = {who.owner, *who.keys} - {""}
    by_name = next((hold for hold in holds if hold.covers("", ids)), None)
    if by_name is not None:
        return by_name
    for project in who.projects:
        for hold in holds:
            if hold.covers(project, ids):
                return hold
    return _by_job(conn, who, holds) or _by_entry(conn, who, holds)


def _by_job(conn: Connection, who: Subject, holds: Sequence[Hold]) -> Hold | None:
    asked = requests.of_actor(conn, who.id) if who.is_actor else ()
    return next((hold for job in asked for hold in holds if covers_job(hold, job)), None)


def _by_entry(conn: Connection, who: Subject, holds: Sequence[Hold]) -> Hold | None:
    for key in who.keys:
        for entry in retired.entries_of(conn, key):
            for hold in holds:
                if hold.covers_entry(entry, (key,)):
                    return hold
    return None


def covers_job(hold: Hold, job: Job) -> bool:
    """Whether a hold keeps a job's request."""
    ids = {job.id, job.request_id, job.actor}
    return hold.covers(job.project, ids) or job.actor in hold.theirs


def _unaccounted(conn: Connection, subject: str) -> Subject:
    projects = frozenset(entry.project for entry in retired.entries_of(conn, subject))
    if not projects:
        raise NoSuchSubject(f"nobody has the id {subject}, and nothing private is logged of it")
    return Subject(subject, "", (), projects, is_actor=False)
