"""`imprimatur audit export`: to stdout or to a new file, and `audit verify FILE` after it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.audit.entries import Entry
from service.cli import opening
from service.cli.export import FORMATS
from service.exports.words import Format
from tests.service.cli.conftest import Command

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def logged(command: Command, tmp_path: Path) -> Command:
    """A command line in a home of its own with twenty decisions."""
    command.move(tmp_path / "home")
    with opening.first_books(opening.settings()) as books:
        books.log.append_many(
            [
                Entry(
                    key=f"decision:{at}",
                    type="decision.made",
                    at=NOW,
                    actor="act_1",
                    project="prj_1" if at % 2 else "prj_2",
                    facts={"verdict": "block" if at % 5 == 0 else "allow", "mode": "enforce"},
                )
                for at in range(20)
            ]
        )
    return command


def test_an_export_is_checked_by_the_log_that_made_it_and_by_its_key_alone(
    logged: Command, tmp_path: Path
) -> None:
    file = tmp_path / "log.jsonl"

    made = logged("audit", "export", "--query", "verdict:block", "--out", file, "--json")
    checked = logged("audit", "verify", file)
    (key,) = logged("audit", "checkpoint", "--json").answer["keys"]
    logged.move(tmp_path / "elsewhere")
    elsewhere = logged("audit", "verify", file, "--key", key, "--json")

    assert made.answer["entries"] == 4
    assert checked.code == elsewhere.code == 0
    assert "4 entries of the first 20, each proved" in checked.out
    assert "asked for: verdict:block" in checked.out
    assert elsewhere.answer["data"][0]["entries"] == 4


def test_a_file_that_was_touched_is_named_with_its_line(logged: Command, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    logged("audit", "export", "--out", file)
    file.write_text(file.read_text().replace('\\"allow\\"', '\\"block\\"', 1))

    ran = logged("audit", "verify", file)

    assert ran.code == 20
    assert "not proved: line 3: entry 1 does not lead to the signed root" in ran.out


@pytest.mark.parametrize("kind", ["jsonl", "csv", "ocsf", "dsa-sor"])
def test_text_goes_to_stdout_and_what_is_said_of_it_does_not(logged: Command, kind: str) -> None:
    ran = logged("audit", "export", "--format", kind, "--project", "prj_1")

    assert ran.code == 0
    assert '"object":"audit.export.end"' in ran.out.replace('""', '"').splitlines()[-1]
    assert "of the log says so" in ran.err


@pytest.mark.parametrize("kind", ["parquet", "sqlite"])
def test_a_file_needs_a_name(logged: Command, tmp_path: Path, kind: str) -> None:
    assert "--out" in logged("audit", "export", "--format", kind).err
    assert logged("audit", "export", "--format", kind, "--out", tmp_path / "log").code == 0
    assert (tmp_path / "log").stat().st_size > 1000


def test_nothing_is_written_over_a_file_and_nothing_half(logged: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")

    assert "there is such a file already" in logged("audit", "export", "--out", file).err
    assert logged("audit", "export", "--out", tmp_path / "no" / "folder").code == 1
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--format", "xml", "known: jsonl, csv"),
        ("--proofs", "some", "each or none"),
        ("--query", "verdit:block", "did you mean verdict"),
        ("--since", "yesterday", "this is no time"),
        ("--project", "a*", "column"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    logged: Command, option: str, value: str, said: str
) -> None:
    ran = logged("audit", "export", option, value)

    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_times_bound_it(logged: Command) -> None:
    for option in ("--since", "--until"):
        ran = logged("audit", "export", option, "2100-01-01")
        assert json.loads(ran.out.splitlines()[0])["query"].startswith("t")


def test_the_command_knows_every_format() -> None:
    assert list(FORMATS) == [one.value for one in Format]
