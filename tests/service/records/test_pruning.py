import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from service.audit import archive, merkle
from service.audit import checkpoint as notes
from service.audit.errors import ArchiveBroken, NoEntry, NoTile, Pruned
from service.audit.reading import EntryFilter, Order
from service.audit.tiles import EntryBundle, HashTile
from service.audit.verify_file import verify
from service.database import Database
from service.keys import Purpose
from service.records.holds import Kind
from service.records.pruning import Cut, Gone, prune
from service.records.retention import Schedule, sweep
from service.records.words import NothingToPrune, TooYoung
from tests.service.records.house import Office


def grown(office: Office, entries: int = 600) -> None:
    """Fill the log, let two terms go by, and sweep."""
    from service.audit.entries import Entry

    now = office.house.clock()
    mara = office.people["mara"]
    office.house.rooms.log.append_many(
        [Entry(f"old:{one}", "test.old", now, actor=mara, project=office.project,
               request=f"req_{one}")
         for one in range(entries)]
    )  # fmt: skip
    office.log(mara)
    office.house.clock.forward(days=200)
    sweep(office.house.rooms, Schedule())


def pruned(office: Office, file: Path, days: int = 181) -> Gone:
    before = office.house.clock() - timedelta(days=days)
    keys = office.house.rooms.keys.verifying(Purpose.LOG)
    return prune(office.house.rooms, Schedule(), office.keeper("olga"), Cut(before, file, keys))


def test_what_was_pruned_is_gone_and_every_proof_still_holds(
    office: Office, tmp_path: Path
) -> None:
    grown(office)
    log = office.house.rooms.log
    old = log.proof_text(5)
    before, leaf = log.checkpoint(), log.entry(5).leaf
    size = log.verify().size

    gone = pruned(office, tmp_path / "archive.jsonl")

    after = log.verify(seen=before)
    assert after.sound, after.problems[:3]
    assert gone.dropped == after.pruned
    assert gone.kept == 0
    for index in (0, 5, 600):
        with pytest.raises(Pruned):
            log.entry(index)
        with pytest.raises(Pruned):
            log.proof_text(index)
    with pytest.raises(NoEntry) as none:
        log.entry(10**6)
    assert not isinstance(none.value, Pruned)
    assert len(log.tile(HashTile(0, 0))) == 256 * 32
    with pytest.raises(NoTile, match="pruned"):
        log.tile(EntryBundle(0))
    # 1. An old proof file, against the key alone. 2. The same leaf, against the newest root.
    assert verify(old, log.verifier_keys()[0]).index == 5
    new = notes.read(log.checkpoint(), log.origin, office.house.rooms.keys.verifying(Purpose.LOG))
    proof = log.inclusion_proof(5, new.size)
    assert merkle.root_from_inclusion(merkle.leaf_hash(leaf), 5, new.size, proof) == new.root
    # 3. The old checkpoint is a beginning of the new one.
    kept = notes.read(before, log.origin, office.house.rooms.keys.verifying(Purpose.LOG))
    consistency = log.consistency_proof(kept.size, new.size)
    merkle.check_consistency((kept.size, kept.root), (new.size, new.root), consistency)
    assert kept.size >= size
    assert log.receipt(5).index == 5


def test_the_archive_has_the_entries_and_is_checked_without_the_log(
    office: Office, tmp_path: Path
) -> None:
    grown(office)
    log, file = office.house.rooms.log, tmp_path / "archive.jsonl"
    leaf = log.entry(17).leaf

    gone = pruned(office, file)

    keys = office.house.rooms.keys.verifying(Purpose.LOG)
    assert len(archive.checked(file, log.origin, keys)) == gone.dropped
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (kept,) = [line["entry"] for line in lines if line.get("index") == 17]
    assert kept.encode() == leaf
    said = log.entry(gone.receipt.index)
    assert (said.type, said.facts["archive_sha256"]) == ("log.pruned", gone.sha256)


def test_searches_find_what_is_left_and_only_that(office: Office, tmp_path: Path) -> None:
    grown(office)
    log = office.house.rooms.log
    assert len(log.entries(EntryFilter(type="test.old", limit=1000))) == 600

    pruned(office, tmp_path / "archive.jsonl")
    young = office.log(office.people["mara"])

    assert log.entries(EntryFilter(type="test.old")) == []
    oldest = log.entries(EntryFilter(order=Order.OLDEST, limit=2))
    assert [entry.type for entry in oldest] == ["retention.swept", "log.pruned"]
    assert [entry.index for entry in log.entries(EntryFilter(type="test.said"))] == [young]
    assert log.check_index().sound


