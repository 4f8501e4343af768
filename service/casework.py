"""What somebody who has to rule on a case sees of it, once the log says that they looked."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection

from service import body, jobs
from service.audit.entries import Entry, Json
from service.audit.reading import LoggedEntry
from service.decision import Receipt
from service.ids import new_id
from service.jobs import UnknownJob
from service.request import Requester
from service.rooms import Rooms
from service.steps.verdicts import entry_key
from service.subjects import SubjectErased


class Kind(StrEnum):
    """What is ruled on; `<kind>.read` in the log."""

    REVIEW = "review"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be looked at.

    Attributes:
        job: the job that is held, or empty.
    """

    kind: Kind
    id: str
    decision_id: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, in the requester's words.

    Attributes:
        prompt: None where it is not kept any more: erased, or its term is over.
        shots: further prompts, in order.
        pictures: how many were sent along; None where that is not known.
    """

    prompt: str | None = field(repr=False)
    shots: tuple[str, ...] = field(default=(), repr=False)
    pictures: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The words of a case, and the proof that their reading is in the log."""

    asked: Asked
    receipt: Receipt


def seen(rooms: Rooms, reader: str, project: str, case: Case) -> Seen:
    """Return what was asked in a case to somebody who may rule on it, logged before it is shown.

    Raises:
        NoEntry: the log has no such decision.
        DatabaseUnavailable, AuditError: the reading cannot be logged; nothing is shown.
    """
    decided = rooms.log.entry_by_key(entry_key(case.decision_id))
    now = rooms.clock()
    facts: Mapping[str, Json] = {case.kind.value: case.id, "decision": case.decision_id}
    receipt = rooms.log.append(
        Entry(
            key=new_id("act", now),
            type=f"{case.kind.value}.read",
            at=now,
            request=decided.request,
            actor=reader,
            project=project,
            facts=facts,
        )
    )
    with rooms.database.reading() as conn:
        asked = _sealed(rooms, conn, case.job) if case.job else None
        return Seen(asked or _logged(rooms, conn, decided), receipt)


def _sealed(rooms: Rooms, conn: Connection, job_id: str) -> Asked | None:
    """Return what a job was asked for; None where that is not kept any more."""
    with suppress(UnknownJob, SubjectErased):
        job = jobs.get(conn, job_id)
        opened = rooms.subjects.open(conn, job.actor, jobs.sealed_request(conn, job_id), job_id)
        requester = Requester(job.actor, job.project)
        request = body.restored(job.request_id, requester, dict(job.parameters), opened)
        shots = tuple(shot.prompt for shot in request.shots)
        return Asked(request.prompt, shots, len(request.references))
    return None


def _logged(rooms: Rooms, conn: Connection, decided: LoggedEntry) -> Asked:
    """Return what a decision's entry keeps for its requester; the pictures it does not."""
    prompt = _value(rooms, conn, decided, "prompt")
    shots = _value(rooms, conn, decided, "shots")
    return Asked(prompt, tuple(str(shot[0]) for shot in json.loads(shots)) if shots else ())


def _value(rooms: Rooms, conn: Connection, decided: LoggedEntry, name: str) -> str | None:
    if name in decided.commitments:
        with suppress(SubjectErased):
            return rooms.log.disclose(conn, decided.index, name).text
    return None
