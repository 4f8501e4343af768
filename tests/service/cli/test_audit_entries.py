"""`imprimatur audit entries`, `reindex` and `verify --index`, on books without a single model."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.audit.entries import Entry
from service.cli import opening
from tests.service.cli.conftest import Command

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def logged(command: Command, tmp_path: Path) -> Command:
    """A command line in a home of its own with forty decisions."""
    command.move(tmp_path / "home")
    with opening.first_books(opening.settings()) as books:
        books.log.append_many(
            [
                Entry(
                    key=f"decision:{at}",
                    type="decision.made",
                    at=NOW,
                    request=f"req_{at}",
                    actor=f"act_{at % 30}",
                    facts={"verdict": "block" if at % 5 == 0 else "allow"},
                )
                for at in range(40)
            ]
        )
    return command


def test_entries_are_asked_for_by_a_query(logged: Command) -> None:
    ran = logged("audit", "entries", "-q", "verdict:block AND t>=-7d", "--limit", "3", "--count")
    rest = logged("audit", "entries", "-q", "verdict:block", "--after", "25", "--json").answer
    first = logged("audit", "entries", "--oldest", "--limit", "1", "--json").answer["data"][0]

    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[:3]] == ["35", "30", "25"]
    assert "There are more: --after 25" in ran.out
    assert "8 of 40 entries." in ran.out
    assert [one["index"] for one in rest["data"]] == [20, 15, 10, 5, 0]
    assert first["index"] == 0
    assert logged("audit", "entries", "-q", "actor:act_none AND t<-7d").out == "Nothing.\n"


def test_facets_show_the_commonest_values_and_what_is_cut(logged: Command) -> None:
    shown = logged("audit", "entries", "--facets", "verdict,actor", "--limit", "1").out
    as_json = logged("audit", "entries", "--facets", "verdict", "--json").answer["facets"]

    assert "\nverdict\n      32  allow\n       8  block\n" in shown
    assert "and 10 further values" in shown
    assert as_json["verdict"]["values"][0] == {"value": "allow", "count": 32}
    assert "known are" in logged("audit", "entries", "--facets", "request").err


def test_a_query_that_is_wrong_is_shown_with_a_mark_under_the_place(logged: Command) -> None:
    ran = logged("audit", "entries", "--query", "verdict:block AND verdct:hold")
    long = logged("audit", "entries", "--query", " OR ".join(["verdict:hold"] * 30) + " nonsense")

    assert ran.code == 1
    assert "column 19: there is no name verdct; did you mean verdict?" in ran.err
    assert ran.err.splitlines()[1:] == [
        "  verdict:block AND verdct:hold",
        "                    ^^^^^^",
    ]
    line, mark = long.err.splitlines()[1:]
    assert line[mark.index("^") : mark.index("^") + 8] == "nonsense"
    assert max(len(line), len(mark)) <= 102


def test_who_asks_about_a_person_at_the_machine_is_in_the_log_too(logged: Command) -> None:
    logged("audit", "entries", "-q", "actor:act_1")

    reads = logged("audit", "entries", "--type", "audit.read", "--json").answer["data"]

    assert len(reads) == 1
    assert reads[0]["actor"].startswith("act_")
    assert reads[0]["facts"] == {"by": ["actor"], "entries": 2, "tree_size": 40}


def test_an_index_that_hides_entries_is_named_and_made_anew(logged: Command) -> None:
    logged("audit", "entries", "-q", "verdict:block")
    sound = logged("audit", "verify", "--index", "--json")
    database = sqlite3.connect(logged.home / "imprimatur.sqlite3")
    database.execute("UPDATE log_term SET value = 'x' WHERE value = 'block'")
    database.commit()
    database.close()

    unasked = logged("audit", "verify")
    named = logged("audit", "verify", "--index")
    hidden = logged("audit", "entries", "-q", "verdict:block", "--count").out
    made = logged("audit", "reindex")

    assert (sound.code, sound.answer["index"]) == (0, [])
    assert "Not checked: search index:" in unasked.out
    assert named.code == 20
    assert "index: entry 35 is hidden under verdict:block" in named.out
    assert hidden == "0 of 40 entries.\n"
    assert made.out == "40 entries are indexed anew.\n"
    assert logged("audit", "verify", "--index").code == 0


def test_a_story_is_told_and_an_unknown_id_is_1(logged: Command) -> None:
    told = logged("audit", "story", "req_5")
    as_json = logged("audit", "story", "req_5", "--json").answer
    unknown = logged("audit", "story", "req_500")

    assert told.code == 0
    assert told.out.splitlines()[0] == "req_5"
    assert "✗ It is blocked  #5" in told.out
    assert as_json["events"][0]["index"] == 5
    assert as_json["missing"][0].startswith("no release")
    assert unknown.code == 1
    assert "the log knows no req_500" in unknown.err
