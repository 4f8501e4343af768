"""CSV, SQLite, Parquet and OCSF: each holds every entry, the envelope, and its own end."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.audit.log import AuditLog
from service.audit.merkle import leaf_hash
from service.database import Database
from service.exports import writing
from service.exports.ocsf import event
from service.exports.words import Format
from tests.service.audit.builders import an_entry
from tests.service.exports.builders import a_decision, begun, fill, text_of, told


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_row_for_each_entry_between_the_envelope_and_the_end(
    log: AuditLog, database: Database
) -> None:
    fill(log, 1200)

    first, *rows, last = rows_of(text_of(begun(log, database, Format.CSV)))

    assert (first["row"], last["row"], last["index"]) == ("export", "end", "1200")
    assert json.loads(first["facts"])["entries"] == 1200
    assert [row["index"] for row in rows] == [str(at) for at in range(1200)]
    assert {row["row"] for row in rows} == {"entry"}
    assert rows[0]["codes"] == "filters.sexual likeness.stranger"
    assert rows[0]["leaf_sha256"] == leaf_hash(log.entry(0).leaf).hex()


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_a_csv_is_a_formula(log: AuditLog, database: Database, start: str) -> None:
    log.append(an_entry(f"{start}cmd|'/C_calc'!A0", actor=f"{start}1"))

    _, _, row, _ = csv.reader(io.StringIO(text_of(begun(log, database, Format.CSV)), newline=""))

    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert f"'{start}1" in row


def test_sqlite_has_entries_reasons_and_observations(
    log: AuditLog, database: Database, tmp_path: Path
) -> None:
    fill(log, 1500)
    path = tmp_path / "log.sqlite"

    writing.write(begun(log, database, Format.SQLITE), told, path)

    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM entry").fetchone() == (1500,)
        blocked = "SELECT count(DISTINCT entry) FROM reason WHERE code = 'filters.sexual'"
        assert file.execute(blocked).fetchone() == (500,)
        assert file.execute("SELECT score FROM observation LIMIT 1").fetchone() == (0.97,)
        (leaf,) = file.execute('SELECT leaf FROM entry WHERE "index" = 7').fetchone()
        assert leaf.encode() == log.entry(7).leaf
        meta = dict(file.execute("SELECT name, value FROM meta"))
    assert json.loads(meta["export"])["entries"] == json.loads(meta["end"])["entries"] == 1500


def test_parquet_has_every_column_and_the_envelope(
    log: AuditLog, database: Database, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    fill(log, 30)
    path = tmp_path / "log.parquet"

    writing.write(begun(log, database, Format.PARQUET), told, path)

    table = parquet.read_table(path)
    assert table.column("index").to_pylist() == list(range(30))
    assert table.column("codes").to_pylist()[0] == ["filters.sexual", "likeness.stranger"]
    assert table.column("leaf").to_pylist()[3].encode() == log.entry(3).leaf
    assert json.loads(table.schema.metadata[b"imprimatur.export"])["entries"] == 30


@pytest.mark.parametrize("kind", [Format.PARQUET, Format.SQLITE, Format.CSV])
def test_nothing_is_written_over_a_file_that_is_there(
    log: AuditLog, database: Database, tmp_path: Path, kind: Format
) -> None:
    fill(log, 1)
    path = tmp_path / "there"
    path.write_text("mine")

    with pytest.raises(FileExistsError):
        writing.write(begun(log, database, kind), told, path)

    assert path.read_text() == "mine"


# Of the class API Activity in OCSF 1.6, with what its objects require.
_REQUIRED = {
    "activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id",
    "src_endpoint", "time", "type_uid",
}  # fmt: skip


def require_ocsf(event: dict[str, Any]) -> None:
    assert event.keys() >= _REQUIRED
    assert (event["category_uid"], event["class_uid"]) == (6, 6003)
    assert event["activity_id"] in {1, 2, 3, 4, 99}
    assert event["type_uid"] == 600300 + event["activity_id"]
    assert event["metadata"]["version"] == "1.6.0"
    assert event["metadata"]["product"].keys() >= {"name", "vendor_name"}
    assert event["api"]["operation"]
    assert event["src_endpoint"]["svc_name"]
    assert event["actor"].keys() & {"user", "app_name"}
    assert isinstance(event["time"], int)


@pytest.mark.parametrize(
    ("verdict", "mode", "outcome"),
    [
        ("allow", "enforce", (1, 1, 1, False)),
        ("hold", "enforce", (2, 3, 2, False)),
        ("block", "enforce", (2, 2, 3, True)),
        ("block", "shadow", (3, 17, 1, False)),
        ("block", "dry_run", (3, 17, 1, False)),
    ],
)
def test_a_decision_is_what_a_control_did(
    log: AuditLog, verdict: str, mode: str, outcome: tuple[int, int, int, bool]
) -> None:
    facts = a_decision(verdict, "filters.sexual", mode=mode)
    found = event(log.entry(log.append(an_entry("key", facts=facts)).index), "log.example")

    require_ocsf(found)
    assert outcome == (
        found["action_id"], found["disposition_id"], found["severity_id"], found["is_alert"]
    )  # fmt: skip
    assert found["policy"]["uid"] == "ab" * 32
    assert found["policy"]["is_applied"] == (mode == "enforce")


@pytest.mark.parametrize(
    ("type_", "activity"),
    [
        ("audit.read", 2), ("likeness.enrolled", 1), ("likeness.grant_revoked", 4),
        ("policy.live", 3), ("review.refused", 3), ("something.unheard_of", 99),
    ],
)  # fmt: skip
def test_every_type_of_entry_is_an_activity(log: AuditLog, type_: str, activity: int) -> None:
    index = log.append(an_entry("key", type=type_, facts={}, actor="")).index

    found = event(log.entry(index), "log.example")

    require_ocsf(found)
    assert found["activity_id"] == activity


def test_each_line_of_an_ocsf_export_is_an_event(log: AuditLog, database: Database) -> None:
    fill(log, 10)

    events = [json.loads(one) for one in text_of(begun(log, database, Format.OCSF)).splitlines()]

    for one in events:
        require_ocsf(one)
    assert len({one["metadata"]["uid"] for one in events}) == 12
    assert events[0]["unmapped"]["export"]["entries"] == 10
    assert events[-1]["unmapped"]["export"]["entries"] == 10
