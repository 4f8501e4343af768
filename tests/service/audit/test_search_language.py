"""Queries as text: what they mean, that printing and reading agree, and where they are wrong."""

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.search.language import (
    END,
    KNOWN,
    MAX_CHARACTERS,
    MAX_CONDITIONS,
    MAX_DEPTH,
    QueryError,
    parsed,
    printed,
)
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
from service.audit.search.terms import DOTTED, NAMES

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
BLOCKED, HELD = Term("verdict", "block"), Term("verdict", "hold")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", EVERYTHING),
        (" \n ", EVERYTHING),
        ("verdict:block", BLOCKED),
        ("VERDICT = block", BLOCKED),
        ("verdict:AND", Term("verdict", "AND")),
        (
            "verdict:block AND reason:likeness.* AND t>=2026-11-01",
            All((BLOCKED, Term("reason", "likeness.*"), Since(NOVEMBER))),
        ),
        (
            "verdict:block or verdict:hold and not actor:act_1",
            AnyOf((BLOCKED, All((HELD, Not(Term("actor", "act_1")))))),
        ),
        (
            "(verdict:block OR verdict:hold) AND actor:act_1",
            All((AnyOf((BLOCKED, HELD)), Term("actor", "act_1"))),
        ),
        ("NOT NOT verdict:block", Not(Not(BLOCKED))),
        ('detector:"a \\"b\\\\ c"', Term("detector", 'a "b\\ c')),
        ("register:claims:18231", Term("register", "claims:18231")),
        ("video:video_1", Term("job", "video_1")),
        ("t<2026-11-01", Before(NOVEMBER)),
        ("t>2026-11-01", Since(NOVEMBER + timedelta(days=1))),
        ("t<=2026-11-01", Before(NOVEMBER + timedelta(days=1))),
        ("time:2026-11-01", All((Since(NOVEMBER), Before(NOVEMBER + timedelta(days=1))))),
        ("t>=2026-11-01T02:00+02:00", Since(NOVEMBER)),
        ("t>2026-11-01T00:00:00.5Z", Since(NOVEMBER + timedelta(seconds=0.500001))),
        ("t>=-7d", Since(NOW - timedelta(days=7))),
        ("t>=1793491200", Since(NOVEMBER)),
        ("t<-90m", Before(NOW - timedelta(minutes=90))),
        ("index>=100", Places(100, END)),
        ("index>100", Places(101, END)),
        ("index<100", Places(0, 100)),
        ("index<=100", Places(0, 101)),
        ("index:100", Places(100, 101)),
    ],
)
def test_a_query_means_what_it_says(text: str, meant: Query) -> None:
    assert parsed(text, NOW) == meant
    assert parsed(printed(meant), NOW) == meant


def canonical() -> st.SearchStrategy[Query]:
    """Return every tree that a text can stand for."""
    values = st.text(string.printable[:95], min_size=1, max_size=20).filter(
        lambda value: "*" not in value
    )
    moments = st.datetimes(datetime(1970, 1, 2), datetime(8999, 12, 30), timezones=st.just(UTC))
    leaves = st.one_of(
        st.builds(Term, st.sampled_from(NAMES), values),
        st.builds(Term, st.sampled_from(sorted(DOTTED)), values.map(lambda one: one + ".*")),
        st.builds(Since, moments),
        st.builds(Before, moments),
        st.builds(Places, st.just(0), st.integers(0, END)),
        st.builds(Places, st.integers(0, END), st.just(END)),
    )
    return st.recursive(
        leaves,
        lambda part: st.one_of(
            st.builds(Not, part),
            st.builds(All, st.lists(part, min_size=2, max_size=4).map(tuple)),
            st.builds(AnyOf, st.lists(part, min_size=2, max_size=4).map(tuple)),
        ),
        max_leaves=12,
    )


