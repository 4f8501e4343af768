"""Somebody writes to the tables of a running log: nothing false is signed, served or answered."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from service.audit import store
from service.audit.errors import AuditError, KeyReused, LogTampered
from service.audit.log import AuditLog
from service.audit.sequencer import Job, Landed, Outcome, Sequencer, Settle
from service.database import Database, DatabaseUnavailable
from tests.service.audit.builders import (
    Clock,
    a_database,
    a_log,
    a_prompt,
    an_entry,
)


def run(database: Database, *statements: str) -> None:
    with database.transaction() as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def test_an_older_head_is_not_served_while_the_process_runs(
    database: Database, log: AuditLog
) -> None:
    log.append(an_entry("dec_1"))
    older = log.checkpoint()
    log.append(an_entry("dec_2"))
    with database.transaction() as conn:
        conn.execute(text("UPDATE log_head SET checkpoint = :older"), {"older": older})

    with pytest.raises(LogTampered, match="older"):
        log.checkpoint()
    with pytest.raises(LogTampered, match="older"):
        log.receipt(0)
    with pytest.raises(LogTampered):
        log.append(an_entry("dec_3"))


def test_a_backup_put_back_under_a_running_process_acknowledges_nothing(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    live, backup = tmp_path / "log.sqlite3", tmp_path / "backup"
    with a_log(database) as log:
        log.append(an_entry("dec_1"))
        with database.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(live, backup)
        log.append(an_entry("dec_2"))
        for name in ("-wal", "-shm"):
            Path(f"{live}{name}").unlink(missing_ok=True)
        backup.rename(live)

        with pytest.raises(LogTampered):
            log.append(an_entry("dec_3"))
        with pytest.raises(LogTampered):
            log.checkpoint()
    database.close()


def test_a_file_that_is_gone_acknowledges_nothing_and_is_not_made_anew(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    live, away = tmp_path / "log.sqlite3", tmp_path / "away"
    with a_log(database) as log:
        live.rename(away)

        with pytest.raises(DatabaseUnavailable) as refused:
            log.append(an_entry("dec_1"))
        with pytest.raises(DatabaseUnavailable):
            log.checkpoint()

        assert refused.value.cause == "unreachable"
        assert not live.exists()
        away.rename(live)
        assert log.append(an_entry("dec_1")).index == 0
    database.close()


def test_an_edited_entry_gives_no_receipt_to_whoever_sends_its_words(
    database: Database, log: AuditLog
) -> None:
    log.append(an_entry("dec_1", facts={"verdict": "block"}))
    run(
        database,
        "UPDATE log_entry SET leaf ="
        " CAST(replace(CAST(leaf AS TEXT), 'block', 'allow') AS BLOB) WHERE place = 0",
    )

    with pytest.raises(LogTampered):
        log.append(an_entry("dec_1", facts={"verdict": "allow"}))


def test_an_unreadable_entry_stops_neither_the_others_nor_the_next_start(
    database: Database, log: AuditLog
) -> None:
    log.append_many([an_entry("dec_1"), an_entry("dec_2")])
    run(database, "UPDATE log_entry SET leaf = CAST('{' AS BLOB) WHERE place = 0")
    with database.transaction() as conn, pytest.raises(LogTampered):
        log.stage(conn, an_entry("dec_1"))

    with pytest.raises(LogTampered):
        log.append(an_entry("dec_1"))

    assert log.append(an_entry("dec_3")).index == 2
    with a_log(database) as again:
        assert again.append(an_entry("dec_4")).index == 3


@pytest.mark.parametrize(
    "edit",
    [
        "head = CAST(replace(CAST(head AS TEXT), 'allow', 'block') AS BLOB)",
        "tail = CAST(replace(CAST(tail AS TEXT), 'prj_1', 'prj_2') AS BLOB)",
        "key = 'dec_9'",
        "head = CAST('' AS BLOB)",
        "head = 'a text'",
    ],
)
def test_a_staged_entry_that_was_edited_is_never_signed(
    database: Database, log: AuditLog, edit: str
) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
    run(database, f"UPDATE log_intake SET {edit}")  # noqa: S608 - the attack

    assert log.append(an_entry("dec_2")).index == 0

    with database.reading() as conn:
        assert store.staged(conn, 10) == []
    verified = log.verify()
    assert verified.sound
    assert verified.size == 1


def test_whoever_settles_an_edited_entry_is_told(database: Database, log: AuditLog) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
    run(
        database,
        "UPDATE log_intake SET head = CAST(replace(CAST(head AS TEXT), 'allow', 'block') AS BLOB)",
    )

    with pytest.raises(KeyReused, match="changed while it waited"):
        log.settle("grt_1")


def test_an_entry_that_nobody_of_ours_staged_is_never_signed(
    database: Database, log: AuditLog
) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
    run(
        database,
        "INSERT INTO log_intake (key, head, tail, signature, refused) SELECT 'grt_2',"
        " CAST(replace(CAST(head AS TEXT), 'grt_1', 'grt_2') AS BLOB),"
        " tail, signature, FALSE FROM log_intake",
    )

    log.drain()

    assert log.entry_by_key("grt_1").index == 0
    assert log.verify().size == 1


def test_bytes_in_place_of_the_head_are_a_tampered_log(database: Database, log: AuditLog) -> None:
    log.append(an_entry("dec_1"))
    run(database, "UPDATE log_head SET checkpoint = CAST(checkpoint AS BLOB)")

    with pytest.raises(LogTampered):
        log.append(an_entry("dec_2"))
    assert not log.verify().sound


def test_a_clock_that_jumps_either_way_never_turns_the_time_of_the_log_back(
    database: Database,
) -> None:
    clock = Clock()
    with a_log(database, clock=clock) as log:
        log.append(an_entry("dec_1"))
        clock.move(3600)
        log.append(an_entry("dec_2"))
    clock.move(-7200)
    with a_log(database, clock=clock) as log:
        log.append(an_entry("dec_3"))

        times = [log.entry(index).logged_at for index in range(3)]

    assert times == sorted(times)
    assert times[1] == times[2]


def test_a_subject_whose_key_is_damaged_spoils_no_other_entry(
    database: Database, log: AuditLog
) -> None:
    log.append(an_entry("dec_1", values=a_prompt("a cat", subject="actor:act_1")))
    run(database, "UPDATE subject_key SET wrapped = zeroblob(60)")
    entries = [
        an_entry("dec_2"),
        an_entry("dec_3", values=a_prompt("a dog", subject="actor:act_1")),
        an_entry("dec_4"),
    ]

    with pytest.raises(AuditError):
        log.append_many(entries)

    assert log.entry_by_key("dec_2").index == 1
    assert log.entry_by_key("dec_4").index == 2


def test_a_job_that_spoils_a_batch_fails_alone() -> None:
    def commit(jobs: list[Job]) -> list[Outcome]:
        if any(isinstance(job, Settle) and job.key == "bad" for job in jobs):
            raise ZeroDivisionError
        return [Landed(0, 1, "") for _ in jobs]

    sequencer = Sequencer(commit)  # type: ignore[arg-type]  # a list is a sequence that we read only
    batch, place = sequencer.submit([Settle("good"), Settle("bad"), Settle("good")])

    assert batch.outcome(place, 10) == Landed(0, 1, "")
    with pytest.raises(AuditError):
        batch.outcome(place + 1, 10)
    assert batch.outcome(place + 2, 10) == Landed(0, 1, "")
    sequencer.close()
