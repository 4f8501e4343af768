"""One exported file, checked without the log."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import cosign, merkle, verify_file
from service.audit.checkpoint import Checkpoint, sign, verifier_key
from service.audit.log import AuditLog
from service.audit.proof import proof_text
from service.audit.verify_file import NotProved, verify
from service.keys import cosigning_key, signing_key
from tests.service.audit.builders import ORIGIN, SIGNER, an_entry
from tests.service.audit.witness_server import Witness

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


WITNESS = Witness(name="witness.example/w1")
POST_QUANTUM = cosigning_key(b"\x05" * 32)


def cosigned_file(index: int = 5) -> str:
    """Return a proof whose checkpoint carries a witness's line, and the log's own of 0x06."""
    edge = merkle.Edge()
    edge.extend(merkle.leaf_hash(leaf) for leaf in LEAVES[:11])
    stated = Checkpoint(ORIGIN, 11, edge.root())
    note = sign(stated, SIGNER)
    WITNESS.logs, WITNESS.seen = {ORIGIN: KEY}, {}
    line = WITNESS.add_checkpoint(f"old 0\n\n{note}")
    own = cosign.cosigned(stated, POST_QUANTUM, 1_795_248_000)
    return exported(index, 11).replace(note, note + line + own)


BOTH = [WITNESS.vkey, cosign.own(ORIGIN, POST_QUANTUM).verifier_key]


def test_every_witness_that_is_asked_for_must_have_signed() -> None:
    stranger = Witness(name="witness.example/w2").vkey

    assert verify(cosigned_file(), KEY, BOTH).size == 11
    with pytest.raises(NotProved, match="w2 has not signed"):
        verify(cosigned_file(), KEY, [*BOTH, stranger])
    with pytest.raises(NotProved, match="has not signed"):
        verify(exported(5, 11), KEY, BOTH)


def test_a_witnesss_key_does_not_stand_in_for_the_logs_nor_the_logs_for_a_witnesss() -> None:
    with pytest.raises(NotProved):
        verify(cosigned_file(), WITNESS.vkey)
    with pytest.raises(NotProved):
        verify(cosigned_file(), KEY, [KEY])


@pytest.mark.parametrize("key", BOTH, ids=["ed25519", "ml-dsa-44"])
@given(st.data())
def test_a_cosignature_with_one_changed_character_proves_nothing(
    key: str, data: st.DataObject
) -> None:
    text = cosigned_file()
    line = next(one for one in text.split("\n") if key.split("+")[0] in one.split(" ")[1:2])
    if key is BOTH[1]:
        line = text.split("\n")[-2]
    at = text.index(line) + data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.sampled_from("AB07/ \n").filter(lambda one: one != text[at]))

    with pytest.raises(NotProved):
        verify(text[:at] + other + text[at + 1 :], KEY, [key])


def test_several_files_are_checked_at_once(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    files = [tmp_path / f"{index}.tlog-proof" for index in (5, 7)]
    for index, file in zip((5, 7), files, strict=True):
        file.write_text(cosigned_file(index))
    names = [str(file) for file in files]

    assert verify_file.main([*names, KEY, "--witness", WITNESS.vkey]) == 0
    assert capfdbinary.readouterr().out == b"entry 5\nentry 7\n"
    files[1].write_text(exported(7, 11))
    assert verify_file.main([*names, KEY, "--witness", WITNESS.vkey]) == 1
    assert names[1].encode() in capfdbinary.readouterr().err
