"""What the log keeps of values about people."""

import json
from pathlib import Path

import pytest

from service.audit.entries import Private
from service.audit.errors import (
    CommitmentBroken,
    NoEntry,
)
from service.audit.log import AuditLog
from service.database import Database
from service.subjects import SubjectErased, SubjectKeys
from tests.service.audit.builders import (
    VAULT,
    a_prompt,
    an_entry,
)


def test_a_leaf_holds_a_commitment_and_never_the_value(log: AuditLog) -> None:
    receipt = log.append(an_entry("dec_1", values=a_prompt("a cat in a hat")))

    leaf = log.entry(receipt.index).leaf

    assert b"cat" not in leaf
    assert b"actor:act_1" not in leaf
    assert set(json.loads(leaf)["commitments"]) == {"prompt"}


def test_two_entries_with_one_value_have_two_commitments(log: AuditLog) -> None:
    log.append_many([an_entry(key, values=a_prompt("a cat")) for key in ("dec_1", "dec_2")])

    assert log.entry(0).commitments != log.entry(1).commitments


def test_no_file_of_the_database_holds_the_value(database: Database, log: AuditLog) -> None:
    text = "a very particular purple giraffe"

    log.append(an_entry("dec_1", values=a_prompt(text)))

    files = Path(database.engine.url.database or "").parent.iterdir()
    stored = b"".join(file.read_bytes() for file in files)
    assert b"dec_1" in stored
    assert text.encode() not in stored


def test_a_disclosed_value_matches_its_commitment(database: Database, log: AuditLog) -> None:
    values = (Private("prompt", "actor:act_1", "a cat"), Private("mention/0", "person:7", "Tom"))
    log.append(an_entry("dec_1", values=values))

    with database.reading() as conn:
        shown = log.disclose(conn, 0, "mention/0")

    assert (shown.text, shown.subject) == ("Tom", "person:7")
    assert shown.commitment == log.entry(0).commitments["mention/0"]
    assert "Tom" not in repr(shown)


def test_erasing_a_subject_leaves_the_log_and_the_others_whole(
    database: Database, log: AuditLog
) -> None:
    values = (Private("prompt", "actor:act_1", "a cat"), Private("mention/0", "person:7", "Tom"))
    entry = an_entry("dec_1", values=values)
    log.append(entry)
    before = log.checkpoint()
    subjects = SubjectKeys([VAULT])

    with database.transaction() as conn:
        subjects.destroy(conn, "person:7")
    log.append(an_entry("ers_1", type="erasure.done", facts={"destroyed": ["person:7"]}))

    with database.reading() as conn:
        assert log.disclose(conn, 0, "prompt").text == "a cat"
        with pytest.raises(SubjectErased):
            log.disclose(conn, 0, "mention/0")
    verified = log.verify(seen=before)
    assert verified.sound
    assert verified.erased == 1
    assert log.append(entry).index == 0


def test_a_swapped_private_value_is_not_disclosed(database: Database, log: AuditLog) -> None:
    log.append_many([an_entry(key, values=a_prompt(key)) for key in ("dec_1", "dec_2")])
    with database.transaction() as conn:
        conn.exec_driver_sql("UPDATE log_value SET key = 'dec_' || (3 - substr(key, 5)) || 'x'")
        conn.exec_driver_sql("UPDATE log_value SET key = substr(key, 1, 5)")

    assert [problem.kind for problem in log.verify().problems] == ["value_changed"] * 2


def test_a_value_that_is_gone_or_unknown_is_said_to_be(database: Database, log: AuditLog) -> None:
    log.append(an_entry("dec_1", values=a_prompt("a cat")))

    with database.transaction() as conn:
        with pytest.raises(NoEntry):
            log.disclose(conn, 0, "mention/0")
        conn.exec_driver_sql("DELETE FROM log_value")
        with pytest.raises(CommitmentBroken):
            log.disclose(conn, 0, "prompt")
