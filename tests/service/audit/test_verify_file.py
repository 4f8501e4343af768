"""One exported file, checked without the log."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import merkle, verify_file
from service.audit.checkpoint import Checkpoint, sign, verifier_key
from service.audit.log import AuditLog
from service.audit.proof import proof_text
from service.audit.verify_file import NotProved, verify
from service.keys import signing_key
from tests.service.audit.builders import ORIGIN, SIGNER, an_entry

KEY = verifier_key(ORIGIN, SIGNER.public)
LEAVES = [b"entry %d" % number for number in range(300)]


def exported(index: int, size: int) -> str:
    edge = merkle.Edge()
    tiles = edge.extend(merkle.leaf_hash(leaf) for leaf in LEAVES[:size])
    proof = merkle.inclusion_proof(index, size, lambda level, number: tiles[level, number])
    note = sign(Checkpoint(ORIGIN, size, edge.root()), SIGNER)
    return proof_text(index, proof, note, LEAVES[index])


@given(st.data())
def test_every_place_in_every_size_is_proved(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))

    proved = verify(exported(index, size), KEY)

    assert (proved.index, proved.size, proved.entry) == (index, size, LEAVES[index])


@given(st.data())
def test_a_file_with_one_changed_character_proves_nothing(data: st.DataObject) -> None:
    text = exported(5, 11)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AB07/ \n").filter(lambda one: one != text[at]))

    with pytest.raises(NotProved):
        verify(text[:at] + other + text[at + 1 :], KEY)


def test_a_logs_export_is_proved_by_the_copied_file_alone(log: AuditLog, tmp_path: Path) -> None:
    log.append_many([an_entry(f"dec_{number}") for number in range(20)])
    file = tmp_path / "entry.tlog-proof"
    file.write_text(log.proof_text(7))
    copied = tmp_path / "verify_file.py"
    copied.write_bytes(Path(verify_file.__file__).read_bytes())
    (key,) = log.verifier_keys()
    # -I: nothing of this project can be imported.
    command = [sys.executable, "-I", str(copied), str(file), key]

    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout == log.entry(7).leaf + b"\n"
    assert b"entry 7 of the first 20" in done.stderr


@pytest.mark.parametrize(
    "key",
    [
        verifier_key(ORIGIN, signing_key(b"\x05" * 32).public),
        verifier_key("example.com/other", SIGNER.public),
        KEY.replace("+", "+0", 1),
        KEY[:-4],
        "",
    ],
    ids=["another key", "another log", "another hash", "cut", "none"],
)
def test_another_key_proves_nothing(key: str) -> None:
    with pytest.raises(NotProved):
        verify(exported(5, 11), key)


def test_the_command_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "entry.tlog-proof"
    file.write_text(exported(5, 11).replace("index 5", "index 6"))

    assert verify_file.main([str(file), KEY]) == 1
    assert "does not lead" in capsys.readouterr().err
    assert verify_file.main([str(tmp_path / "absent"), KEY]) == 1
    file.write_bytes(b"\xff")
    assert verify_file.main([str(file), KEY]) == 1
