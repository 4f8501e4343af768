"""A policy book beside a real log, the people who change it, and documents to change it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service import accounts
from service.audit.log import AuditLog
from service.database import Database
from service.keys import KeyRing, Purpose
from service.migrations import bring_up_to_date
from service.policy_book.book import Book
from service.policy_book.changes import Changes
from service.policy_book.states import Approval
from service.subjects import SubjectKeys
from service.wiring import DEFAULT_POLICY, policy
from tests.builders import Clock, a_book


@dataclass(slots=True)
class Library:
    """A house that has nothing but its book."""

    database: Database
    log: AuditLog
    book: Book
    clock: Clock

    def person(self) -> str:
        """Return a new actor."""
        with self.database.transaction() as conn:
            return accounts.create_actor(conn, "somebody", self.clock()).id

    def by(self, actor: str, book: Book | None = None) -> Changes:
        """Return the changes of `actor`, as another process makes them where it has its book."""
        return Changes(book or self.book, self.log, self.clock, actor)

    def other_book(self, approval: Approval = Approval.TWO_PEOPLE) -> Book:
        """Return what another process has in its hand."""
        return Book(self.database, policy, approval=approval)


@contextmanager
def a_library(
    home: Path, *, url: str = "", approval: Approval = Approval.TWO_PEOPLE
) -> Iterator[Library]:
    clock = Clock(datetime.now(UTC))
    database = Database(url or f"sqlite:///{home / 'book.sqlite3'}")
    bring_up_to_date(database)
    keys = KeyRing(home / "keys", clock)
    subjects = SubjectKeys(keys.secrets(Purpose.VAULT))
    with AuditLog(
        database, signer=keys.signing(Purpose.LOG), origin="test.local/log",
        subjects=subjects, clock=clock,
    ) as log:  # fmt: skip
        yield Library(database, log, a_book(database, log, clock, approval), clock)
    database.close()


def a_document(version: str, **replaced: str) -> bytes:
    """Return the packaged policy under another version, with some words replaced."""
    text = DEFAULT_POLICY.read_text()
    known = next(line for line in text.splitlines() if line.startswith("version:"))
    text = text.replace(known, f'version: "{version}"', 1)
    for word, other in replaced.items():
        text = text.replace(word, other)
    return text.encode()
