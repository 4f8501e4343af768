"""The search index: it finds what a look at every entry finds, and nothing that is not there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.audit.log import AuditLog
from service.audit.search.query import (
    EVERYTHING,
    All,
    AnyOf,
    Before,
    Not,
    Places,
    Query,
    Since,
    Term,
)
from service.database import Database, metadata
from tests.service.audit.builders import START, Clock, a_database, a_log
from tests.service.audit.search_builders import CODES, VERDICTS, Known, a_long_log, naively

# Three chunks and a bit.
ENTRIES = 25_000


@dataclass(frozen=True, slots=True)
class Full:
    log: AuditLog
    known: list[Known]

    def places(self, query: Query) -> list[int]:
        return [one.place for one in self.known if naively(query, one)]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    yield from _full(a_database(tmp_path_factory.mktemp("full")))


def _full(database: Database) -> Iterator[Full]:
    clock = Clock()
    with a_log(database, clock=clock) as log:
        yield Full(log, a_long_log(log, clock, ENTRIES))
    database.close()


def queries() -> st.SearchStrategy[Query]:
    terms = st.one_of(
        st.builds(Term, st.just("verdict"), st.sampled_from(VERDICTS)),
        st.builds(Term, st.just("reason"), st.sampled_from((*CODES, "likeness.*", "filters.*"))),
        st.builds(Term, st.just("actor"), st.sampled_from(("act_1", "act_29", "act_none"))),
        st.builds(Term, st.just("request"), st.sampled_from(("req_0", "req_2731", "req_8000"))),
        st.builds(Term, st.just("subject"), st.sampled_from(("lik_0", "lik_4", "lik_9"))),
        st.builds(Term, st.just("project"), st.sampled_from(("prj_1", "none"))),
        st.builds(Term, st.just("type"), st.sampled_from(("policy.live", "review.*"))),
    )
    moments = st.integers(-60, 1200).map(lambda seconds: START + timedelta(seconds=seconds))
    places = st.integers(0, ENTRIES + 10)
    leaves = st.one_of(
        terms,
        st.builds(Since, moments),
        st.builds(Before, moments),
        st.builds(Places, places, places),
    )
    return st.recursive(
        leaves,
        lambda part: st.one_of(
            st.builds(Not, part),
            st.builds(All, st.lists(part, max_size=4).map(tuple)),
            st.builds(AnyOf, st.lists(part, max_size=4).map(tuple)),
        ),
        max_leaves=8,
    )


def _agrees(full: Full, query: Query, after: int, limit: int) -> None:
    wanted = full.places(query)

    with full.log.finding() as (finder, read):
        assert list(finder.every_place(query)) == wanted
        assert finder.count(query) == len(wanted)
        older = finder.places(query, newest=True, after=after, limit=limit)
        assert older == [one for one in reversed(wanted) if one < after][:limit]
        newer = finder.places(query, newest=False, after=after, limit=limit)
        assert newer == [one for one in wanted if one > after][:limit]
        assert [entry.index for entry in read(query, newer[:3])] == newer[:3]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries(), after=st.integers(0, ENTRIES), limit=st.integers(1, 50))
def test_it_finds_what_a_look_at_every_entry_finds(
    full: Full, query: Query, after: int, limit: int
) -> None:
    _agrees(full, query, after, limit)


@pytest.mark.postgres
@pytest.mark.slow
def test_it_finds_the_same_on_postgresql(postgres_url: str) -> None:
    database = Database(postgres_url)
    metadata.create_all(database.engine)
    for full in _full(database):

        @settings(max_examples=60, deadline=None)
        @given(query=queries(), after=st.integers(0, ENTRIES), limit=st.integers(1, 50))
        def agrees(query: Query, after: int, limit: int) -> None:
            _agrees(full, query, after, limit)  # noqa: B023 - called at once

        agrees()
        with full.log.finding() as (finder, _):
            facet = finder.facet(EVERYTHING, "reason", 2)
        assert full.log.check_index().sound
        assert (len(facet.values), facet.others) == (2, 2)


def test_a_facet_counts_values_among_what_was_found(full: Full) -> None:
    query = All((Term("project", "prj_1"), Not(Term("verdict", "allow"))))
    counted = Counter(
        code
        for one in full.known
        if naively(query, one)
        for code in one.has["reason"]
        if not code.endswith("*")
    )

    with full.log.finding() as (finder, _):
        every = finder.facet(query, "reason", 20)
        first = finder.facet(query, "reason", 1)
        nothing = finder.facet(Term("actor", "act_none"), "reason", 20)

    assert dict(every.values) == counted
    assert [many for _, many in every.values] == sorted(counted.values(), reverse=True)
    assert every.others == 0
    assert first.values == every.values[:1]
    assert first.others == len(counted) - 1
    assert nothing.values == ()


def test_a_moment_is_found_as_the_first_entry_at_it_or_later(full: Full) -> None:
    moments = sorted({one.logged_at for one in full.known})

    with full.log.finding() as (finder, _):
        for at in moments[:: len(moments) // 20]:
            first = next(one.place for one in full.known if one.logged_at >= at)
            assert finder.place_at(at) == first
        assert finder.place_at(START - timedelta(days=1)) == 0
        assert finder.place_at(moments[-1] + timedelta(seconds=1)) == finder.size


def test_an_empty_log_has_nothing_to_find(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with a_log(database) as log, log.finding() as (finder, _):
        assert finder.places(EVERYTHING, newest=True, limit=5) == []
        assert finder.count(EVERYTHING) == 0
        assert finder.facet(EVERYTHING, "verdict", 5).values == ()
        assert finder.place_at(START) == 0
        assert log.check_index().sound
    database.close()