@pytest.mark.parametrize("kind", list(Kind))
def test_what_a_hold_covers_stays_and_goes_when_it_ends(
    office: Office, tmp_path: Path, kind: Kind
) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    kept = office.log(mara, case="case-7")
    target = {Kind.SUBJECT: mara, Kind.CASE: "case-7", Kind.PROJECT: office.project}[kind]
    hold = office.hold(target, kind).hold.id
    grown(office, 5)

    during = pruned(office, tmp_path / "first.jsonl")

    assert log.entry(kept).index == kept
    assert log.verify().sound
    office.release(hold)
    sweep(office.house.rooms, Schedule())
    after = pruned(office, tmp_path / "second.jsonl")
    assert (during.dropped > 0, after.dropped > 0) == (True, True)
    with pytest.raises(Pruned):
        log.entry(kept)
    found = log.verify()
    assert found.sound, found.problems
    assert found.pruned == during.dropped + after.dropped


def test_an_entry_with_a_private_value_stays_until_that_is_swept(
    office: Office, tmp_path: Path
) -> None:
    index = office.log(office.people["mara"])
    office.house.clock.forward(days=200)
    pruned(office, tmp_path / "a.jsonl")
    assert office.house.rooms.log.entry(index).index == index

    with pytest.raises(NothingToPrune):
        pruned(office, tmp_path / "b.jsonl")
    sweep(office.house.rooms, Schedule())
    pruned(office, tmp_path / "c.jsonl")

    with pytest.raises(Pruned):
        office.house.rooms.log.entry(index)


def test_nothing_young_is_pruned_and_no_file_is_overwritten(office: Office, tmp_path: Path) -> None:
    grown(office, 3)
    there = tmp_path / "there.jsonl"
    there.write_text("mine")

    with pytest.raises(TooYoung):
        pruned(office, tmp_path / "a.jsonl", days=10)
    with pytest.raises(FileExistsError):
        pruned(office, there)
    assert there.read_text() == "mine"
    assert office.house.rooms.log.verify().pruned == 0


@pytest.mark.parametrize("change", ["entry", "hashes", "cut", "count", "twice"])
def test_an_archive_that_was_changed_is_refused(
    office: Office, tmp_path: Path, change: str
) -> None:
    grown(office, 5)
    file = tmp_path / "archive.jsonl"
    pruned(office, file)
    lines = file.read_text().splitlines()
    match change:
        case "entry":
            lines[3] = lines[3].replace("test.old", "test.new")
        case "hashes":
            lines[1] = lines[1].replace('"hashes": "', '"hashes": "' + "00" * 32)
        case "cut":
            lines.pop()
        case "count":
            lines.pop(3)
        case _:
            lines.append(lines[-1])
    file.write_text("\n".join(lines) + "\n")

    with pytest.raises(ArchiveBroken):
        keys = office.house.rooms.keys.verifying(Purpose.LOG)
        archive.checked(file, office.house.rooms.log.origin, keys)


def test_a_deletion_that_the_log_does_not_tell_of_is_found(office: Office, tmp_path: Path) -> None:
    grown(office, 20)
    office.hold("req_3", Kind.CASE)
    kept = office.log(office.people["mara"])
    gone = pruned(office, tmp_path / "archive.jsonl")
    database = office.house.rooms.database
    stays = _first_kept(database, gone.below)
    with database.transaction() as conn:
        conn.execute(text("DELETE FROM log_entry WHERE place = :place"), {"place": stays})

    said = [one.said for one in office.house.rooms.log.verify().problems]

    assert any("the log says" in one for one in said)
    with database.transaction() as conn:
        conn.execute(text("DELETE FROM log_entry WHERE place = :place"), {"place": kept})
        conn.execute(text("INSERT INTO log_pruned VALUES ('forged', 100000, 2)"))
    assert "the entry is gone" in [one.said for one in office.house.rooms.log.verify().problems]


def _first_kept(database: Database, below: int) -> int:
    with database.reading() as conn:
        query = text("SELECT min(place) FROM log_entry WHERE place < :below")
        return int(conn.execute(query, {"below": below}).scalar_one())
