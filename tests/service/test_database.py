import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from service.database import Database, DatabaseUnavailable, driver


def a_database(folder: Path, **options: float) -> Database:
    database = Database(f"sqlite:///{folder / 'a.sqlite3'}", **options)
    with database.transaction() as conn:
        conn.execute(text("CREATE TABLE t (x INTEGER)"))
    return database


def rows(database: Database) -> list[int]:
    with database.reading() as conn:
        return [row.x for row in conn.execute(text("SELECT x FROM t ORDER BY x"))]


def test_an_exception_inside_a_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with pytest.raises(KeyError), database.transaction() as conn:
        conn.execute(text("INSERT INTO t VALUES (1)"))
        raise KeyError

    assert rows(database) == []


def test_what_a_reading_connection_writes_is_not_kept(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with database.reading() as conn:
        conn.execute(text("INSERT INTO t VALUES (1)"))

    assert rows(database) == []


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with database.reading() as before:
        assert before.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with database.transaction() as conn:
            conn.execute(text("INSERT INTO t VALUES (1)"))

        assert before.execute(text("SELECT count(*) FROM t")).scalar() == 0


def test_every_connection_survives_a_power_failure(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    for _ in range(3):
        with database.transaction() as conn:
            durability = database.durability(conn)

            assert dict(durability.settings) == {"journal_mode": "wal", "synchronous": "2"}
            assert durability.holds


def test_a_relaxed_connection_is_not_called_durable(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with database.reading() as conn:
        conn.rollback()
        conn.exec_driver_sql("PRAGMA synchronous=NORMAL")

        assert not database.durability(conn).holds


def test_a_locked_database_says_locked(tmp_path: Path) -> None:
    database = a_database(tmp_path, busy_timeout_s=0.05)

    with (
        database.transaction() as first,
        pytest.raises(DatabaseUnavailable) as refused,
        database.transaction(),
    ):
        first.execute(text("INSERT INTO t VALUES (1)"))

    assert refused.value.cause == "locked"


def test_a_read_only_database_says_read_only(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    a_database(tmp_path).close()
    database = Database(f"sqlite:///file:{path}?mode=ro&uri=true")

    with pytest.raises(DatabaseUnavailable) as refused, database.transaction() as conn:
        conn.execute(text("INSERT INTO t VALUES (1)"))

    assert refused.value.cause == "read_only"


def test_a_full_database_says_full_and_recovers(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with pytest.raises(DatabaseUnavailable) as refused, database.transaction() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 2")
        for number in range(5000):
            conn.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})

    assert refused.value.cause == "full"
    with database.transaction() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
        conn.execute(text("INSERT INTO t VALUES (7)"))
    assert rows(database) == [7]


def test_a_missing_folder_says_unreachable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'a.sqlite3'}")

    with pytest.raises(DatabaseUnavailable) as refused, database.transaction():
        pass

    assert refused.value.cause == "unreachable"
    assert not isinstance(refused.value, sqlite3.Error)


@pytest.mark.postgres
def test_postgresql_promises_durability(postgres_url: str) -> None:
    database = Database(postgres_url)

    with database.transaction() as conn:
        durability = database.durability(conn)
    database.close()

    assert dict(durability.settings) == {"fsync": "on", "synchronous_commit": "on"}
    assert durability.holds


def test_a_value_that_an_error_quotes_is_no_sign_of_its_cause(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.transaction() as conn:
        conn.execute(text('CREATE TABLE u ("full" TEXT UNIQUE)'))
        conn.execute(text("INSERT INTO u VALUES ('locked')"))

    with pytest.raises(DatabaseUnavailable) as refused, database.transaction() as conn:
        conn.execute(text("INSERT INTO u VALUES ('locked')"))

    assert refused.value.cause == "error"
    assert "'locked'" not in str(refused.value)


def test_an_error_of_the_driver_itself_is_mapped_too(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    with pytest.raises(DatabaseUnavailable), database.transaction() as conn:
        driver(conn).execute("INSERT INTO no_such_table VALUES (1)")
    with database.transaction() as conn:
        driver(conn).execute("INSERT INTO t VALUES (1)")

    assert rows(database) == [1]


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite3").write_bytes(b"no database at all" * 100)

    with (
        pytest.raises(DatabaseUnavailable),
        Database(f"sqlite:///{tmp_path}/a.sqlite3").reading(),
    ):
        pass


def test_the_write_ahead_log_shrinks_again_after_a_long_reader(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    wal = tmp_path / "a.sqlite3-wal"
    with database.transaction() as conn:
        conn.execute(text("CREATE TABLE big (x BLOB)"))
    with database.reading() as reader:
        reader.execute(text("SELECT count(*) FROM t")).scalar()
        for _ in range(3):
            with database.transaction() as conn:
                conn.execute(text("INSERT INTO big VALUES (randomblob(10000000))"))
        assert wal.stat().st_size > 30_000_000

    for number in range(3):
        with database.transaction() as conn:
            conn.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})

    assert wal.stat().st_size <= 16 << 20


def test_a_replaced_file_is_read_and_the_old_one_is_not_written(tmp_path: Path) -> None:
    database, live = a_database(tmp_path), tmp_path / "a.sqlite3"
    other = a_database(tmp_path_of(tmp_path, "other"))
    with other.transaction() as conn:
        conn.execute(text("INSERT INTO t VALUES (7)"))
    other.close()
    database.close()
    rows(database)

    (tmp_path / "other" / "a.sqlite3").rename(live)

    assert rows(database) == [7]


def tmp_path_of(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made
