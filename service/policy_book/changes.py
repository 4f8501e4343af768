"""Changes to the policy book: drafted, shadowed, tried on a few, approved, live, retired.

Each change and its log entry are one transaction, and nobody is answered before the entry is in
the tree. The text of a document stays in the book; the log has its hash.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from service.accounts import people
from service.audit.entries import Entry, Json
from service.audit.log import AuditLog
from service.decision import Receipt
from service.ids import new_id
from service.policy_book import PolicyRefused, store
from service.policy_book.book import Book
from service.policy_book.states import (
    NEEDS_APPROVAL,
    Act,
    Approval,
    BookBroken,
    Change,
    Document,
    DocumentNotWhole,
    MoveNotPossible,
    NoSuchDocument,
    NotApproved,
    NothingBefore,
    Origin,
    Overtaken,
    OwnDocument,
    PlanNotPossible,
    State,
    Why,
    require_move,
    share_of,
    short,
)

MAX_SHADOWS = 4
"""Each is evaluated for every decision, and says its answer in every leaf."""
MAX_DOCUMENT_BYTES = 256 << 10
_PLAN = re.compile(r"[a-z0-9_-]{0,40}")
_ACTS = {State.SHADOW: Act.SHADOWED, State.CANARY: Act.CANARY, State.LIVE: Act.LIVE}


@dataclass(frozen=True, slots=True)
class Changed:
    """A document as it is now, and the proof that the log knows."""

    document: Document
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done with which document; `facts` go into the log beside what always does."""

    act: Act
    sha256: str
    facts: Mapping[str, Json] = field(default_factory=dict)


