"""The book at start-up: begun where it is empty, and refused where it cannot decide."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.audit.entries import Entry
from service.audit.log import AuditLog
from service.ids import new_id
from service.policy_book import PolicyRefused, store
from service.policy_book.book import Book
from service.policy_book.changes import facts_of
from service.policy_book.states import (
    Act,
    Approval,
    BookBroken,
    Change,
    Document,
    Origin,
    State,
    sha256_of,
    short,
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A document that may become live without a person: whoever runs the house put it there."""

    text: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class Seeding:
    """What may begin a book.

    Attributes:
        packaged: the default of this version.
        chosen: the document that the settings name, or None.
    """

    book: Book
    log: AuditLog
    clock: Callable[[], datetime]
    packaged: Seed
    chosen: Seed | None = None

    def begin(self) -> None:
        """Make the first document live if the book has none.

        Raises:
            PolicyRefused: that document is not whole.
        """
        with self.book.database.reading() as conn:
            if store.count(conn):
                return
        seed = self.chosen or self.packaged
        self._make_live(seed, lambda conn: store.count(conn) == 0)

    def check(self) -> None:
        """Return if decisions can be made by the book.

        A packaged default that this version cannot load any more is replaced by the new one.

        Raises:
            BookBroken: it cannot; the message says why, and which command mends it.
        """
        try:
            standing = self.book.standing()
        except BookBroken:
            with self.book.database.reading() as conn:
                if not self._is_outdated(conn):
                    raise
            self._make_live(self.packaged, self._is_outdated)
            standing = self.book.standing()
        if self.book.approval is Approval.TWO_PEOPLE:
            self._require_second_person(standing.live.ref.sha256)
            if standing.canary:
                self._require_second_person(standing.canary.policy.ref.sha256)

    def chosen_is_live(self) -> bool:
        """Return whether the document that the settings name, if any, is the one that decides."""
        if self.chosen is None:
            return True
        return sha256_of(self.chosen.text) == self.book.standing().live.ref.sha256

    def _is_outdated(self, conn: Connection) -> bool:
        """Whether what is live is the default of another version, and does not load in this."""
        for live in store.in_states(conn, {State.LIVE}):
            if live.origin is Origin.PACKAGED and live.is_whole:
                try:
                    self.book.load(live.text)
                except PolicyRefused:
                    return live.ref.sha256 != sha256_of(self.packaged.text)
        return False

    def _require_second_person(self, sha256: str) -> None:
        """Refuse what went live by `UnsafeSelfApproval` in a house that was for development."""
        with self.book.database.reading() as conn:
            document = store.document(conn, sha256)
            if document is None or document.origin is not Origin.AUTHOR:
                return
            others = store.ever_approved(conn, sha256) - {document.author}
        if not others:
            raise BookBroken(
                f"{short(document.ref)} is {document.state} by its author's approval alone, which "
                "production refuses; have another person approve it: "
                f"imprimatur policy approve {sha256[:12]} --as ACTOR"
            )

    def _make_live(self, seed: Seed, still: Callable[[Connection], bool]) -> None:
        policy = self.book.load(seed.text)
        now = self.clock()
        with self.book.database.transaction() as conn:
            store.locked(conn)
            # Of processes that start together, one is first.
            if not still(conn):
                return
            replaced = ""
            for live in store.in_states(conn, {State.LIVE}):
                replaced = live.ref.sha256
                store.move(conn, replaced, State.RETIRED, now)
                store.spend(conn, replaced, now)
                store.note(conn, replaced, Change(Act.RETIRED, "", now, 0))
            new = Document(
                number=0,
                ref=policy.ref,
                state=State.LIVE,
                share=0,
                author="",
                origin=seed.origin,
                drafted_at=now,
                changed_at=now,
                replaced=replaced,
                text=seed.text,
            )
            store.put(conn, new)
            store.note(conn, policy.ref.sha256, Change(Act.LIVE, "", now, 0))
            store.note_move(conn)
            facts = facts_of(new, seed.origin.value, {"replaces": replaced} if replaced else {})
            entry = Entry(key=new_id("act", now), type="policy.live", at=now, facts=facts)
            key = self.log.stage(conn, entry)
        self.log.settle(key)
