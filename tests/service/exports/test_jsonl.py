"""An export as JSON lines: whoever has the log's key sees that nothing in it was touched."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from service.audit import verify_file
from service.audit.checkpoint import verifier_key
from service.audit.errors import LogTampered
from service.audit.log import AuditLog
from service.audit.search.query import All, Places, Term
from service.audit.store import log_entry
from service.audit.verify_file import NotProved
from service.database import Database, metadata
from service.exports.opening import EXPORTED
from service.exports.words import ExportBroken, Format, Proofs
from service.keys import signing_key
from tests.service.audit.builders import ORIGIN, SIGNER, a_database, a_log
from tests.service.exports.builders import begun, fill, proved, text_of

KEY = verifier_key(ORIGIN, SIGNER.public)


def rewritten(line: str, **members: object) -> str:
    return json.dumps(json.loads(line) | members, ensure_ascii=False, separators=(",", ":")) + "\n"


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(count=st.integers(1, 700))
def test_what_is_exported_is_what_is_in_the_log(
    tmp_path_factory: pytest.TempPathFactory, count: int
) -> None:
    database = a_database(tmp_path_factory.mktemp("log"))
    with a_log(database) as log:
        fill(log, count)

        text = text_of(begun(log, database))

        found = proved(text, KEY)
        assert (found.entries, found.below, found.size) == (count, count, count + 1)
        _, *lines, _ = text.splitlines()
        leaves = [json.loads(line)["leaf"].encode() for line in lines]
        assert leaves == [log.entry(index).leaf for index in range(count)]
    database.close()


def test_a_query_is_exported_whole_and_says_what_is_not_proved(
    log: AuditLog, database: Database
) -> None:
    fill(log, 60)

    found = proved(text_of(begun(log, database, query=Term("verdict", "block"))), KEY)

    assert (found.entries, found.below, found.query) == (20, 60, "verdict:block")
    assert "not proved: that the query met no others" in found.said


def test_a_project_gets_its_own_entries_and_those_of_everybody(
    log: AuditLog, database: Database
) -> None:
    fill(log, 6)

    assert begun(log, database, project="prj_1").count == 6
    other = begun(log, database, project="prj_2")

    # The export before this one belongs to the project that asked.
    assert other.count == 0
    assert proved(text_of(other), KEY).project == "prj_2"


def test_an_export_is_in_the_log_before_its_first_byte_and_names_nobody(
    log: AuditLog, database: Database
) -> None:
    fill(log, 3)

    begun(log, database, query=Term("actor", "act_secret"))

    entry = log.entry(3)
    assert (entry.type, entry.actor) == (EXPORTED, "act_auditor")
    assert entry.facts["by"] == ["actor"]
    assert b"act_secret" not in entry.leaf


def test_what_is_appended_meanwhile_is_not_in_it(log: AuditLog, database: Database) -> None:
    fill(log, 10)
    export = begun(log, database)
    log.append_many([])
    begun(log, database)

    assert proved(text_of(export), KEY).entries == 10


def test_more_than_a_page_comes_in_order(log: AuditLog, database: Database) -> None:
    fill(log, 2300)

    assert proved(text_of(begun(log, database)), KEY).entries == 2300


def test_without_proofs_the_log_vouches_for_all_entries_together(
    log: AuditLog, database: Database
) -> None:
    fill(log, 30)
    text = text_of(begun(log, database, proofs=Proofs.NONE))

    assert "vouches for together" in proved(text, KEY).said
    with pytest.raises(NotProved, match="not the entries that the log says"):
        proved(text.replace('\\"verdict\\":\\"allow\\"', '\\"verdict\\":\\"block\\"', 1), KEY)


def test_an_export_that_cannot_be_finished_has_no_last_line(
    log: AuditLog, database: Database
) -> None:
    fill(log, 4)
    export = begun(log, database)
    pieces: list[str] = []
    object.__setattr__(export, "count", 5)

    with pytest.raises(ExportBroken, match="5 entries were announced"):
        pieces += text_of(export)

    assert not pieces


def test_an_entry_that_was_changed_in_the_database_ends_the_export(
    log: AuditLog, database: Database
) -> None:
    fill(log, 5)
    export = begun(log, database)
    with database.transaction() as conn:
        conn.execute(update(log_entry).where(log_entry.c.place == 3).values(leaf=b"{}"))

    with pytest.raises(LogTampered):
        text_of(export)


Damage = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: lines[:4] + lines[5:], "line 11: the file has 9 entries"),
        (
            lambda lines: [*lines[:4], *lines[5:-1], rewritten(lines[-1], entries=9)],
            "line 11: 10 entries were exported, not 9",
        ),
        (lambda lines: lines[:-1], "line 11: the file breaks off"),
        (lambda lines: [*lines[:5], lines[5][:100]], "line 6: no line of an export"),
        (lambda lines: [*lines[:5], lines[5].rstrip("\n")], "line 6: not one object"),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], "line 5: entry 2 is out of"),
        (lambda lines: [*lines[:4], lines[3], *lines[4:]], "line 5: entry 2 is there twice"),
        (
            lambda lines: [*lines[:3], rewritten(lines[3], leaf="{}"), *lines[4:]],
            "line 4: entry 2 does not lead",
        ),
        (
            lambda lines: [*lines[:3], rewritten(lines[3], index=2.0), *lines[4:]],
            "line 4: entry 2.0 is out of order",
        ),
        (
            lambda lines: [*lines[:3], rewritten(lines[3], index=99), *lines[4:]],
            "line 4: entry 99 is out of order",
        ),
        (
            lambda lines: [*lines[:3], rewritten(lines[3], note="!"), *lines[4:]],
            "line 4: not one object",
        ),
        (
            lambda lines: [*lines[:3], lines[3].replace("{", '{"index":7,', 1), *lines[4:]],
            "line 4: a member is there twice",
        ),
        (
            lambda lines: [*lines[:3], rewritten(lines[3], proof=["AA=="] * 4), *lines[4:]],
            "line 4: the proof is not",
        ),
        (lambda lines: [rewritten(lines[0], query="index<5"), *lines[1:]], "line 1: 'query' is"),
        (lambda lines: [rewritten(lines[0], entries=9), *lines[1:]], "line 1: 'entries' is not"),
        (lambda lines: [rewritten(lines[0], below=True), *lines[1:]], "line 1: 'below' is not"),
        (lambda lines: [rewritten(lines[0], made_at="2020"), *lines[1:]], "line 1: 'made_at' is"),
        (lambda lines: [rewritten(lines[0], project="prj_1"), *lines[1:]], "line 1: 'project'"),
        (lambda lines: [rewritten(lines[0], format="csv"), *lines[1:]], "line 1: 'format' is not"),
        (lambda lines: [rewritten(lines[0], proofs="some"), *lines[1:]], "line 1: "),
        (
            lambda lines: [
                rewritten(lines[0], checkpoint="x" + json.loads(lines[0])["checkpoint"]),
                *lines[1:],
            ],
            "line 1: not a checkpoint of this log",
        ),
        (lambda lines: [*lines, lines[3]], "line 13: nothing may stand behind"),
        (lambda _: [], "line 1: no line of an export"),
        (lambda lines: ["[]\n", *lines[1:]], "line 1: no line of an export"),
        (lambda lines: ["[" * 100_000, *lines[1:]], "line 1: no line of an export"),
    ],
)
def test_whatever_is_done_to_the_file_is_found_and_its_line_named(
    log: AuditLog, database: Database, damage: Damage, said: str
) -> None:
    fill(log, 10)
    lines = text_of(begun(log, database)).splitlines(keepends=True)

    with pytest.raises(NotProved) as found:
        proved("".join(damage(lines)), KEY)

    assert said in str(found.value)


def test_the_export_of_another_log_or_under_another_key_proves_nothing(
    log: AuditLog, database: Database
) -> None:
    fill(log, 10)
    text = text_of(begun(log, database))

    for key in (
        verifier_key(ORIGIN, signing_key(b"\x09" * 32).public),
        verifier_key("other.example/log", SIGNER.public),
    ):
        with pytest.raises(NotProved, match="line 1"):
            proved(text, key)


def test_the_head_of_another_export_does_not_fit(log: AuditLog, database: Database) -> None:
    fill(log, 10)
    all_of_them = text_of(begun(log, database)).splitlines(keepends=True)
    some = text_of(begun(log, database, query=Places(2, 4))).splitlines(keepends=True)

    with pytest.raises(NotProved, match="line"):
        proved("".join([some[0], *all_of_them[1:]]), KEY)
    with pytest.raises(NotProved, match="line 2: entry 2 does not lead"):
        proved("".join([all_of_them[0], *some[1:]]), KEY)


def test_another_format_says_that_it_is_not_checked(log: AuditLog, database: Database) -> None:
    fill(log, 10)

    with pytest.raises(NotProved, match="not checked"):
        proved(text_of(begun(log, database, Format.DSA_SOR)), KEY)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_one_changed_character_is_found_unless_nobody_reads_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = _small_export(tmp_path_factory)
    # The list of keys and what is not proved are for people, and no part of what is proved.
    unread = range(text.index('"keys":'), text.index('"exported":'))
    unread_too = range(text.index('"not_proved":'), text.index("\n"))
    at = data.draw(
        st.integers(0, len(text) - 1).filter(
            lambda one: one not in unread and one not in unread_too
        )
    )
    other = data.draw(st.sampled_from('AB07/ "{}\\\n').filter(lambda one: one != text[at]))
    changed = text[:at] + other + text[at + 1 :]

    try:
        found = proved(changed, KEY)
    except NotProved:
        return
    # Spaces between members say nothing.
    assert [json.loads(one) for one in changed.splitlines()] == [
        json.loads(one) for one in text.splitlines()
    ]
    assert found.entries == 3


_MADE: list[str] = []


def _small_export(folders: pytest.TempPathFactory) -> str:
    if not _MADE:
        database = a_database(folders.mktemp("small"))
        with a_log(database) as log:
            fill(log, 3)
            _MADE.append(text_of(begun(log, database)))
        database.close()
    return _MADE[0]


def test_the_copied_file_checks_an_export_alone(
    log: AuditLog, database: Database, tmp_path: Path
) -> None:
    fill(log, 20)
    file, copied = tmp_path / "log.jsonl", tmp_path / "verify_file.py"
    file.write_text(text_of(begun(log, database, query=All((Term("verdict", "block"),)))))
    copied.write_bytes(Path(verify_file.__file__).read_bytes())
    # -I: nothing of this project can be imported.
    command = [sys.executable, "-I", str(copied), str(file), KEY]

    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, text=True)
    file.write_text(file.read_text().replace("block", "allow", 3))
    damaged = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, text=True)

    assert (done.returncode, done.stdout) == (0, "")
    assert "7 entries of the first 20, each proved" in done.stderr
    assert damaged.returncode == 1
    assert "not proved" in damaged.stderr


@pytest.mark.postgres
def test_postgresql_exports_the_same(postgres_url: str) -> None:
    database = Database(postgres_url)
    metadata.create_all(database.engine)
    with a_log(database) as log:
        fill(log, 1500)
        text = text_of(begun(log, database, query=Term("verdict", "block")))

    assert proved(text, KEY).entries == 500
    database.close()
