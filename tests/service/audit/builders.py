"""Logs on a file, with keys and a clock that a test can turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.audit.entries import Entry, Json, Private
from service.audit.log import AuditLog
from service.database import Database, metadata
from service.keys import secret_key, signing_key
from service.subjects import SubjectKeys

ORIGIN = "example.com/imprimatur-test"
SIGNER = signing_key(b"\x01" * 32)
VAULT = secret_key(b"\x02" * 32)
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Stands still until it is moved."""

    now: datetime = field(default=START)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_database(folder: Path, *, busy_timeout_s: float = 10.0) -> Database:
    database = Database(f"sqlite:///{folder}/log.sqlite3", busy_timeout_s=busy_timeout_s)
    metadata.create_all(database.engine)
    return database


def a_log(database: Database, *, clock: Clock | None = None, timeout_s: float = 20.0) -> AuditLog:
    return AuditLog(
        database,
        signer=SIGNER,
        origin=ORIGIN,
        subjects=SubjectKeys([VAULT]),
        clock=clock or Clock(),
        timeout_s=timeout_s,
    )


def an_entry(
    key: str,
    *,
    facts: Mapping[str, Json] | None = None,
    values: tuple[Private, ...] = (),
    type: str = "decision.made",  # noqa: A002 - the entry's own word
    actor: str = "act_1",
    at: datetime = START,
) -> Entry:
    return Entry(
        key=key,
        type=type,
        at=at,
        request=f"req_{key}",
        actor=actor,
        project="prj_1",
        facts={"verdict": "allow"} if facts is None else facts,
        values=values,
    )


def a_prompt(text: str, *, subject: str = "actor:act_1") -> tuple[Private, ...]:
    return (Private("prompt", subject, text),)
