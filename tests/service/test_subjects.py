"""Subjects' keys: destroyed once, gone everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.database import Database, metadata
from service.keys import secret_key
from service.subjects import (
    Plain,
    SealBroken,
    SubjectErased,
    SubjectKeys,
    VaultKeyMissing,
)

VAULT = secret_key(b"\x02" * 32)
NEWER = secret_key(b"\x03" * 32)
ANN, BEN = "person:ann", "person:ben"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/subjects.sqlite3")
    metadata.create_all(made.engine)
    yield made
    made.close()


@pytest.fixture
def subjects() -> SubjectKeys:
    return SubjectKeys([VAULT])


@given(value=st.binary(max_size=200), context=st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_was_sealed_is_what_is_opened(
    database: Database, subjects: SubjectKeys, value: bytes, context: str
) -> None:
    with database.transaction() as conn:
        sealed = subjects.seal(conn, ANN, value, context)

        assert subjects.open(conn, ANN, sealed, context) == value
        assert len(value) < 8 or value not in sealed


def test_the_same_value_is_sealed_differently_each_time(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        assert subjects.seal(conn, ANN, b"x", "c") != subjects.seal(conn, ANN, b"x", "c")


def test_a_destroyed_key_opens_nothing(database: Database, subjects: SubjectKeys) -> None:
    with database.transaction() as conn:
        hers = subjects.seal(conn, ANN, b"hers", "c")
        his = subjects.seal(conn, BEN, b"his", "c")

    with database.transaction() as conn:
        assert subjects.destroy(conn, ANN)

    with database.reading() as conn:
        with pytest.raises(SubjectErased):
            subjects.open(conn, ANN, hers, "c")
        assert subjects.open(conn, BEN, his, "c") == b"his"


def test_a_key_destroyed_by_another_process_is_gone_from_this_ones_memory(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        sealed = subjects.seal(conn, ANN, b"hers", "c")
        assert subjects.open(conn, ANN, sealed, "c") == b"hers"
    another = SubjectKeys([VAULT])
    with database.transaction() as conn:
        another.destroy(conn, ANN)

    with database.reading() as conn, pytest.raises(SubjectErased):
        subjects.open(conn, ANN, sealed, "c")


def test_a_destroyed_key_stays_until_the_transaction_commits(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        sealed = subjects.seal(conn, ANN, b"hers", "c")
    with pytest.raises(ZeroDivisionError), database.transaction() as conn:
        subjects.destroy(conn, ANN)
        raise ZeroDivisionError

    with database.reading() as conn:
        assert subjects.open(conn, ANN, sealed, "c") == b"hers"


def test_what_comes_after_an_erasure_has_a_new_key(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        before = subjects.seal(conn, ANN, b"before", "c")
        subjects.destroy(conn, ANN)
        after = subjects.seal(conn, ANN, b"after", "c")

        assert subjects.open(conn, ANN, after, "c") == b"after"
        with pytest.raises(SubjectErased):
            subjects.open(conn, ANN, before, "c")
        subjects.destroy(conn, ANN)
        with pytest.raises(SubjectErased):
            subjects.open(conn, ANN, after, "c")


def test_destroying_is_done_once(database: Database, subjects: SubjectKeys) -> None:
    with database.transaction() as conn:
        assert not subjects.destroy(conn, ANN)
        subjects.seal(conn, ANN, b"x", "c")
        assert subjects.destroy(conn, ANN)
        assert not subjects.destroy(conn, ANN)


def test_no_file_keeps_the_wrapped_key_once_it_is_checkpointed(
    database: Database, subjects: SubjectKeys, tmp_path: Path
) -> None:
    with database.transaction() as conn:
        subjects.seal(conn, ANN, b"x", "c")
        wrapped = conn.exec_driver_sql("SELECT wrapped FROM subject_key").scalar_one()
    with database.transaction() as conn:
        subjects.destroy(conn, ANN)
    with database.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    assert len(wrapped) == 60
    assert all(wrapped not in file.read_bytes() for file in tmp_path.iterdir())


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_a_flipped_bit_is_refused(
    database: Database, subjects: SubjectKeys, data: st.DataObject
) -> None:
    with database.transaction() as conn:
        sealed = bytearray(subjects.seal(conn, ANN, b"hers", "c"))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

        with pytest.raises((SealBroken, SubjectErased)):
            subjects.open(conn, ANN, bytes(sealed), "c")


def test_a_value_belongs_to_one_subject_and_one_context(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        sealed = subjects.seal(conn, ANN, b"hers", "c")
        subjects.seal(conn, BEN, b"his", "c")

        for subject, context in ((ANN, "d"), (BEN, "c"), ("person:none", "c")):
            with pytest.raises(SealBroken):
                subjects.open(conn, subject, sealed, context)
        with pytest.raises(SealBroken):
            subjects.open(conn, ANN, b"", "c")


def test_a_wrapped_key_moved_to_another_subject_opens_nothing(
    database: Database, subjects: SubjectKeys
) -> None:
    with database.transaction() as conn:
        hers = subjects.seal(conn, ANN, b"hers", "c")
        subjects.seal(conn, BEN, b"his", "c")
        conn.exec_driver_sql(
            "UPDATE subject_key SET wrapped = (SELECT wrapped FROM subject_key WHERE subject = ?)",
            (BEN,),
        )

        with pytest.raises(SealBroken):
            SubjectKeys([VAULT]).open(conn, ANN, hers, "c")


def test_a_new_vault_key_opens_what_the_old_one_wrapped(database: Database) -> None:
    with database.transaction() as conn:
        sealed = SubjectKeys([VAULT]).seal(conn, ANN, b"hers", "c")

        assert SubjectKeys([NEWER, VAULT]).open(conn, ANN, sealed, "c") == b"hers"
        with pytest.raises(VaultKeyMissing):
            SubjectKeys([NEWER]).open(conn, ANN, sealed, "c")
    with pytest.raises(VaultKeyMissing):
        SubjectKeys([])


def test_many_values_of_many_subjects_keep_their_order(
    database: Database, subjects: SubjectKeys
) -> None:
    plain = [Plain(f"person:{number % 3}", b"%d" % number, "c") for number in range(10)]

    with database.transaction() as conn:
        sealed = subjects.seal_all(conn, plain)

        opened = [
            subjects.open(conn, one.subject, content, "c")
            for one, content in zip(plain, sealed, strict=True)
        ]
    assert opened == [one.value for one in plain]
    assert "b'5'" not in repr(plain)