_Doing = Callable[[Connection, datetime], _Done]


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one actor, who is named in the log as the one who made them.

    `seen` is the number of moves of the book as the actor saw it (`store.moves`); by itself, as
    it is when the method begins. Who is overtaken by somebody else's move is told so.
    """

    book: Book
    log: AuditLog
    clock: Callable[[], datetime]
    actor: str
    project: str = ""

    def draft(self, text: bytes) -> Changed:
        """Store a document that loads.

        Raises:
            PolicyRefused: it is no whole policy.
            MoveNotPossible: it is in the book already.
        """
        policy = self.book.load(text)

        def act(conn: Connection, now: datetime) -> _Done:
            known = store.document(conn, policy.ref.sha256)
            if known is not None:
                raise MoveNotPossible(
                    f"{short(known.ref)} is in the book already: it is {known.state}"
                )
            new = Document(
                number=0,
                ref=policy.ref,
                state=State.DRAFT,
                share=0,
                author=self.actor,
                origin=Origin.AUTHOR,
                drafted_at=now,
                changed_at=now,
                replaced="",
                text=text,
            )
            store.add(conn, new)
            return _Done(Act.DRAFTED, policy.ref.sha256)

        return self._changed(act)

    def approve(self, sha256: str) -> Changed:
        """Approve a document of somebody else's.

        Raises:
            NoSuchDocument: the book has none of this name.
            OwnDocument: the actor wrote it.
            NotApproved: the actor is shut out.
            MoveNotPossible: the actor's approval is there already.
        """

        def act(conn: Connection, now: datetime) -> _Done:
            document = _found(conn, sha256)
            approval = Approval.TWO_PEOPLE
            if document.author == self.actor:
                approval = self.book.approval
                if approval is Approval.TWO_PEOPLE:
                    raise OwnDocument(short(document.ref))
            if people.actor(conn, self.actor).disabled_at is not None:
                raise NotApproved(f"{self.actor} is shut out and approves nothing")
            if self.actor in store.approvers(conn, sha256):
                raise MoveNotPossible(f"you have approved {short(document.ref)} already")
            store.approve(conn, sha256, self.actor, now)
            return _Done(Act.APPROVED, sha256, {"approval": approval.value})

        return self._changed(act)

    def promote(
        self, sha256: str, to: State, *, percent: float | None = None, seen: int | None = None
    ) -> Changed:
        """Let a document say what it would (`shadow`), decide for some (`canary`), or be live.

        Raises:
            NoSuchDocument: the book has none of this name.
            MoveNotPossible: it cannot go there from where it is, or the place is taken.
            ShareNotPossible: a canary without a share, or another with one.
            NotApproved: nobody but its author approved it.
            DocumentNotWhole: this version of the service cannot load it.
            Overtaken: the book was changed meanwhile.
        """
        share = share_of(to, percent)

        def act(conn: Connection, now: datetime) -> _Done:
            document = _found(conn, sha256)
            require_move(document, to)
            self._require_loads(document)
            if to in NEEDS_APPROVAL:
                self._require_approved(conn, document)
            if to is State.LIVE:
                replaced = self._retire_live(conn, now)
                store.follow(conn, sha256, replaced)
                store.move(conn, sha256, State.LIVE, now)
                return _Done(Act.LIVE, sha256, {"replaces": replaced})
            _require_room(conn, document, to)
            store.move(conn, sha256, to, now, share=share)
            return _Done(_ACTS[to], sha256)

        return self._changed(act, self._seen(seen))

    def retire(self, sha256: str, *, seen: int | None = None) -> Changed:
        """Let a document that is not live say nothing any more; its approvals are spent.

        Raises:
            NoSuchDocument: the book has none of this name.
            MoveNotPossible: it is live, or retired already.
            Overtaken: the book was changed meanwhile.
        """

        def act(conn: Connection, now: datetime) -> _Done:
            document = _found(conn, sha256)
            require_move(document, State.RETIRED)
            _retire(conn, sha256, now)
            return _Done(Act.RETIRED, sha256)

        return self._changed(act, self._seen(seen))

    def rollback(self, why: Why = Why.UNSTATED, *, seen: int | None = None) -> Changed:
        """Make live again what was live before; it was approved then, and needs nobody else.

        Raises:
            NothingBefore: nothing was.
            DocumentNotWhole: this version of the service cannot load it.
            Overtaken: the book was changed meanwhile.
        """

        def act(conn: Connection, now: datetime) -> _Done:
            before = _before(conn)
            self._require_loads(before)
            replaced = self._retire_live(conn, now)
            # What was live before this one stays noted: rolling back again goes further back.
            store.move(conn, before.ref.sha256, State.LIVE, now)
            facts = {"replaces": replaced, "why": why.value}
            return _Done(Act.ROLLED_BACK, before.ref.sha256, facts)

        return self._changed(act, self._seen(seen))

    def set_plan(self, project: str, plan: str) -> Receipt:
        """Put a project on a plan, which policies may tell cases apart by; empty for none.

        Raises:
            NoSuchAccount: there is no such project.
            PlanNotPossible: it is no word of at most 40 letters, digits, `-` and `_`.
        """
        if not _PLAN.fullmatch(plan):
            raise PlanNotPossible(
                f"{plan[:40]!r}: a plan is up to 40 lower-case letters, digits, - and _"
            )
        now = self.clock()
        with self.book.database.transaction() as conn:
            store.locked(conn)
            people.set_plan(conn, project, plan)
            store.touch(conn)
            facts: Mapping[str, Json] = {"project": project, "plan": plan}
            key = self.log.stage(conn, self._entry("project.planned", now, facts))
        return self.log.settle(key)

    def _seen(self, seen: int | None) -> int:
        if seen is not None:
            return seen
        with self.book.database.reading() as conn:
            return store.moves(conn)

    def _changed(self, doing: _Doing, seen: int | None = None) -> Changed:
        now = self.clock()
        with self.book.database.transaction() as conn:
            moves = store.locked(conn)
            if seen is not None and moves != seen:
                raise Overtaken(f"the book has moved {moves - seen} times since you looked")
            done = doing(conn, now)
            if seen is not None:
                store.note_move(conn)
            changed = _found(conn, done.sha256)
            store.note(conn, done.sha256, Change(done.act, self.actor, now, changed.share))
            facts = facts_of(changed, self.actor, done.facts)
            key = self.log.stage(conn, self._entry(f"policy.{done.act}", now, facts))
        # Committed: other processes decide by it from here on.
        return Changed(changed, self.log.settle(key))

    def _entry(self, kind: str, now: datetime, facts: Mapping[str, Json]) -> Entry:
        return Entry(
            key=new_id("act", now),
            type=kind,
            at=now,
            actor=self.actor,
            project=self.project,
            facts=facts,
        )

    def _require_loads(self, document: Document) -> None:
        if not document.is_whole:
            raise DocumentNotWhole(f"the text of {short(document.ref)} was changed")
        try:
            self.book.load(document.text)
        except PolicyRefused as refused:
            raise DocumentNotWhole(
                f"{short(document.ref)} does not load in this version: {refused}"
            ) from refused

    def _require_approved(self, conn: Connection, document: Document) -> None:
        approvers = store.approvers(conn, document.ref.sha256)
        if self.book.approval is Approval.TWO_PEOPLE:
            approvers -= {document.author}
        if not approvers:
            raise NotApproved(f"{short(document.ref)} needs the approval of a second person")

    def _retire_live(self, conn: Connection, now: datetime) -> str:
        live = _live(conn).ref.sha256
        _retire(conn, live, now)
        store.note(conn, live, Change(Act.RETIRED, self.actor, now, 0))
        return live


def facts_of(document: Document, by: str, more: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return what the log says about a change."""
    ref = document.ref
    facts: dict[str, Json] = {
        "policy": {"id": ref.id, "version": ref.version, "sha256": ref.sha256},
        "by": by,
        **more,
    }
    if document.state is State.CANARY:
        facts["percent"] = document.percent
    return facts


def _found(conn: Connection, sha256: str) -> Document:
    document = store.document(conn, sha256)
    if document is None:
        raise NoSuchDocument(sha256)
    return document


def _live(conn: Connection) -> Document:
    lives = store.in_states(conn, {State.LIVE})
    if not lives:
        raise BookBroken("no policy is live")
    return lives[0]


def _before(conn: Connection) -> Document:
    live = _live(conn)
    before = store.document(conn, live.replaced) if live.replaced else None
    if before is None:
        raise NothingBefore(f"nothing was live before {short(live.ref)}")
    return before


def _retire(conn: Connection, sha256: str, now: datetime) -> None:
    store.move(conn, sha256, State.RETIRED, now)
    store.spend(conn, sha256, now)


def _require_room(conn: Connection, document: Document, to: State) -> None:
    others = [one for one in store.in_states(conn, {to}) if one.ref != document.ref]
    if to is State.CANARY and others:
        raise MoveNotPossible(f"{short(others[0].ref)} is the canary: promote or retire it first")
    if to is State.SHADOW and len(others) >= MAX_SHADOWS:
        raise MoveNotPossible(f"{MAX_SHADOWS} policies are in shadow: retire one first")
