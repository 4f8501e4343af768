"""Keys, claims, likenesses and the log, through the command line."""

import base64
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rightsholders import claims as words
from service.audit.verify_file import verify as verify_offline
from service.cli import claims
from service.cli.serve import _first_key
from service.cli.stories import _photograph
from service.keys import KeyRing, Purpose
from service.wiring import now
from tests.service.cli.conftest import Command


def test_a_key_is_shown_once_and_can_be_revoked(command: Command, film: Path) -> None:
    made = command("keys", "create", "--role", "creator", "--label", "mine", "--json").answer
    listed = command("keys", "list")
    closed = command("keys", "revoke", made["id"], "--json").answer

    assert made["secret"].startswith("impr_live_")
    assert made["id"] in listed.out
    assert made["secret"] not in listed.out
    assert "secret" not in closed
    assert closed["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--role", "boss"], "--role is one of creator"),
        (["revoke", "key_none"], "there is no key_none here"),
        (["create", "--role", "creator", "--for", "act_none"], "there is no act_none here"),
    ],
)
def test_a_wrong_key_is_one_sentence(
    arguments: list[str], said: str, command: Command, film: Path
) -> None:
    ran = command("keys", *arguments)

    assert ran.code == 1
    assert said in ran.err


def test_a_claim_refuses_and_can_be_withdrawn(command: Command) -> None:
    prompt = "Quandrix the Tideling dances in the rain"
    filed = command("claims", "file", "Quandrix the Tideling", "--json").answer
    during = command("check", prompt, "--json")
    withdrawn = command("claims", "withdraw", filed["id"], "--json").answer

    assert filed["proof"]["type"] == "claim.in_force"
    assert during.code == 4
    assert during.answer["reasons"][0]["words"] == "Quandrix the Tideling"
    assert withdrawn["state"] == "withdrawn"


def test_the_words_of_a_claim_are_those_of_the_register() -> None:
    for ours, theirs in (
        (claims.Kind, words.Kind), (claims.Action, words.Action), (claims.Basis, words.Basis),
    ):  # fmt: skip
        assert [one.value for one in ours] == [one.value for one in theirs]


def test_a_name_that_everybody_uses_is_no_claim(command: Command) -> None:
    ran = command("claims", "file", "the")

    assert ran.code == 1
    assert ran.err.count("\n") == 1


def test_a_likeness_is_enrolled_granted_and_revoked(command: Command) -> None:
    picture = _photograph()
    person = command("keys", "create", "--role", "likeness_owner", "--person", "A", "--json").answer
    maker = command("keys", "create", "--role", "creator", "--json").answer["actor"]

    enrolled = command("likeness", "enrol", "@astro", picture, "--as", person["actor"], "--json")
    likeness = enrolled.answer["id"]
    stranger = command("likeness", "grant", likeness, "--to", maker)
    granted = command(
        "likeness", "grant", likeness, "--to", maker, "--as", person["actor"], "--json"
    )
    taken = command("likeness", "revoke", granted.answer["id"], "--as", person["actor"], "--json")

    # That the gates heed all this is told by the demo, whose test is in test_demo.py.
    assert enrolled.answer["proof"]["type"] == "likeness.enrolled"
    assert stranger.code == 1
    assert "you have no likeness" in stranger.err
    assert granted.answer["proof"]["type"] == "likeness.granted"
    assert taken.answer["proof"]["type"] == "likeness.grant_revoked"


def test_a_proof_is_checked_by_anybody_with_the_key(command: Command, film: Path) -> None:
    proof = command("audit", "proof", "0", "--json").answer
    printed = command("audit", "proof", "0").out

    assert printed == proof["text"]
    assert verify_offline(printed, proof["keys"][0]).index == 0
    assert command("audit", "proof", "99999").code == 1


def test_the_log_is_sound_and_a_kept_checkpoint_is_held_against_it(
    command: Command, film: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(command("audit", "checkpoint").out)

    ran = command("audit", "verify", "--seen", kept, "--json")
    entries = command("audit", "entries", "--type", "release.sealed", "--json").answer["data"]

    assert ran.code == 0
    assert [one.partition(":")[0] for one in ran.answer["not_checked"]] == ["search index"]
    assert len(entries) >= 1


def test_a_log_that_was_changed_is_20(command: Command, own_home: Path) -> None:
    database = sqlite3.connect(own_home / "imprimatur.sqlite3")
    database.execute("UPDATE log_entry SET leaf = replace(leaf, 'actor', 'author') WHERE place = 0")
    database.commit()
    database.close()
    command.move(own_home)

    ran = command("audit", "verify")
    proof = command("audit", "proof", "0")

    assert ran.code == 20
    assert "entry_changed" in ran.out
    assert proof.code == 1
    assert "not the one that was logged" in proof.err


def test_a_proof_holds_after_the_key_that_signed_it_was_replaced(
    command: Command, own_home: Path
) -> None:
    command.move(own_home)
    KeyRing(own_home / "keys", now).rotate(Purpose.LOG)

    before = command("audit", "proof", "0", "--json")
    command("check", "a red ball")
    after = command("audit", "proof", "0", "--json")

    assert before.answer["checked"] is True
    assert after.answer["checked"] is True
    assert len(after.answer["keys"]) == 2
    assert command("audit", "verify").code == 0


def test_a_backup_is_restored_and_what_it_lacks_is_reported(
    command: Command, own_home: Path, tmp_path: Path
) -> None:
    """The commands of docs/operating.md, `Backup and restore`."""
    restored, note = tmp_path / "restored", tmp_path / "checkpoint"
    (restored / "vault").mkdir(parents=True)
    with (
        closing(sqlite3.connect(own_home / "imprimatur.sqlite3")) as running,
        closing(sqlite3.connect(restored / "imprimatur.sqlite3")) as copy,
    ):
        running.backup(copy)
    shutil.copytree(own_home / "vault" / "released", restored / "vault" / "released")
    shutil.copytree(own_home / "keys", restored / "keys")
    command.move(own_home)
    note.write_text(command("audit", "checkpoint").out)
    command.move(restored)
    whole = command("audit", "verify", "--seen", note)
    command.move(own_home)
    command("check", "a red ball")
    note.write_text(command("audit", "checkpoint").out)
    command.move(restored)
    short = command("audit", "verify", "--seen", note)

    assert whole.code == 0
    assert short.code == 20
    assert command("check", "a red ball").code == 0


def test_the_log_of_nobody_is_no_log(command: Command, tmp_path: Path) -> None:
    command.move(tmp_path / "none")

    ran = command("audit", "verify")

    assert ran.code == 1
    assert "nothing is written here yet" in ran.err
    assert not (tmp_path / "none").exists()


def test_only_a_house_without_keys_gets_a_first_one(command: Command, tmp_path: Path) -> None:
    from service.cli import opening

    command.move(tmp_path / "home")
    with opening.house(opening.settings()) as house:
        first, second = _first_key(house), _first_key(house)
    listed = command("keys", "list", "--json").answer["data"]

    assert first.startswith("impr_live_")
    assert second == ""
    assert [sorted(one["roles"]) for one in listed] == [["creator", "operator"]]
    assert len(base64.urlsafe_b64decode(first[-43:] + "=")) == 32
