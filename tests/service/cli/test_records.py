"""Erasure, holds and disclosure through the command line, with the real house."""

import shutil
from pathlib import Path

from service import doctor, wiring
from service.doctor import Level
from service.settings import Settings
from tests.service.cli.conftest import Command

DATABASE = "imprimatur.sqlite3"


def made_by(command: Command) -> tuple[str, int]:
    """Return who made the film, and the entry that decided about it."""
    sealed = command("audit", "entries", "--type", "release.sealed", "--json").answer["data"]
    listed = command("audit", "entries", "--type", "decision.made", "--limit", "100", "--json")
    entry = next(
        one
        for one in listed.answer["data"]
        if "prompt" in one["commitments"] and one["request"] == sealed[-1]["request"]
    )
    return str(entry["actor"]), int(entry["index"])


def erasures(home: Path) -> doctor.Finding:
    settings = Settings(home=home)
    (check,) = [one for one in doctor._checks(wiring.now()) if one[0] == "erasures"]
    return doctor._finding(*check[:2], settings, check[2])


def test_a_restored_database_is_erased_again_at_the_next_start(
    command: Command, own_home: Path
) -> None:
    command.move(own_home)
    actor, index = made_by(command)
    shown = command("audit", "disclose", str(index), "prompt", "--json").answer
    assert shown["text"] == "a blue box bounces on a green floor"
    backup = shutil.copytree(own_home, own_home.parent / "backup")

    erased = command("records", "erase", actor, "--json").answer
    gone = command("audit", "disclose", str(index), "prompt")
    assert (erased["status"], erased["proof"]["checked"]) == ("done", True)
    assert (gone.code, erasures(own_home).level) == (1, Level.OK)

    for left in own_home.glob(f"{DATABASE}*"):
        left.unlink()
    for kept in backup.glob(f"{DATABASE}*"):
        shutil.copy(kept, own_home)
    assert erasures(own_home).level is Level.FAIL
    assert command("audit", "disclose", str(index), "prompt").code == 1
    assert erasures(own_home).level is Level.OK
    replayed = command("audit", "entries", "--type", "erasure.replayed", "--json").answer
    assert [one["facts"]["erasure"] for one in replayed["data"]] == [erased["id"]]
    verified = command("audit", "verify", "--json").answer
    assert verified["sound"]
    assert verified["erased"] > 0


def test_a_hold_takes_two_people_at_the_machine_too(command: Command, own_home: Path) -> None:
    command.move(own_home)
    actor, _ = made_by(command)
    second = command("keys", "create", "--role", "operator", "--person", "Pavel", "--json").answer
    hold = command("records", "hold", "--subject", actor, "--why", "a suit", "--json").answer

    alone = command("records", "confirm", hold["id"])
    both = command("records", "confirm", hold["id"], "--as", second["actor"])
    waits = command("records", "erase", actor, "--json").answer
    first = command("records", "release", hold["id"], "--json").answer
    ended = command("records", "release", hold["id"], "--as", second["actor"], "--json").answer

    assert alone.code == 1
    assert "another person" in alone.err
    assert "in_force" in both.out
    assert (waits["status"], first["status"]) == ("queued", "release_asked")
    assert (ended["status"], ended["erasures"]) == ("released", [waits["id"]])
    assert "done" in command("records", "erasures").out
    assert hold["id"] in command("records", "holds").out


def test_what_cannot_be_done_is_one_sentence(command: Command, film: Path) -> None:
    for arguments, said in (
        (["erase", "act_nobody"], "nobody has the id act_nobody"),
        (["confirm", "hld_none"], "there is no hold hld_none"),
        (["hold", "--why", "x"], "name one id"),
    ):
        ran = command("records", *arguments)
        assert ran.code == 1
        assert said in ran.err
        assert len(ran.err.strip().splitlines()) == 1


def test_a_sweep_says_what_it_dropped(command: Command, film: Path) -> None:
    assert command("records", "sweep", "--json").answer == {
        "object": "records.sweep", "values": 0, "requests": 0, "held": 0,
    }  # fmt: skip
    assert "Dropped 0" in command("records", "sweep").out


def test_what_is_young_is_not_pruned(command: Command, film: Path, tmp_path: Path) -> None:
    ran = command("audit", "prune", "--before", "2999-01-01", "--archive", tmp_path / "a.jsonl")

    assert ran.code == 1
    assert "kept for 180 days" in ran.err
    assert not (tmp_path / "a.jsonl").exists()
