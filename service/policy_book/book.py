"""Which policies decide now, as every process sees it with its next decision.

The book counts its changes in one row. A decision reads that number; only where it is another
than the last one are the documents read again, and only a document that is new here is parsed.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from service.accounts import people
from service.database import Database
from service.policy_book import Policy, PolicyRefused, overrides, store
from service.policy_book.states import (
    Approval,
    BookBroken,
    Document,
    NoSuchDocument,
    State,
    in_share,
    short,
)

Load = Callable[[bytes], Policy]
"""Returns the policy in a document, or raises `PolicyRefused`."""

# Enough for every document that is live, shadow or canary, and a page of old decisions.
_KEPT = 64
_STANDING = (State.SHADOW, State.CANARY, State.LIVE)


@dataclass(frozen=True, slots=True)
class Canary:
    """A policy that decides for some actors; `share` is in hundredths of a percent."""

    policy: Policy
    share: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Which policies decide, and which only say what they would.

    Attributes:
        overrides_until: when the last override lapses; None where there is none.
    """

    version: int
    live: Policy
    canary: Canary | None = None
    shadows: tuple[Policy, ...] = ()
    overrides_until: datetime | None = None

    def policy_for(self, project: str, actor: str) -> Policy:
        """Return the policy that decides for this actor: the same one until the book changes."""
        if self.canary is not None and in_share(
            self.canary.policy.ref.sha256, self.canary.share, project, actor
        ):
            return self.canary.policy
        return self.live


@dataclass(slots=True)
class _Known:
    """One version of the book, and what was looked up under it."""

    standing: Standing
    plans: dict[str, str] = field(default_factory=dict)


class Book:
    """One process's view of the policy book. Safe to use from many threads.

    Args:
        load: says what is a whole policy; it knows the categories and the detectors.
        approval: who may approve; `UNSAFE_SELF` in development only.
    """

    def __init__(
        self, database: Database, load: Load, *, approval: Approval = Approval.TWO_PEOPLE
    ) -> None:
        self.database = database
        self.load = load
        self.approval = approval
        self._known: _Known | None = None
        self._lock = threading.Lock()
        self._loaded: dict[str, Policy] = {}

    def standing(self, conn: Connection | None = None) -> Standing:
        """Return what decides now, with a change that was committed a moment ago.

        Raises:
            BookBroken: there is no live document, or a standing one is damaged or not whole.
            DatabaseUnavailable: it cannot be read.
        """
        if conn is None:
            with self.database.reading() as reading:
                return self._current(reading).standing
        return self._current(conn).standing

    def plan(self, conn: Connection, project: str) -> str:
        """Return the plan of a project, or nothing where it has none.

        Raises:
            BookBroken, DatabaseUnavailable: as `standing`.
        """
        plans = self._current(conn).plans
        if project not in plans:
            plans[project] = people.plan(conn, project)
        return plans[project]

    def policy(self, sha256: str) -> Policy | None:
        """Return the policy of this name, whatever its state; None where none can be read.

        None is also what a document is that this version of the service cannot load any more.
        """
        if sha256 in self._loaded:
            return self._loaded[sha256]
        with self.database.reading() as conn:
            document = store.document(conn, sha256)
        if document is None or not document.is_whole:
            return None
        try:
            return self._parsed(document)
        except PolicyRefused:
            return None

    def document(self, sha256: str) -> Document:
        """Return the document of this name.

        Raises:
            NoSuchDocument: there is none.
        """
        with self.database.reading() as conn:
            found = store.document(conn, sha256)
        if found is None:
            raise NoSuchDocument(sha256)
        return found

    def _current(self, conn: Connection) -> _Known:
        version = store.version(conn)
        known = self._known
        if known is not None and known.standing.version == version:
            return known
        if version is None:
            raise BookBroken("the policy book was never begun, or its head is gone")
        with self._lock:
            # Of threads that see a change at once, one reads for all.
            known = self._known
            if known is None or known.standing.version != version:
                known = self._known = _Known(self._read(conn, version))
            return known

    def _read(self, conn: Connection, version: int) -> Standing:
        documents = store.in_states(conn, _STANDING)
        policies = {one.ref.sha256: self._whole(one) for one in documents}
        lives = [one for one in documents if one.state is State.LIVE]
        if len(lives) != 1:
            raise BookBroken(f"{len(lives)} policies are live, and one has to be")
        canaries = [one for one in documents if one.state is State.CANARY]
        return Standing(
            version=version,
            live=policies[lives[0].ref.sha256],
            canary=_canary(policies, canaries[0]) if canaries else None,
            shadows=tuple(
                policies[one.ref.sha256] for one in documents if one.state is State.SHADOW
            ),
            overrides_until=overrides.last(conn),
        )

    def _whole(self, document: Document) -> Policy:
        if not document.is_whole:
            raise BookBroken(f"the text of {short(document.ref)} is not the one it is named by")
        try:
            return self._parsed(document)
        except PolicyRefused as refused:
            raise BookBroken(_mending(document, str(refused))) from refused

    def _parsed(self, document: Document) -> Policy:
        sha256 = document.ref.sha256
        found = self._loaded.get(sha256)
        if found is None:
            found = self.load(document.text)
            while len(self._loaded) >= _KEPT:
                self._loaded.pop(next(iter(self._loaded)), None)
            self._loaded[sha256] = found
        return found


def _canary(policies: Mapping[str, Policy], document: Document) -> Canary:
    return Canary(policies[document.ref.sha256], document.share)


def _mending(document: Document, problems: str) -> str:
    way = "imprimatur policy retire " + document.ref.sha256[:12]
    if document.state is State.LIVE:
        way = "imprimatur policy draft FILE, approve and promote it --to live"
    return (
        f"the {document.state} policy {short(document.ref)} does not load in this version: "
        f"{problems}; mend it with `{way}`"
    )
