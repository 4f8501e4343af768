"""Whatever somebody does to the stored log, the check names it."""

from dataclasses import dataclass

import pytest

from service.audit import checkpoint, merkle
from service.audit.checkpoint import Checkpoint
from service.audit.entries import prepare
from service.audit.errors import BadCheckpoint, LogTampered
from service.audit.log import AuditLog
from service.audit.rehash import SPLIT_VIEW, Kind
from service.database import Database
from tests.service.audit.builders import ORIGIN, SIGNER, a_log, a_prompt, an_entry

SIZE = 600


def filled(database: Database) -> str:
    """A log of 600 entries in three tiles, one with a private value; its checkpoint."""
    with a_log(database) as log:
        log.append_many([an_entry(f"dec_{number}") for number in range(SIZE - 1)])
        log.append(an_entry("dec_last", values=a_prompt("a cat")))
        return log.checkpoint()


@dataclass(frozen=True, slots=True)
class Tampering:
    """What somebody does, and what the check must name."""

    statements: tuple[str, ...]
    kind: Kind
    where: str


EDIT_300 = """UPDATE log_entry
    SET leaf = CAST(replace(CAST(leaf AS TEXT), 'allow', 'block') AS BLOB) WHERE place = 300"""
ADD_600 = """INSERT INTO log_entry
    SELECT 600, 'new', leaf
    FROM log_entry WHERE place = 7"""
EDIT_TILE = """UPDATE log_tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)
    WHERE level = 0 AND number = 1"""
