"""The search index under stress: many at once, cut off, thrown away, and lied to."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.audit import store
from service.audit.errors import IndexBroken, LogTampered
from service.audit.log import AuditLog
from service.audit.reading import EntryFilter
from service.audit.search import index
from service.audit.search.checking import Fault
from service.audit.search.index import TermIndex
from service.audit.search.postings import CHUNK
from service.audit.search.query import EVERYTHING, All, Not, Term
from service.database import Database, metadata
from tests.service.audit.builders import a_database, a_log, an_entry

BLOCKED = Term("verdict", "block")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind, one after the other."""
    if request.param == "sqlite":
        made = a_database(tmp_path)
    else:
        made = Database(request.getfixturevalue("postgres_url"))
        metadata.create_all(made.engine)
    yield made
    made.close()


def a_few(log: AuditLog, count: int = 20) -> None:
    """Log entries of which every fifth is blocked."""
    log.append_many(
        [
            an_entry(f"d{at}", facts={"verdict": "allow" if at % 5 else "block"})
            for at in range(count)
        ]
    )


def changed(database: Database, statement: str) -> None:
    with database.transaction() as conn:
        conn.exec_driver_sql(statement)


def found(log: AuditLog, query: index.Pair | None = None) -> list[int]:
    asked = Term(*query) if query else BLOCKED
    with log.finding() as (finder, read):
        return [one.index for one in read(asked, finder.every_place(asked))]


def test_a_word_that_no_entry_has_finds_nothing_and_breaks_nothing(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)

        assert found(log, ("actor", "act_nobody")) == []
        assert log.entries(EntryFilter(actor="act_nobody")) == []
        with log.finding() as (finder, _):
            assert finder.count(Not(Term("actor", "act_nobody"))) == 20
            assert finder.count(All((BLOCKED, Term("actor", "act_nobody")))) == 0


def test_threads_that_index_at_once_index_each_entry_once(either: Database) -> None:
    with a_log(either) as log:
        a_few(log, 3000)
        log.forget_index()
        indexes = [TermIndex(either) for _ in range(4)]
        threads = [threading.Thread(target=one.catch_up, args=(3000,)) for one in indexes]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert found(log) == list(range(0, 3000, 5))
        assert log.check_index().sound


def test_a_process_whose_index_was_thrown_away_by_another_goes_on(either: Database) -> None:
    with a_log(either) as log, a_log(either) as other:
        a_few(log)
        assert found(log) == found(other) == [0, 5, 10, 15]

        other.forget_index()
        log.append(an_entry("late", facts={"verdict": "block"}))

        assert found(log) == found(other) == [0, 5, 10, 15, 20]
        assert other.check_index().sound


def test_a_crash_while_indexing_leaves_what_was_before(either: Database) -> None:
    with a_log(either) as log:
        a_few(log, 10)
        log.forget_index()

        class Killed(Exception):
            """Stands for a process that dies."""

        advancing = TermIndex(either)
        with pytest.raises(Killed), either.transaction() as conn:
            advancing._locked(conn)
            advancing._write(conn, 0, {("verdict", "block"): [0, 5]}, 0)
            raise Killed

        assert found(log) == [0, 5]
        assert log.check_index().sound


def test_an_index_of_another_edition_is_made_anew(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        changed(either, "DELETE FROM log_posting")
        changed(either, "UPDATE log_indexed SET edition = edition - 1")

        assert found(log) == [0, 5, 10, 15]
        assert log.check_index().sound


def test_entries_logged_while_somebody_asks_are_not_in_that_answer(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)
        with log.finding() as (finder, read):
            log.append(an_entry("late", facts={"verdict": "block"}))
            log._index.catch_up(21)

            assert [one.index for one in read(BLOCKED, finder.every_place(BLOCKED))] == [
                0,
                5,
                10,
                15,
            ]
            assert finder.count(EVERYTHING) == 20

        assert found(log)[-1] == 20


def test_a_term_that_spans_chunks_is_found_in_all_of_them(database: Database) -> None:
    with a_log(database) as log:
        a_few(log, 2 * CHUNK + 10)

        assert found(log) == list(range(0, 2 * CHUNK + 10, 5))


def _forged(database: Database, places: bytes) -> None:
    query = (
        "UPDATE log_posting SET places = ? WHERE term IN"
        " (SELECT id FROM log_term WHERE value = 'block')"
    )
    with database.transaction() as conn:
        store.run(conn, query, [(places,)])


def test_a_forged_posting_is_refused_and_named(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        _forged(either, b"\0\0\x01\0")

        with pytest.raises(IndexBroken, match="entry 1,"):
            found(log)
        checked = log.check_index()

    assert {(one.fault, one.place, one.value) for one in checked.differences} == {
        (Fault.INVENTED, 1, "block"),
        (Fault.HIDDEN, 5, "block"),
        (Fault.HIDDEN, 10, "block"),
        (Fault.HIDDEN, 15, "block"),
    }


@pytest.mark.parametrize("places", [b"\xff\xff", b"\xff\xff\x05", b"", b"\xff" * 2000])
def test_places_that_are_none_break_nothing(either: Database, places: bytes) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        _forged(either, places)

        with log.finding() as (finder, _):
            assert finder.places(BLOCKED, newest=True, limit=9) == []
        assert len(log.check_index().differences) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log_posting",
        "DELETE FROM log_term WHERE value = 'block'",
        "UPDATE log_term SET first = 7, last = 7 WHERE value = 'block'",
        "UPDATE log_term SET value = 'blocked' WHERE value = 'block'",
    ],
)
def test_entries_that_an_index_hides_are_named_and_found_again_when_it_is_made_anew(
    either: Database, statement: str
) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        changed(either, statement)
        hidden = found(log)
        named = log.check_index()
        log.forget_index()

        assert hidden == []
        assert not named.sound
        assert {one.place for one in named.differences if one.value == "block"} == {0, 5, 10, 15}
        assert found(log) == [0, 5, 10, 15]
        assert log.check_index().sound


def test_an_index_that_claims_to_be_further_than_it_is_hides_and_is_named(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        changed(either, "UPDATE log_indexed SET size = 1000")
        log.append(an_entry("late", facts={"verdict": "block"}))

        assert 20 in {one.place for one in log.check_index().differences}


def test_what_was_changed_in_the_log_itself_is_not_shown(either: Database) -> None:
    with a_log(either) as log:
        a_few(log)
        found(log)
        with either.transaction() as conn:
            store.run(conn, "UPDATE log_entry SET leaf = ? WHERE place = 5", [(b"{}",)])

        with pytest.raises(LogTampered, match="entry 5"):
            found(log)
        assert log.check_index().differences
