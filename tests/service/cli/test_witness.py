"""`imprimatur witness` and what `audit verify` makes of cosignatures and of files."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.audit.entries import Entry
from service.cli import opening
from service.settings import Settings
from service.wiring import now
from tests.service.audit.witness_server import Witness, serving
from tests.service.cli.conftest import Command


@pytest.fixture
def home(command: Command, tmp_path: Path) -> Path:
    """A home of the test's own, with five entries in its log."""
    home = tmp_path / "home"
    command.move(home)
    grow(home, 0, 5)
    return home


@pytest.fixture
def witness(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    with serving(Witness()) as made:
        for key in command("witness", "keys", "--json").answer["keys"]:
            made.know(key)
        monkeypatch.setenv("IMPRIMATUR_WITNESSES", made.setting)
        yield made


def grow(home: Path, first: int, end: int) -> None:
    with opening.first_books(Settings(home=home)) as books:
        books.log.append_many(
            [Entry(key=f"k{one}", type="test.entry", at=now()) for one in range(first, end)]
        )


def test_a_witness_cosigns_and_verify_says_how_far(
    command: Command, home: Path, witness: Witness
) -> None:
    before = command("audit", "verify", "--json").answer
    pushed = command("witness", "push")
    after = command("audit", "verify", "--json").answer
    grow(home, 5, 7)
    later = command("audit", "verify", "--json").answer
    listed = command("witness", "list", "--json").answer["data"]

    assert before["not_checked"][0].startswith("split view: ")
    assert pushed.code == 0
    assert "5 entries, 0 behind  cosigned" in pushed.out
    assert [one for one in after["not_checked"] if "split view" in one] == []
    assert "split view after the first 5 entries" in later["not_checked"]
    assert [(one["size"], one["lag"], one["problem"]) for one in listed] == [(5, 2, None)]


def test_a_witness_that_saw_another_history_is_loud(
    command: Command, home: Path, witness: Witness
) -> None:
    command("witness", "push")
    origin = next(iter(witness.logs))
    witness.seen[origin] = (5, bytes(32))
    grow(home, 5, 6)

    ran = command("witness", "push")

    assert ran.code == 20
    assert "contradicted" in ran.out


def test_a_witness_that_is_out_is_said(command: Command, home: Path, witness: Witness) -> None:
    witness.status = 500

    ran = command("witness", "push", "--json")

    assert ran.code == 1
    assert ran.answer["data"][0]["problem"] == "refused"


def test_without_a_witness_there_is_nobody_to_ask(command: Command, home: Path) -> None:
    assert "IMPRIMATUR_WITNESSES" in command("witness", "push").err
    assert "Nobody is asked" in command("witness", "list").out
    assert command("witness", "list", "--json").answer["data"] == []


@pytest.mark.parametrize("setting", ["http://w.example a+b+c", "https://w.example a+b+c", "x"])
def test_a_witness_that_cannot_be_one_stops_every_command(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("IMPRIMATUR_WITNESSES", setting)

    ran = command("audit", "entries")

    assert ran.code == 1
    assert "IMPRIMATUR_WITNESSES" in ran.err


def test_a_checkpoint_of_a_file_must_be_cosigned_by_whom_one_names(
    command: Command, home: Path, witness: Witness, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.write_text(command("audit", "checkpoint").out)
    command("witness", "push")
    cosigned = tmp_path / "cosigned"
    cosigned.write_text(command("audit", "checkpoint").out)

    def verified(*arguments: str | Path) -> int:
        return command("audit", "verify", *arguments).code

    assert verified("--seen", cosigned, "--witness", witness.vkey) == 0
    assert verified("--witness", witness.vkey) == 0
    assert verified("--seen", bare) == 0
    assert verified("--seen", bare, "--witness", witness.vkey) == 1
    assert verified("--witness", Witness(name="w2").vkey) == 1
    assert verified("--witness", "nonsense") == 1


def test_a_proof_is_checked_alone_here_and_elsewhere(
    command: Command, home: Path, witness: Witness, tmp_path: Path
) -> None:
    command("witness", "push")
    files = []
    for index in (1, 3):
        files.append(tmp_path / f"{index}.tlog-proof")
        files[-1].write_text(command("audit", "proof", str(index)).out)
    (key,) = command("witness", "keys", "--json").answer["keys"]
    changed = tmp_path / "changed"
    text = files[0].read_text()
    extra = text.split("\n")[1].removeprefix("extra ")
    entry = base64.b64decode(extra).replace(b"test.entry", b"best.entry")
    changed.write_text(text.replace(extra, base64.b64encode(entry).decode()))

    here = command("audit", "verify", *files, "--witness", witness.vkey)
    command.move(tmp_path / "nowhere")
    unknown = command("audit", "verify", *files)
    elsewhere = command("audit", "verify", files[0], changed, "--key", key, "--json")

    assert here.code == 0, here.err
    assert "entry 3 of the first 5" in here.out
    assert unknown.code == 1
    assert "--key" in unknown.err
    assert elsewhere.code == 20
    assert [one["proved"] for one in elsewhere.answer["data"]] == [True, False]
    assert command("audit", "verify", tmp_path / "none", "--key", key).code == 1
    (tmp_path / "strange").write_bytes(b"\xff\x00 nothing of ours")
    strange = command("audit", "verify", tmp_path / "strange", "--key", key)
    assert (strange.code, "imprimatur audit proof" in strange.err) == (1, True)


def test_a_post_quantum_key_is_made_once_and_logged(command: Command, home: Path) -> None:
    first = command("witness", "keys", "--post-quantum", "--json").answer["keys"]
    again = command("witness", "keys", "--post-quantum", "--json").answer["keys"]

    assert first == again
    assert len(first) == 2
    note = command("audit", "checkpoint").out
    assert len(note.splitlines()) == 6
    made = command("audit", "entries", "--type", "key.made", "--json").answer["data"]
    assert [one["facts"]["purpose"] for one in made] == ["log_cosign"]
    assert command("audit", "verify").code == 0
