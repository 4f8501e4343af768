"""What one erasure takes away, in one transaction: keys first, then what they would have opened.

Ids, ends and times stay: a claim, a grant and a refusal are other people's business as well, and
say nothing of what was asked.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from likeness.consent import State as LikenessState
from likeness.store import likeness_by_id
from service import appeals, jobs, notices, reviews
from service.accounts import erasing as accounts
from service.jobs import ENDS, AlreadyEnded, Job
from service.jobs import erasing as requests
from service.records.erasures import Counts, Erasure, Films
from service.records.subjects import Subject
from service.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What is gone, and the files that may go once that is committed.

    Attributes:
        subjects: whose keys are gone.
        unmarked: jobs whose unmarked frames go.
        films: released files, by SHA-256, that no job may show any more.
    """

    counts: Counts
    subjects: tuple[str, ...]
    unmarked: tuple[str, ...]
    films: tuple[str, ...]


def destroyed(
    conn: Connection, rooms: Rooms, wish: Erasure, who: Subject, now: datetime
) -> Destroyed:
    """Destroy everything private of `who`; call it with turns taken and no hold in the way."""
    revoked = _revoke(conn, rooms, who, now)
    keys = tuple(one for one in who.keys if rooms.subjects.destroy(conn, one))
    if not who.is_actor:
        return Destroyed(Counts(keys=len(keys), likenesses=revoked), keys, (), ())
    cancelled, running = _stop(conn, who, now)
    own = requests.of_actor(conn, who.id)
    emptied = sum(requests.forget_words(conn, job) for job in own if job.state in ENDS)
    films = _take_away(conn, own, now) if wish.films is Films.REMOVE else ()
    accounts.forget_words(conn, who.id)
    appeals.forget(conn, who.id)
    counts = Counts(
        keys=len(keys),
        likenesses=revoked,
        requests=emptied,
        cancelled=len(cancelled),
        running=running,
        notices=notices.forget(conn, who.id),
        notes=reviews.forget_notes(conn, who.id),
        films=len(films),
    )
    return Destroyed(counts, keys, cancelled, films)


def drop_files(rooms: Rooms, gone: Destroyed) -> None:
    """Remove the files of what is destroyed, once that is committed.

    A process that dies before leaves them to the worker, which tidies up after it.
    """
    for job in gone.unmarked:
        rooms.vault.drop(job)
    with rooms.database.reading() as conn:
        shown = jobs.shown(conn, gone.films)
    for blob in gone.films:
        if blob not in shown:
            rooms.vault.delete(blob)


def sweep_left(conn: Connection, wish: Erasure, now: datetime) -> tuple[Counts, tuple[str, ...]]:
    """Drop what the jobs that were still stopping have left; the films that go are returned."""
    own = [job for job in requests.of_actor(conn, wish.subject) if _is_before(job, wish)]
    emptied = sum(requests.forget_words(conn, job) for job in own if job.state in ENDS)
    films = _take_away(conn, own, now) if wish.films is Films.REMOVE else ()
    running = sum(job.state not in ENDS for job in own)
    return Counts(requests=emptied, running=running, films=len(films)), films


def _is_before(job: Job, wish: Erasure) -> bool:
    return wish.done_at is not None and job.admitted_at <= wish.done_at


def _revoke(conn: Connection, rooms: Rooms, who: Subject, now: datetime) -> int:
    revoked = 0
    for likeness in who.likenesses:
        found = likeness_by_id(conn, likeness)
        if found is not None and found.state is LikenessState.ACTIVE:
            rooms.gates.registry.revoke(conn, likeness, now=now)
            revoked += 1
    return revoked


def _stop(conn: Connection, who: Subject, now: datetime) -> tuple[tuple[str, ...], int]:
    """Cancel what is alive; return which jobs stopped at once, and how many are told to."""
    stopped = []
    for job in requests.of_actor(conn, who.id):
        if job.state not in ENDS:
            # Whatever has come to an end meanwhile needs no stopping.
            with suppress(AlreadyEnded):
                stopped.append(jobs.cancel(conn, job.id, now))
    ended = tuple(job.id for job in stopped if job.state in ENDS)
    return ended, len(stopped) - len(ended)


def _take_away(conn: Connection, own: Sequence[Job], now: datetime) -> tuple[str, ...]:
    films = []
    for job in own:
        if job.blob_sha256 is not None and job.deleted_at is None:
            jobs.remove(conn, job.project, job.id, now)
            films.append(job.blob_sha256)
    return tuple(dict.fromkeys(films))
