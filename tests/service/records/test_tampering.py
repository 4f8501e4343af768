"""Whoever writes the database, but has not the log's key, hides no deletion behind the records."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from service.records.erasures import Films
from service.records.holds import Kind
from service.records.retention import Schedule, sweep
from tests.service.records.house import Office
from tests.service.records.test_pruning import grown, pruned


def said(office: Office) -> set[str]:
    return {problem.said for problem in office.house.rooms.log.verify().problems}


def zeroed(conn: Connection, subject: str) -> None:
    query = "UPDATE subject_key SET wrapped = :zeros, alive = :dead WHERE subject = :subject"
    conn.execute(text(query), {"zeros": bytes(60), "dead": False, "subject": subject})


def without(conn: Connection, key: str) -> None:
    conn.execute(text("DELETE FROM log_value WHERE key = :key"), {"key": key})


def test_a_key_that_no_erasure_destroyed_is_missed(office: Office) -> None:
    mara = office.people["mara"]
    office.log(mara)

    with office.house.rooms.database.transaction() as conn:
        zeroed(conn, mara)

    assert said(office) == {"said: its key is gone, and no entry says that it was erased"}


def test_an_erasure_covers_what_came_before_it_and_nothing_after(office: Office) -> None:
    mara = office.keeper("mara", officer=False)
    office.log(mara.actor)
    office.erasing.ask(mara, mara.actor, case="", films=Films.KEEP)
    office.log(mara.actor, "a word after that")
    assert not said(office)
    assert office.house.rooms.log.verify().erased == 1

    with office.house.rooms.database.transaction() as conn:
        zeroed(conn, mara.actor)

    assert said(office) == {"said: its key is gone, and no entry says that it was erased"}


def test_what_pruning_took_along_leaves_no_room_for_other_values(
    office: Office, tmp_path: Path
) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    held = office.log(mara, case="case-7")
    office.hold("case-7", Kind.CASE)
    grown(office, 5)
    pruned(office, tmp_path / "archive.jsonl")
    assert log.verify().sound

    with office.house.rooms.database.transaction() as conn:
        without(conn, log.entry(held).key)

    assert said(office) == {"said was deleted, not erased"}


def test_a_value_that_was_put_in_is_not_swept_for_another(office: Office) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    held = office.log(mara, case="case-7")
    free = office.log(mara)
    office.hold("case-7", Kind.CASE)
    office.house.clock.forward(days=181)
    with office.house.rooms.database.transaction() as conn:
        copied = (
            "INSERT INTO log_value SELECT key, 'more', subject, sealed FROM log_value"
            " WHERE key = :key"
        )
        conn.execute(text(copied), {"key": log.entry(free).key})
    sweep(office.house.rooms, Schedule())

    with office.house.rooms.database.transaction() as conn:
        without(conn, log.entry(held).key)

    assert "said was deleted, not erased" in said(office)


def test_an_entry_that_was_made_to_look_old_keeps_its_values(office: Office) -> None:
    from service.audit.errors import LogTampered

    log, mara = office.house.rooms.log, office.people["mara"]
    office.log(mara)
    office.house.clock.forward(days=181)
    young = office.log(mara)
    entry = log.entry(young)
    backdated = entry.leaf.replace(entry.logged_at.encode(), log.entry(0).logged_at.encode())
    change = text("UPDATE log_entry SET leaf = :leaf WHERE place = :place")
    with office.house.rooms.database.transaction() as conn:
        conn.execute(change, {"leaf": backdated, "place": young})

    with pytest.raises(LogTampered):
        sweep(office.house.rooms, Schedule())

    with office.house.rooms.database.transaction() as conn:
        conn.execute(change, {"leaf": entry.leaf, "place": young})
    assert office.is_readable(young)


def test_an_entry_that_was_pruned_cannot_stand_in_for_another(
    office: Office, tmp_path: Path
) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    held = office.log(mara, case="case-7")
    office.hold("case-7", Kind.CASE)
    grown(office, 5)
    gone = log.entry_by_key("old:3")
    pruned(office, tmp_path / "archive.jsonl")
    key = log.entry(held).key

    with office.house.rooms.database.transaction() as conn:
        without(conn, key)
        conn.execute(text("DELETE FROM log_entry WHERE key = :key"), {"key": key})
        conn.execute(
            text("INSERT INTO log_entry VALUES (:place, :key, :leaf)"),
            {"place": gone.index, "key": gone.key, "leaf": gone.leaf},
        )

    assert any("the log says" in one for one in said(office))


@pytest.mark.parametrize("held", ["person", "likeness"])
def test_a_hold_on_a_likeness_or_its_owner_keeps_both_from_the_sweep(
    office: Office, held: str
) -> None:
    mara = office.people["mara"]
    likeness = office.enrol("mara")
    values = {"person": likeness, "likeness": mara}[held]
    index = office.log(values)
    office.hold({"person": mara, "likeness": likeness}[held])
    office.house.clock.forward(days=181)

    sweep(office.house.rooms, Schedule(requests=timedelta(days=1)))

    assert office.is_readable(index)


def test_a_log_in_which_everything_is_old_opens_after_a_pruning_that_was_cut_off(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.audit.log import AuditLog

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    rooms = office.house.rooms
    now = office.house.clock()
    from service.audit.entries import Entry

    rooms.log.append_many([Entry(f"old:{one}", "test.old", now) for one in range(5)])
    office.house.clock.forward(days=400)
    monkeypatch.setattr(AuditLog, "settle", killed)
    with pytest.raises(Killed):
        pruned(office, tmp_path / "archive.jsonl")

    integration = rooms.log._integration
    integration._known = None
    assert integration.open().size