TAMPERINGS = {
    "an edited entry": Tampering(
        ("UPDATE log_entry SET leaf = replace(leaf, 'allow', 'block') WHERE place = 7",),
        Kind.ENTRY_CHANGED,
        "7",
    ),
    "an edited entry that still parses, in a full tile": Tampering(
        (EDIT_300,),
        Kind.ENTRY_CHANGED,
        "300",
    ),
    "a deleted entry": Tampering(
        ("DELETE FROM log_entry WHERE place = 7",), Kind.ENTRY_MISSING, "7"
    ),
    "two swapped entries": Tampering(
        (
            "UPDATE log_entry SET place = -1 WHERE place = 7",
            "UPDATE log_entry SET place = 7 WHERE place = 8",
            "UPDATE log_entry SET place = 8 WHERE place = -1",
        ),
        Kind.ENTRY_MOVED,
        "7",
    ),
    "a cut end": Tampering(("DELETE FROM log_entry WHERE place > 590",), Kind.ENTRY_MISSING, "591"),
    "an entry that nobody signed": Tampering(
        (ADD_600,),
        Kind.ENTRY_UNSIGNED,
        "600",
    ),
    "an edited full tile": Tampering(
        (EDIT_TILE,),
        Kind.TILE_CHANGED,
        "0/1",
    ),
    "an edited upper tile": Tampering(
        ("UPDATE log_tile SET hashes = zeroblob(64) WHERE level = 1",), Kind.TILE_CHANGED, "1/0"
    ),
    "a deleted tile": Tampering(
        ("DELETE FROM log_tile WHERE level = 0 AND number = 0",), Kind.TILE_CHANGED, "0/0"
    ),
    "an added tile": Tampering(
        ("INSERT INTO log_tile VALUES (3, 0, zeroblob(32))",), Kind.TILE_CHANGED, "3/0"
    ),
    "the key by which it is found": Tampering(
        ("UPDATE log_entry SET key = 'dec_x' WHERE place = 7",), Kind.COLUMN_CHANGED, "7"
    ),
    "an edited private value": Tampering(
        ("UPDATE log_value SET sealed = substr(sealed, 1, 30) || zeroblob(40)",),
        Kind.VALUE_CHANGED,
        "599",
    ),
    "a deleted private value": Tampering(("DELETE FROM log_value",), Kind.VALUE_CHANGED, "599"),
    "an edited checkpoint": Tampering(
        ("UPDATE log_head SET checkpoint = replace(checkpoint, '600', '599')",),
        Kind.HEAD_INVALID,
        "",
    ),
    "a deleted head": Tampering(("DELETE FROM log_head",), Kind.HEAD_INVALID, ""),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_named(database: Database, name: str) -> None:
    tampering = TAMPERINGS[name]
    filled(database)
    with a_log(database) as log:
        with database.transaction() as conn:
            for statement in tampering.statements:
                conn.exec_driver_sql(statement)

        verified = log.verify()

    assert not verified.sound
    assert (tampering.kind, tampering.where) in {
        (problem.kind, problem.where) for problem in verified.problems
    }


@pytest.mark.parametrize(
    "name",
    [
        "a cut end",
        "an entry that nobody signed",
        "an edited upper tile",
        "an edited checkpoint",
        "a deleted head",
    ],
)
def test_a_log_that_contradicts_its_head_does_not_start(database: Database, name: str) -> None:
    filled(database)
    with database.transaction() as conn:
        for statement in TAMPERINGS[name].statements:
            conn.exec_driver_sql(statement)

    with pytest.raises(LogTampered):
        a_log(database)


def test_an_entry_that_was_changed_is_not_read(database: Database) -> None:
    filled(database)
    with a_log(database) as log:
        with database.transaction() as conn:
            conn.exec_driver_sql(TAMPERINGS["an edited entry"].statements[0])

        with pytest.raises(LogTampered):
            log.entry(7)
        with pytest.raises(LogTampered):
            log.proof_text(7)


def test_a_sound_log_says_what_was_not_checked(database: Database) -> None:
    seen = filled(database)

    with a_log(database) as log:
        alone, witnessed = log.verify(), log.verify(seen=seen)

    assert alone.sound
    assert alone.not_checked == (SPLIT_VIEW,)
    assert witnessed.sound
    assert witnessed.not_checked == ()
    assert witnessed.size == SIZE


def rewrite(database: Database, size: int) -> None:
    """Do what only the holder of the log's key can: write another history and sign it."""
    with database.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM log_entry")
        conn.exec_driver_sql("DELETE FROM log_tile")
        conn.exec_driver_sql("DELETE FROM log_value")
        edge = merkle.Edge()
        leaves = []
        for number in range(size):
            entry = prepare(an_entry(f"other_{number}"))
            leaf = entry.leaf("2026-11-21T08:00:00.000000Z")
            conn.exec_driver_sql(
                "INSERT INTO log_entry VALUES (?, ?, ?)", (number, entry.key, leaf)
            )
            leaves.append(merkle.leaf_hash(leaf))
        for (level, number), hashes in edge.extend(leaves).items():
            conn.exec_driver_sql("INSERT INTO log_tile VALUES (?, ?, ?)", (level, number, hashes))
        note = checkpoint.sign(Checkpoint(ORIGIN, edge.size, edge.root()), SIGNER)
        conn.exec_driver_sql("UPDATE log_head SET checkpoint = ?", (note,))


@pytest.mark.parametrize("size", [SIZE - 100, SIZE, SIZE + 100])
def test_a_rewritten_and_signed_history_is_found_by_whoever_kept_a_checkpoint(
    database: Database, size: int
) -> None:
    seen = filled(database)
    rewrite(database, size)

    with a_log(database) as log:
        alone, witnessed = log.verify(), log.verify(seen=seen)

    assert alone.sound
    assert alone.not_checked == (SPLIT_VIEW,)
    assert [problem.kind for problem in witnessed.problems] == [Kind.HISTORY_REWRITTEN]


@pytest.mark.parametrize("size", [SIZE - 100, SIZE, SIZE + 100])
def test_a_history_rewritten_under_a_running_log_stops_it(database: Database, size: int) -> None:
    filled(database)
    with a_log(database) as log:
        rewrite(database, size)

        with pytest.raises(LogTampered):
            log.append(an_entry("dec_new"))
        with pytest.raises(LogTampered):
            log.append(an_entry("dec_new"))


def test_a_checkpoint_of_another_log_is_no_witness(log: AuditLog) -> None:
    other = checkpoint.sign(Checkpoint("example.com/other", 0, merkle.EMPTY_ROOT), SIGNER)

    with pytest.raises(BadCheckpoint):
        log.verify(seen=other)
