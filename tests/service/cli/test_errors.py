"""What breaks around the service, seen by real processes: one clear sentence, and 1."""

import shutil
import sqlite3
from pathlib import Path

from filters.minilm import GRAPH
from service.audit.log import AuditLog
from service.audit.reading import EntryFilter
from service.cli import opening
from service.settings import Settings
from tests.service.cli.conftest import Ran, child

CHECK = ("check", "a red ball bounces on a green floor")
PRAGMA = """
from sqlalchemy import Engine, event
@event.listens_for(Engine, "connect")
def _(raw, _record):
    raw.execute("PRAGMA {}")
"""


def is_one_sentence(ran: Ran) -> bool:
    return ran.code == 1 and ran.out == "" and ran.err.count("\n") == 1


def entries(home: Path) -> int:
    with opening.books(Settings(home=home)) as books:
        return size(books.log)


def size(log: AuditLog) -> int:
    return len(log.entries(EntryFilter(limit=1000)))


def test_an_unknown_setting_is_named(shared_home: Path, cache: Path) -> None:
    ran = child(shared_home, cache, *CHECK, IMPRIMATUR_TRESHOLD="0.1")

    assert is_one_sentence(ran)
    assert "unknown setting IMPRIMATUR_TRESHOLD" in ran.err


def test_a_database_that_another_process_holds_is_locked(own_home: Path, cache: Path) -> None:
    other = sqlite3.connect(own_home / "imprimatur.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    ran = child(own_home, cache, *CHECK, before=_short_wait())
    other.execute("ROLLBACK")

    assert is_one_sentence(ran)
    assert "database locked: another process writes" in ran.err


def test_a_database_that_cannot_be_written_is_read_only(own_home: Path, cache: Path) -> None:
    before = entries(own_home)

    ran = child(own_home, cache, *CHECK, before=PRAGMA.format("query_only=ON"))

    assert is_one_sentence(ran)
    assert "database read_only: give the service's user the right" in ran.err
    assert entries(own_home) == before


def test_a_full_database_decides_nothing_and_loses_nothing(own_home: Path, cache: Path) -> None:
    before = entries(own_home)

    long = "a red ball bounces on a green floor " * 800
    ran = child(
        own_home, cache, "check", long, before=PRAGMA.format("max_page_count=1")
    )  # fmt: skip

    assert is_one_sentence(ran)
    assert "database full: free space" in ran.err
    assert entries(own_home) == before


def test_a_tampered_model_is_never_used(own_home: Path, cache: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(cache, tmp_path / "cache"))
    graph = broken / "minilm" / GRAPH
    content = bytearray(graph.read_bytes())
    content[-100] ^= 1
    graph.write_bytes(content)
    before = entries(own_home)

    ran = child(own_home, broken, *CHECK)

    assert is_one_sentence(ran)
    assert "a model is not the one we pinned" in ran.err
    assert "imprimatur models prepare" in ran.err
    assert entries(own_home) == before


def test_a_missing_policy_is_named(shared_home: Path, cache: Path) -> None:
    ran = child(shared_home, cache, *CHECK, IMPRIMATUR_POLICY="/no/policy.yaml")

    assert is_one_sentence(ran)
    assert "/no/policy.yaml: No such file" in ran.err


def test_a_key_that_others_can_read_stops_everything(own_home: Path, cache: Path) -> None:
    (own_home / "keys" / "log-0001.key").chmod(0o644)

    ran = child(own_home, cache, *CHECK)

    assert is_one_sentence(ran)
    assert "run chmod 600 on it" in ran.err


def _short_wait() -> str:
    # Ten seconds of waiting for a lock are right in service and too long here.
    return (
        "from service.database import Database\n"
        "Database.__init__.__kwdefaults__['busy_timeout_s'] = 0.2"
    )
