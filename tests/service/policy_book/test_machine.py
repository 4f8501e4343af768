"""Whatever people do in whatever order: one policy is live, and somebody else approved it."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service import accounts
from service.policy_book import store
from service.policy_book.states import BookError, State
from tests.service.policy_book.builders import a_document, a_library

PEOPLE = 3
VERSIONS = st.integers(1, 4)
ACTORS = st.integers(0, PEOPLE - 1)


class PolicyBook(RuleBasedStateMachine):
    """Keeps its own account of who wrote and who approved what."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        home = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.library = self.stack.enter_context(a_library(Path(home)))
        self.people = [self.library.person() for _ in range(PEOPLE)]
        self.documents: dict[int, str] = {}
        self.authors: dict[str, str] = {}
        self.approvers: dict[str, set[str]] = {}
        self.were_live = [self.live()]

    def teardown(self) -> None:
        self.stack.close()

    def live(self) -> str:
        return self.library.other_book().standing().live.ref.sha256

    @rule(version=VERSIONS, who=ACTORS)
    def draft(self, version: int, who: int) -> None:
        try:
            made = self.library.by(self.people[who]).draft(a_document(str(version)))
        except BookError:
            assert version in self.documents
            return
        self.documents[version] = made.document.ref.sha256
        self.authors[made.document.ref.sha256] = self.people[who]

    @rule(version=VERSIONS, who=ACTORS)
    def approve(self, version: int, who: int) -> None:
        sha256 = self.documents.get(version, "0" * 64)
        try:
            self.library.by(self.people[who]).approve(sha256)
        except BookError:
            return
        self.approvers.setdefault(sha256, set()).add(self.people[who])

    @rule(
        version=VERSIONS,
        who=ACTORS,
        to=st.sampled_from([State.SHADOW, State.CANARY, State.LIVE]),
        percent=st.none() | st.sampled_from([0.01, 5.0, 100.0]),
    )
    def promote(self, version: int, who: int, to: State, percent: float | None) -> None:
        sha256 = self.documents.get(version, "0" * 64)
        try:
            self.library.by(self.people[who]).promote(sha256, to, percent=percent)
        except BookError:
            return
        if to in {State.CANARY, State.LIVE}:
            assert self.approvers[sha256] - {self.authors[sha256]}
        if to is State.LIVE:
            self._retired(self.were_live[-1])
            self.were_live.append(self.live())

    @rule(version=VERSIONS, who=ACTORS)
    def retire(self, version: int, who: int) -> None:
        sha256 = self.documents.get(version, "0" * 64)
        try:
            self.library.by(self.people[who]).retire(sha256)
        except BookError:
            return
        assert sha256 != self.were_live[-1]
        self._retired(sha256)

    @rule(who=ACTORS)
    def roll_back(self, who: int) -> None:
        before = self.live()
        try:
            self.library.by(self.people[who]).rollback()
        except BookError:
            assert self.live() == before
            return
        assert self.live() != before
        assert self.live() in self.were_live
        self._retired(before)
        self.were_live.append(self.live())

    @rule(who=ACTORS)
    def shut_out(self, who: int) -> None:
        """Their approvals do not count from now on; somebody new takes the place."""
        with self.library.database.transaction() as conn:
            accounts.disable_actor(conn, self.people[who], self.library.clock())
        for approvers in self.approvers.values():
            approvers.discard(self.people[who])
        self.people[who] = self.library.person()

    @invariant()
    def exactly_one_is_live(self) -> None:
        with self.library.database.reading() as conn:
            lives = store.in_states(conn, {State.LIVE})
            canaries = store.in_states(conn, {State.CANARY})
        assert [one.ref.sha256 for one in lives] == [self.were_live[-1]]
        assert len(canaries) <= 1

    @invariant()
    def every_process_agrees(self) -> None:
        assert self.library.book.standing() == self.library.other_book().standing()

    def _retired(self, sha256: str) -> None:
        self.approvers.pop(sha256, None)


TestPolicyBook = PolicyBook.TestCase
TestPolicyBook.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