@given(canonical())
def test_what_is_printed_is_read_as_the_same_query(query: Query) -> None:
    text = printed(query)
    if len(text) > MAX_CHARACTERS:
        return

    assert parsed(text, NOW) == query


@given(st.text(max_size=60) | st.text('ab:>=<()" \\*.ANDORT-0', max_size=60))
def test_any_text_is_a_query_or_an_error_with_its_place(text: str) -> None:
    try:
        query = parsed(text, NOW)
    except QueryError as wrong:
        assert 0 <= wrong.start <= wrong.end <= len(text)
        assert wrong.message
        assert wrong.line >= 1
        assert wrong.column >= 1
    else:
        assert parsed(printed(query), NOW) == query


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("verdict:block verdict:hold", "verdict:hold", "two conditions need AND or OR"),
        ("verdict:block %", "%", "two conditions need AND or OR"),
        ("verdict:", "", "ends before a value"),
        ("verdict", "", "ends before : or a comparison"),
        ("verdict:block AND", "", "ends before a condition"),
        ("verdct:block", "verdct", "there is no name verdct"),
        ("actor:act_*", "*", "what follows a dot"),
        ("reason:like*", "*", "what follows a dot"),
        ("reason:*", "*", "what follows a dot"),
        ("reason:.*", "*", "what follows a dot"),
        ("reason:*.sexual", "*", "what follows a dot"),
        ('reason:"a.*b"', "*", "what follows a dot"),
        ("(verdict:block", "", "ends before the closing )"),
        ("verdict:block)", ")", "there is no ( for this )"),
        ("()", ")", "a condition such as"),
        ('actor:"abc', '"abc', "the quotation is not closed"),
        ('actor:""', '""', "the value is empty"),
        ("actor:a\0b", "a\0b", "printable"),
        ("actor:" + "a" * 201, "a" * 201, "over 200 characters"),
        ("verdict!=block", "!=block", "there is no !="),
        ("verdict>block", ">", "no order to compare"),
        ("t>=2026-02-30", "2026-02-30", "no such time"),
        ("t>=2026-11-01T08:00", "2026-11-01T08:00", "no zone"),
        ("t>=yesterday", "yesterday", "this is no time"),
        ("t>=1066-10-14", "1066-10-14", "outside of 1970"),
        ("t>=-999999w", "-999999w", "no such time"),
        ("index>=-1", "-1", "whole number"),
        ("index>=99999999999999999999", "99999999999999999999", "whole number"),
        ("index>=٣", "٣", "whole number"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, at: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parsed(text, NOW)

    wrong = caught.value
    assert text[wrong.start : wrong.end] == at
    assert said in wrong.message


def test_a_place_is_a_line_and_a_column_too() -> None:
    with pytest.raises(QueryError) as caught:
        parsed("verdict:block AND\n  foo:bar", NOW)

    assert (caught.value.line, caught.value.column) == (2, 3)


def test_a_name_that_is_nearly_one_is_told_which() -> None:
    with pytest.raises(QueryError) as caught:
        parsed("verdct:block", NOW)

    assert "did you mean verdict?" in caught.value.remedy
    assert "type, verdict" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(" * 900 + "verdict:block" + ")" * 900, ""),
        ("NOT " * MAX_DEPTH + "verdict:block", "nested over 20 deep"),
        ("NOT " * 490 + "verdict:block", "nested over 20 deep"),
        (" OR ".join(["mode:x"] * MAX_CONDITIONS), ""),
        (" OR ".join(["mode:x"] * (MAX_CONDITIONS + 1)), "at most 50 conditions"),
        ("mode:" + "x" * MAX_CHARACTERS, "at most 2000 characters"),
    ],
)
def test_a_query_has_bounds(text: str, said: str) -> None:
    if not said:
        parsed(text, NOW)
        return
    with pytest.raises(QueryError, match=said):
        parsed(text, NOW)


def test_every_name_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()

    assert [name for name in KNOWN if f"`{name}`" not in documented] == []
