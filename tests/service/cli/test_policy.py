"""The policy book through the command line, from a file to live and back."""

from pathlib import Path

import pytest

from tests.service.cli.conftest import Command
from tests.service.policy_book.builders import a_document

# What stands before the thresholds of violence; those of other heads are the same.
VIOLENCE = "sport or a stage.\n    thresholds:\n      default: "


@pytest.fixture
def house(command: Command, tmp_path: Path) -> Command:
    """A home of its own, where nothing but keys was made."""
    command.move(tmp_path / "home")
    assert command("keys", "create", "--role", "operator").code == 0
    return command


def a_file(folder: Path, version: str, old: str = "", new: str = "") -> Path:
    file = folder / f"{version}.yaml"
    file.write_bytes(a_document(version).replace(old.encode(), new.encode()))
    return file


def another_person(house: Command) -> str:
    made = house("keys", "create", "--role", "policy_approver", "--person", "Second", "--json")
    return str(made.answer["actor"])


def test_a_policy_goes_from_a_file_to_live_and_back(house: Command, tmp_path: Path) -> None:
    second = another_person(house)
    drafted = house("policy", "draft", a_file(tmp_path, "2"), "--json").answer
    sha256 = drafted["sha256"]

    assert drafted["state"] == "draft"
    assert drafted["proof"]["type"] == "policy.drafted"
    assert house("policy", "promote", sha256[:8], "--to", "shadow").code == 0
    assert house("policy", "approve", sha256[:12], "--as", second).code == 0
    tried = house("policy", "promote", sha256, "--to", "canary", "--percent", "5")
    assert "is canary for 5 %" in tried.out
    live = house("policy", "promote", sha256, "--to", "live", "--json").answer
    assert live["state"] == "live"
    back = house("policy", "rollback", "--why", "mistake", "--json").answer
    assert back["origin"] == "packaged"
    assert back["proof"]["type"] == "policy.rolled_back"
    states = {
        one["version"]: one["state"] for one in house("policy", "list", "--json").answer["data"]
    }
    assert states["2"] == "retired"
    shown = house("policy", "show", sha256, "--json").answer
    assert [one["act"] for one in shown["history"]] == [
        "drafted", "shadowed", "approved", "canary", "live", "retired",
    ]  # fmt: skip
    assert house("policy", "show", sha256).out.encode() == a_document("2")


def test_a_project_is_put_on_a_plan(house: Command) -> None:
    project = house("keys", "list", "--json").answer["data"][0]["project"]

    put = house("policy", "plan", project, "research", "--json").answer

    assert put["plan"] == "research"
    assert put["proof"]["type"] == "project.planned"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lint", "nothing.yaml"], "No such file"),
        (["approve", "x"], "at least 8 digits"),
        (["approve", "00000000"], "there is no policy 00000000"),
        (["promote", "00000000", "--to", "draft"], "--to is one of shadow, canary, live"),
        (["rollback", "--why", "because"], "--why is one of"),
        (["rollback"], "nothing was live before"),
        (["plan", "proj_none", "gold"], "there is no proj_none"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    house: Command, arguments: list[str], said: str
) -> None:
    ran = house("policy", *arguments)

    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_no_policy_is_refused_by_the_name_of_its_file(
    house: Command, tmp_path: Path
) -> None:
    file = a_file(tmp_path, "2", "filters.gore", "filters.goree")

    for command in ("lint", "draft"):
        ran = house("policy", command, file)
        assert ran.code == 1
        assert str(file) in ran.err
        assert "filters.goree" in ran.err


def test_production_wants_a_second_person(
    house: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = house("policy", "draft", a_file(tmp_path, "2"), "--json").answer["sha256"]
    for name in ("chain", "key"):
        monkeypatch.setenv(f"IMPRIMATUR_SIGNER_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("IMPRIMATUR_SIGNER", "files")
    monkeypatch.setenv("IMPRIMATUR_ENVIRONMENT", "production")

    own = house("policy", "approve", sha256)
    early = house("policy", "promote", sha256, "--to", "live")

    assert (own.code, early.code) == (1, 1)
    assert "nobody approves the policy they wrote" in own.err
    assert "needs the approval of a second person" in early.err


def test_a_document_alone_can_be_linted_and_compared(command: Command, tmp_path: Path) -> None:
    command.move(tmp_path / "nowhere")
    old = a_file(tmp_path, "2")
    new = a_file(
        tmp_path, "3", VIOLENCE + "{hold: 0.15, block: 0.5}", VIOLENCE + "{hold: 0.1, block: 0.2}"
    )

    linted = command("policy", "lint", old)
    told = command("policy", "diff", old, new)
    same = command("policy", "diff", old, old)

    assert "is whole" in linted.out
    assert told.code == 0
    assert told.out.strip()
    assert same.out == "They mean the same.\n"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_compared_with_what_is_live(house: Command, tmp_path: Path) -> None:
    new = a_file(
        tmp_path, "3", VIOLENCE + "{hold: 0.15, block: 0.5}", VIOLENCE + "{hold: 0.1, block: 0.2}"
    )

    told = house("policy", "diff", "live", new, "--json").answer

    assert told["old"]["id"] == "default"
    assert told["changes"]


def test_a_policy_is_tried_on_what_was_decided(house: Command, tmp_path: Path) -> None:
    assert house("check", "a red ball bounces on a green floor").code == 0
    strict = a_file(
        tmp_path, "9", "default: {hold: 0.025, block: 0.05}", "default: {hold: 0.0, block: 1.0}"
    )

    told = house("policy", "simulate", strict)
    answer = house("policy", "simulate", strict, "--against", "live", "--json").answer

    assert told.code == 0, told
    assert "Of 1 decisions, 1 would have been another." in told.out
    assert "allow to hold: 1 (100.00%, 95 %: 20.65% to 100.00%)" in told.out
    assert "filters.minors: hold from 0 instead of 0.025" in told.out
    assert answer["changes"][0]["direction"] == "neither"
