"""Who may change the policy book, in which order, and that the log knows of each change."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from service import accounts
from service.audit.reading import EntryFilter
from service.policy_book import PolicyRefused, store
from service.policy_book.changes import MAX_SHADOWS
from service.policy_book.states import (
    Act,
    Approval,
    BookBroken,
    BookError,
    DocumentNotWhole,
    MoveNotPossible,
    NoSuchDocument,
    NotApproved,
    NothingBefore,
    Overtaken,
    OwnDocument,
    PlanNotPossible,
    ShareNotPossible,
    State,
    Why,
)
from tests.service.policy_book.builders import Library, a_document, a_library


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_library(tmp_path, url=url) as opened:
        yield opened


def drafted(library: Library, version: str, author: str = "") -> str:
    made = library.by(author or library.person()).draft(a_document(version))
    return made.document.ref.sha256


def approved(library: Library, version: str) -> str:
    sha256 = drafted(library, version)
    library.by(library.person()).approve(sha256)
    return sha256


def live(library: Library) -> str:
    return library.book.standing().live.ref.sha256


def test_a_document_goes_from_draft_by_shadow_and_canary_to_live(library: Library) -> None:
    before, author = live(library), library.person()
    sha256 = drafted(library, "2", author)
    changes = library.by(author)

    changes.promote(sha256, State.SHADOW)
    assert [one.ref.sha256 for one in library.book.standing().shadows] == [sha256]
    library.by(library.person()).approve(sha256)
    changes.promote(sha256, State.CANARY, percent=5)
    canary = library.book.standing().canary
    assert canary is not None
    assert (canary.policy.ref.sha256, canary.share) == (sha256, 500)
    assert live(library) == before
    changes.promote(sha256, State.LIVE)

    standing = library.book.standing()
    assert standing.live.ref.sha256 == sha256
    assert standing.canary is None
    assert standing.shadows == ()
    assert library.book.document(before).state is State.RETIRED


def test_each_change_is_an_entry_of_the_log_without_the_text(library: Library) -> None:
    author, second = library.person(), library.person()
    sha256 = drafted(library, "2", author)
    library.by(author).promote(sha256, State.SHADOW)
    library.by(second).approve(sha256)
    library.by(author).promote(sha256, State.CANARY, percent=0.25)
    library.by(second).promote(sha256, State.LIVE)
    library.by(second).rollback(Why.MISSED_HARM)

    logged = library.log.entries(EntryFilter(limit=100))
    told = [(one.type, one.actor) for one in reversed(logged)]
    assert told == [
        ("policy.live", ""),
        ("policy.drafted", author),
        ("policy.shadowed", author),
        ("policy.approved", second),
        ("policy.canary", author),
        ("policy.live", second),
        ("policy.rolled_back", second),
    ]
    by_type = {one.type: one.facts for one in reversed(logged)}
    assert by_type["policy.canary"]["percent"] == 0.25
    assert by_type["policy.approved"]["approval"] == "two_people"
    assert by_type["policy.rolled_back"]["why"] == "missed_harm"
    assert by_type["policy.rolled_back"]["replaces"] == sha256
    assert all("remedy" not in str(one.facts) for one in logged)


def test_a_receipt_is_for_an_entry_that_is_in_the_tree(library: Library) -> None:
    made = library.by(library.person()).draft(a_document("2"))

    entry = library.log.entry(made.receipt.index)
    assert entry.type == "policy.drafted"
    assert made.receipt.tree_size > made.receipt.index


def test_history_says_who_did_what(library: Library) -> None:
    author, second = library.person(), library.person()
    sha256 = drafted(library, "2", author)
    library.by(second).approve(sha256)
    library.by(author).promote(sha256, State.LIVE)
    library.by(second).rollback()

    with library.database.reading() as conn:
        history = store.history(conn, sha256)
    assert [(one.act, one.actor) for one in history] == [
        (Act.DRAFTED, author),
        (Act.APPROVED, second),
        (Act.LIVE, author),
        (Act.RETIRED, second),
    ]


@pytest.mark.parametrize("to", [State.CANARY, State.LIVE])
def test_nothing_decides_before_a_second_person_has_approved_it(
    library: Library, to: State
) -> None:
    author = library.person()
    sha256 = drafted(library, "2", author)
    percent = 5.0 if to is State.CANARY else None

    with pytest.raises(NotApproved):
        library.by(author).promote(sha256, to, percent=percent)
    with pytest.raises(OwnDocument):
        library.by(author).approve(sha256)
    with pytest.raises(NotApproved):
        library.by(library.person()).promote(sha256, to, percent=percent)

    assert library.book.document(sha256).state is State.DRAFT


def test_the_approval_of_somebody_shut_out_does_not_count(library: Library) -> None:
    second = library.person()
    sha256 = drafted(library, "2")
    library.by(second).approve(sha256)
    with library.database.transaction() as conn:
        accounts.disable_actor(conn, second, library.clock())

    with pytest.raises(NotApproved):
        library.by(second).promote(sha256, State.LIVE)
    with pytest.raises(NotApproved):
        library.by(second).approve(drafted(library, "3"))


def test_retiring_spends_the_approvals(library: Library) -> None:
    sha256 = approved(library, "2")
    library.by(library.person()).retire(sha256)

    with pytest.raises(NotApproved):
        library.by(library.person()).promote(sha256, State.LIVE)


def test_in_development_an_author_may_approve_and_the_log_says_so(tmp_path: Path) -> None:
    with a_library(tmp_path, approval=Approval.UNSAFE_SELF) as library:
        author = library.person()
        sha256 = drafted(library, "2", author)
        library.by(author).approve(sha256)
        made = library.by(author).promote(sha256, State.LIVE)

        assert made.document.state is State.LIVE
        (entry,) = library.log.entries(EntryFilter(type="policy.approved"))
        assert entry.facts["approval"] == "unsafe_self_approval"


def test_production_does_not_count_what_an_author_approved_in_development(tmp_path: Path) -> None:
    with a_library(tmp_path, approval=Approval.UNSAFE_SELF) as library:
        author = library.person()
        sha256 = drafted(library, "2", author)
        library.by(author).approve(sha256)

        with pytest.raises(NotApproved):
            library.by(author, library.other_book()).promote(sha256, State.LIVE)


def test_rolling_back_twice_goes_back_twice_and_then_no_further(library: Library) -> None:
    first = live(library)
    second, third = approved(library, "2"), approved(library, "3")
    anyone = library.by(library.person())
    anyone.promote(second, State.LIVE)
    anyone.promote(third, State.LIVE)

    assert anyone.rollback().document.ref.sha256 == second
    assert live(library) == second
    assert anyone.rollback().document.ref.sha256 == first
    assert live(library) == first
    with pytest.raises(NothingBefore):
        anyone.rollback()
    assert live(library) == first


def test_what_is_live_is_never_simply_retired(library: Library) -> None:
    with pytest.raises(MoveNotPossible, match="is live"):
        library.by(library.person()).retire(live(library))
    with pytest.raises(MoveNotPossible, match="is live"):
        library.by(library.person()).promote(live(library), State.SHADOW)


def test_there_is_one_canary_and_a_handful_of_shadows(library: Library) -> None:
    anyone = library.by(library.person())
    anyone.promote(approved(library, "2"), State.CANARY, percent=1)
    with pytest.raises(MoveNotPossible, match="is the canary"):
        anyone.promote(approved(library, "3"), State.CANARY, percent=1)

    for number in range(MAX_SHADOWS):
        anyone.promote(drafted(library, f"shadow-{number}"), State.SHADOW)
    with pytest.raises(MoveNotPossible, match="in shadow"):
        anyone.promote(drafted(library, "one more"), State.SHADOW)


def test_a_canary_can_be_widened_and_stepped_back(library: Library) -> None:
    anyone, sha256 = library.by(library.person()), approved(library, "2")
    anyone.promote(sha256, State.CANARY, percent=1)

    assert anyone.promote(sha256, State.CANARY, percent=12.34).document.share == 1234
    assert anyone.promote(sha256, State.SHADOW).document.share == 0


@pytest.mark.parametrize("percent", [None, 0, -1, 100.01, 0.005, 1.234, float("nan")])
def test_a_share_that_is_none_is_refused(library: Library, percent: float | None) -> None:
    with pytest.raises(ShareNotPossible):
        library.by("act_x").promote(approved(library, "2"), State.CANARY, percent=percent)


def test_only_a_canary_has_a_share(library: Library) -> None:
    with pytest.raises(ShareNotPossible):
        library.by("act_x").promote(approved(library, "2"), State.LIVE, percent=5)


def test_the_same_text_is_one_document(library: Library) -> None:
    drafted(library, "2")

    with pytest.raises(MoveNotPossible, match="already"):
        drafted(library, "2")


def test_what_is_no_policy_is_not_stored(library: Library) -> None:
    with pytest.raises(PolicyRefused):
        library.by("act_x").draft(b"id: x")

    with library.database.reading() as conn:
        assert store.count(conn) == 1


def test_an_unknown_document_is_said_to_be_one(library: Library) -> None:
    for act in (library.by("act_x").approve, library.by("act_x").retire):
        with pytest.raises(NoSuchDocument):
            act("0" * 64)


def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told(library: Library) -> None:
    shas = [approved(library, str(number)) for number in range(6)]
    with library.database.reading() as conn:
        seen = store.moves(conn)
    ready, told = threading.Barrier(len(shas)), list[BookError]()

    def promote(sha256: str) -> None:
        changes = library.by(library.person(), library.other_book())
        ready.wait()
        try:
            changes.promote(sha256, State.LIVE, seen=seen)
        except Overtaken as late:
            told.append(late)

    threads = [threading.Thread(target=promote, args=(sha256,)) for sha256 in shas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told) == len(shas) - 1
    assert live(library) in shas


def test_a_change_that_cannot_be_logged_did_not_happen(library: Library) -> None:
    sha256 = drafted(library, "2")
    before = library.book.standing()

    with pytest.raises(Exception, match="printable"):
        library.by("an actor with spaces").promote(sha256, State.SHADOW)

    assert library.book.document(sha256).state is State.DRAFT
    assert library.book.standing() is before


def test_a_text_that_was_changed_where_it_lies_goes_nowhere(library: Library) -> None:
    sha256 = approved(library, "2")
    with library.database.transaction() as conn:
        conn.execute(
            text("UPDATE policy_document SET text = :other WHERE sha256 = :sha256"),
            {"other": a_document("3"), "sha256": sha256},
        )

    with pytest.raises(DocumentNotWhole):
        library.by(library.person()).promote(sha256, State.LIVE)


def test_the_database_itself_holds_no_two_live_documents(library: Library) -> None:
    sha256 = drafted(library, "2")

    with (
        pytest.raises(Exception, match="error"),
        library.database.transaction() as conn,
    ):
        store.move(conn, sha256, State.LIVE, library.clock())


def test_a_plan_is_seen_at_once_and_logged(library: Library) -> None:
    with library.database.transaction() as conn:
        project = accounts.create_project(conn, "ours", library.clock()).id
    other = library.other_book()
    with library.database.reading() as conn:
        assert other.plan(conn, project) == ""

    library.by("act_x").set_plan(project, "research")

    with library.database.reading() as conn:
        assert other.plan(conn, project) == "research"
        assert other.plan(conn, "proj_unknown") == ""
    (entry,) = library.log.entries(EntryFilter(type="project.planned"))
    assert entry.facts["plan"] == "research"
    with pytest.raises(PlanNotPossible):
        library.by("act_x").set_plan(project, "Gold Plan")


def test_a_book_without_its_head_decides_nothing(library: Library) -> None:
    with library.database.transaction() as conn:
        conn.execute(text("DELETE FROM policy_head"))

    with pytest.raises(BookBroken):
        library.other_book().standing()
    with pytest.raises(BookBroken):
        library.book.standing()
