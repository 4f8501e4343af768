from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import accounts
from service.accounts import (
    PREFIX,
    USED_WITHIN,
    Issued,
    NewKey,
    NoSuchAccount,
    NotAuthenticated,
    Principal,
    Role,
)
from service.accounts.api_keys import key_table
from service.database import Database
from tests.service.jobs.databases import sqlite_in

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CREATOR = frozenset({Role.CREATOR})


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with sqlite_in(Path(tmp_path_factory.mktemp("accounts"))) as made:
        yield made


def issued(
    database: Database, roles: frozenset[Role] = CREATOR, expires_at: datetime | None = None
) -> Issued:
    with database.transaction() as conn:
        actor = accounts.create_actor(conn, "Ada", NOON)
        project = accounts.create_project(conn, "Films", NOON)
        new = NewKey(actor.id, project.id, roles, "laptop", expires_at)
        return accounts.create_key(conn, new, NOON)


def authenticate(database: Database, secret: str, now: datetime = NOON) -> Principal:
    with database.reading() as conn:
        return accounts.authenticate(conn, secret, now)


def refusal(database: Database, secret: str, now: datetime = NOON) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        authenticate(database, secret, now)
    return repr(refused.value)


def test_a_key_says_who_asks_and_in_which_roles(database: Database) -> None:
    made = issued(database, frozenset({Role.MODERATOR, Role.AUDITOR}))

    asking = authenticate(database, made.secret)

    assert asking == Principal(
        made.key.actor, made.key.project, frozenset({Role.MODERATOR, Role.AUDITOR}), made.key.id
    )


def test_a_key_has_a_prefix_for_scanners_and_256_bits(database: Database) -> None:
    made = issued(database)

    assert made.secret.startswith(PREFIX)
    assert made.secret.split("_")[2] == made.key.id.removeprefix("key_")
    assert len(made.secret) == len(PREFIX) + 26 + 1 + 43


def test_unknown_wrong_expired_revoked_and_disabled_get_the_same_answer(
    database: Database,
) -> None:
    wrong = issued(database).secret[:-4] + "AAAA"
    unknown = PREFIX + "0" * 26 + "_" + "A" * 43
    expired = issued(database, expires_at=NOON)
    revoked = issued(database)
    shut_out = issued(database)
    with database.transaction() as conn:
        accounts.revoke(conn, revoked.key.project, revoked.key.id, NOON)
        accounts.disable_actor(conn, shut_out.key.actor, NOON)

    presented = [wrong, unknown, expired.secret, revoked.secret, shut_out.secret, "", "x" * 10_000]

    assert len({refusal(database, secret) for secret in presented}) == 1


@given(st.text(max_size=120))
def test_nothing_that_was_not_issued_opens_anything(database: Database, presented: str) -> None:
    assert refusal(database, presented) == refusal(database, "")


def test_a_header_with_half_a_surrogate_is_refused_like_any_other(database: Database) -> None:
    assert "opens nothing" in refusal(database, PREFIX + "\ud800")


@pytest.mark.parametrize("at", [len(PREFIX) + 3, -1, -20])
def test_one_changed_character_is_another_key(database: Database, at: int) -> None:
    secret = issued(database).secret
    changed = list(secret)
    changed[at] = "0" if secret[at] != "0" else "1"

    refusal(database, "".join(changed))


def test_the_secret_is_in_no_repr_and_not_in_the_database(database: Database) -> None:
    made = issued(database)
    random_part = made.secret[-43:]
    with database.transaction() as conn:
        rows = conn.execute(key_table.select()).all()
        assert accounts.key(conn, made.key.project, made.key.id) == made.key

    assert random_part not in f"{made!r} {made} {made.key!r} {rows!r}"
    assert all(len(row.secret_sha256) == 32 for row in rows)


def test_a_persons_name_is_in_no_repr(database: Database) -> None:
    with database.transaction() as conn:
        actor = accounts.create_actor(conn, "Ada Lovelace", NOON)

        assert "Lovelace" not in f"{actor!r}"
        assert accounts.actor(conn, actor.id).display == "Ada Lovelace"


def test_a_revoked_key_is_closed_at_once_and_stays_in_the_list(database: Database) -> None:
    made = issued(database)
    authenticate(database, made.secret)

    with database.transaction() as conn:
        first = accounts.revoke(conn, made.key.project, made.key.id, NOON)
        again = accounts.revoke(conn, made.key.project, made.key.id, NOON + timedelta(days=1))
        listed = accounts.keys_of(conn, made.key.project)

    refusal(database, made.secret)
    assert first.revoked_at == again.revoked_at == NOON
    assert listed == (first,)


def test_a_key_expires_to_the_microsecond(database: Database) -> None:
    made = issued(database, expires_at=NOON + timedelta(hours=1))

    authenticate(database, made.secret, NOON + timedelta(hours=1, microseconds=-1))
    refusal(database, made.secret, NOON + timedelta(hours=1))


def test_both_keys_work_while_a_rotation_overlaps(database: Database) -> None:
    old = issued(database, frozenset({Role.OPERATOR}))
    with database.transaction() as conn:
        new = accounts.rotate(conn, old.key.project, old.key.id, timedelta(days=1), NOON)

    during = [authenticate(database, each.secret) for each in (old, new)]

    assert {each.actor for each in during} == {old.key.actor}
    assert {each.roles for each in during} == {frozenset({Role.OPERATOR})}
    refusal(database, old.secret, NOON + timedelta(days=1))
    authenticate(database, new.secret, NOON + timedelta(days=1))


def test_a_rotation_never_gives_a_key_more_time(database: Database) -> None:
    old = issued(database, expires_at=NOON + timedelta(hours=1))
    with database.transaction() as conn:
        new = accounts.rotate(conn, old.key.project, old.key.id, timedelta(days=1), NOON)

    for each in (old, new):
        refusal(database, each.secret, NOON + timedelta(hours=1))


def test_a_revoked_key_cannot_be_rotated_back_to_life(database: Database) -> None:
    made = issued(database)
    with database.transaction() as conn:
        accounts.revoke(conn, made.key.project, made.key.id, NOON)

        with pytest.raises(NotAuthenticated):
            accounts.rotate(conn, made.key.project, made.key.id, timedelta(days=1), NOON)


def test_another_projects_key_is_unknown(database: Database) -> None:
    made, other = issued(database), issued(database)

    with database.transaction() as conn:
        for act in (
            lambda: accounts.key(conn, other.key.project, made.key.id),
            lambda: accounts.revoke(conn, other.key.project, made.key.id, NOON),
            lambda: accounts.rotate(conn, other.key.project, made.key.id, timedelta(0), NOON),
        ):
            with pytest.raises(NoSuchAccount):
                act()

    authenticate(database, made.secret)


def test_no_key_is_made_for_nobody_or_nowhere(database: Database) -> None:
    made = issued(database)

    with database.transaction() as conn:
        for new in (
            NewKey("act_none", made.key.project, CREATOR),
            NewKey(made.key.actor, "proj_none", CREATOR),
        ):
            with pytest.raises(NoSuchAccount):
                accounts.create_key(conn, new, NOON)


def test_the_last_use_is_written_at_most_once_an_hour(database: Database) -> None:
    made = issued(database)
    seen = []
    with database.transaction() as conn:
        for after in (timedelta(0), USED_WITHIN, USED_WITHIN + timedelta(seconds=1)):
            accounts.note_use(conn, made.key.id, NOON + after)
            seen.append(accounts.key(conn, made.key.project, made.key.id).last_used_at)

    assert seen == [NOON, NOON, NOON + USED_WITHIN + timedelta(seconds=1)]
