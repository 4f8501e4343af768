"""`imprimatur ticket verify`: what a ticket permits, for somebody who holds nothing but keys."""

import json
from pathlib import Path

import pytest

from service.keys import KeyRing, Purpose
from service.ticket_keys import keys_json
from service.wiring import now
from tests.service.cli.conftest import Command

PROMPT = "a red ball bounces on a green floor"


@pytest.fixture
def token(command: Command) -> str:
    return str(command("check", PROMPT, "--json").answer["ticket"])


@pytest.fixture
def keys(command: Command, token: str, tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    ring = KeyRing(command.home / "keys", now)
    file.write_text(json.dumps(keys_json(ring.verifying(Purpose.TICKET))))
    return file


def test_a_ticket_of_ours_is_valid_and_says_what_it_permits(command: Command, token: str) -> None:
    ran = command("ticket", "verify", token)

    assert ran.code == 0
    assert ran.out.startswith("Valid.\nPermits request req_")
    assert "Not compared with a request" in ran.out
    assert PROMPT not in ran.out


def test_it_permits_what_was_asked_and_nothing_else(command: Command, token: str) -> None:
    same = command("ticket", "verify", token, "--prompt", PROMPT, "--json")
    other = command("ticket", "verify", token, "--prompt", "a blue ball", "--json")
    longer = command("ticket", "verify", token, "--prompt", PROMPT, "--seconds", "5", "--json")

    assert (same.code, same.answer["valid"], same.answer["request_compared"]) == (0, True, True)
    assert (other.code, other.answer["why"]) == (4, "for_another")
    assert (longer.code, longer.answer["message"].split()[0]) == (4, "parameters")


def test_where_it_is_shown_belongs_to_the_request(command: Command) -> None:
    german = str(command("check", PROMPT, "--territory", "DE", "--json").answer["ticket"])
    same = ("ticket", "verify", german, "--prompt", PROMPT)

    assert command(*same, "--territory", "de").code == 0
    assert command(*same).code == 4


def test_a_file_of_keys_is_enough_on_another_machine(
    command: Command, token: str, keys: Path, tmp_path: Path
) -> None:
    command.move(tmp_path / "elsewhere")
    file, body = tmp_path / "ticket", tmp_path / "body.json"
    file.write_text(token + "\n")
    body.write_text(json.dumps({"prompt": PROMPT, "seconds": 4}))

    ran = command("ticket", "verify", file, "--request", body, "--keys", keys, "--json")

    assert (ran.code, ran.answer["valid"]) == (0, True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_forged_ticket_shows_nothing_of_itself(command: Command, token: str) -> None:
    head, signature = token.rsplit(".", 1)
    forged = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"

    ran = command("ticket", "verify", forged, "--json")

    assert ran.code == 4
    assert (ran.answer["why"], ran.answer["ticket"], ran.answer["key"]) == ("forged", None, None)


def test_a_ticket_of_strangers_is_not_valid_here(
    command: Command, token: str, tmp_path: Path
) -> None:
    other = tmp_path / "keys.json"
    ring = KeyRing(tmp_path / "theirs", now)
    other.write_text(json.dumps(keys_json(ring.verifying(Purpose.TICKET))))

    ran = command("ticket", "verify", token, "--keys", other)

    assert ran.code == 4
    assert ran.out.startswith("Not valid (key_unknown)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["v1.a.b.c", "--seconds", "4"], "a request has a prompt"),
        (["v1.a.b.c", "--prompt", "a", "--request", "x.json"], "leave the other options"),
        (["/no/such/ticket"], "/no/such/ticket: No such"),
        (["v1.a.b.c", "--prompt", "a ball", "--size", "1x1"], "is not a size we make"),
        (["v1.a.b.c", "--keys", "/dev/null"], "no ticket keys"),
    ],
)
def test_a_mistake_is_one_sentence_and_1(
    arguments: list[str], said: str, command: Command, token: str
) -> None:
    ran = command("ticket", "verify", *arguments)

    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_house_that_issued_nothing_says_so_and_makes_no_key(
    command: Command, token: str, tmp_path: Path
) -> None:
    command.move(tmp_path / "new")

    ran = command("ticket", "verify", token)

    assert ran.code == 1
    assert "no ticket was issued here" in ran.err
    assert not (tmp_path / "new").exists()
