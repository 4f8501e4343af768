"""Cosignatures of both kinds, against the specification's example and against forgeries."""

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from service.audit import checkpoint as notes
from service.audit import cosign
from service.audit.checkpoint import Checkpoint
from service.audit.errors import BadCheckpoint, BadCosigner
from service.keys import CosigningKey, cosigning_key
from tests.service.audit.builders import ORIGIN, SIGNER

STATED = Checkpoint(ORIGIN, 42, bytes(range(32)))
NOTE = notes.sign(STATED, SIGNER)
POST_QUANTUM = cosigning_key(b"\x05" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"\x06" * 32)
AT = 1_679_315_147

# The example of https://c2sp.org/tlog-cosignature; its key is not published.
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501


def vkey(name: str, kind: int, public: bytes) -> str:
    """Return a verifier key as the specification says, without our code."""
    key = bytes([kind]) + public
    hashed = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    return f"{name}+{hashed.hex()}+{base64.b64encode(key).decode()}"


def ed25519_line(note: str, *, name: str = "witness.example/w1", at: int = AT) -> str:
    text = note.rpartition("\n\n")[0] + "\n"
    signed = WITNESS.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    hashed = bytes.fromhex(vkey(name, 4, WITNESS.public_key().public_bytes_raw()).split("+")[1])
    content = hashed + struct.pack(">Q", at) + signed
    return f"— {name} {base64.b64encode(content).decode()}\n"


def ml_dsa_line(stated: Checkpoint, key: CosigningKey, name: str, at: int = AT) -> str:
    message = b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + struct.pack(">Q", at)
    message += bytes([len(stated.origin)]) + stated.origin.encode()
    message += struct.pack(">QQ", 0, stated.size) + stated.root
    hashed = bytes.fromhex(vkey(name, 6, key.public).split("+")[1])
    content = hashed + struct.pack(">Q", at) + key.private.sign(message)
    return f"— {name} {base64.b64encode(content).decode()}\n"


W1 = cosign.cosigner(vkey("witness.example/w1", 4, WITNESS.public_key().public_bytes_raw()))
W2 = cosign.cosigner(vkey("witness.example/w2", 6, POST_QUANTUM.public))


def test_an_ed25519_cosignature_is_read() -> None:
    assert cosign.read(NOTE + ed25519_line(NOTE), ORIGIN, W1) == STATED


def test_an_ml_dsa_44_cosignature_is_read() -> None:
    line = ml_dsa_line(STATED, POST_QUANTUM, "witness.example/w2")

    assert cosign.read(NOTE + line, ORIGIN, W2) == STATED


def test_the_logs_own_cosignature_is_the_specified_message() -> None:
    line = cosign.cosigned(STATED, POST_QUANTUM, AT)
    name, signed = notes.signature(line.removesuffix("\n"))
    ours = cosign.own(ORIGIN, POST_QUANTUM)

    assert name == ORIGIN
    assert len(signed) == 4 + 8 + 2420
    assert signed[4:12] == struct.pack(">Q", AT)
    assert ours.verifier_key == vkey(ORIGIN, 6, POST_QUANTUM.public)
    assert cosign.read(NOTE + line, ORIGIN, ours) == STATED
    theirs = ml_dsa_line(STATED, POST_QUANTUM, ORIGIN)
    assert cosign.read(NOTE + theirs, ORIGIN, ours) == STATED


def test_whoever_knows_only_the_logs_key_passes_cosignatures_over() -> None:
    note = NOTE + ed25519_line(NOTE) + cosign.cosigned(STATED, POST_QUANTUM, AT)

    assert notes.read(note, ORIGIN, [SIGNER.verifying]) == STATED


def test_the_time_is_the_one_that_was_signed() -> None:
    text, lines = notes.parts(NOTE + ed25519_line(NOTE))
    found = cosign.found(lines, STATED, text, W1)

    assert found == cosign.Cosignature(ed25519_line(NOTE), AT)


def test_the_examples_hash_is_where_a_reader_looks() -> None:
    text, lines = notes.parts(EXAMPLE)
    names = [notes.signature(line)[0] for line in lines]

    assert names == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert notes.stated(text, "example.com/behind-the-sofa").size == 20_852_163
    assert len(notes.signature(lines[1])[1]) == 4 + 8 + 64


@given(st.data())
def test_a_cosigned_note_with_one_changed_character_is_refused(data: st.DataObject) -> None:
    line = data.draw(
        st.sampled_from([ed25519_line(NOTE), ml_dsa_line(STATED, POST_QUANTUM, W2.name)])
    )
    by = W1 if line.startswith(f"— {W1.name}") else W2
    body = NOTE.rpartition("\n\n")[0] + "\n\n"
    whole = body + line
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from("A0/+=\n —b").filter(lambda one: one != whole[at]))

    with pytest.raises(BadCheckpoint):
        cosign.read(whole[:at] + other + whole[at + 1 :], ORIGIN, by)


@pytest.mark.parametrize("key", [W1, W2], ids=["ed25519", "ml-dsa-44"])
def test_another_checkpoint_is_not_covered(key: cosign.Cosigner) -> None:
    other = notes.sign(Checkpoint(ORIGIN, 43, STATED.root), SIGNER)
    lines = ed25519_line(NOTE) + ml_dsa_line(STATED, POST_QUANTUM, W2.name)

    with pytest.raises(BadCheckpoint, match="does not match"):
        cosign.read(other + lines, ORIGIN, key)


def test_a_note_without_the_witness_is_not_theirs() -> None:
    with pytest.raises(BadCheckpoint, match="no cosignature"):
        cosign.read(NOTE, ORIGIN, W1)


def test_an_ml_dsa_cosignature_of_another_name_is_not_ours() -> None:
    # The name is in the message, so that one key under two names cannot be mixed up.
    line = ml_dsa_line(STATED, POST_QUANTUM, "witness.example/w3")
    hashed = cosign.cosigner(vkey("witness.example/w3", 6, POST_QUANTUM.public)).hash
    moved = base64.b64decode(line.split()[2]).replace(hashed, W2.hash, 1)
    renamed = f"— {W2.name} {base64.b64encode(moved).decode()}\n"

    with pytest.raises(BadCheckpoint, match="does not match"):
        cosign.read(NOTE + renamed, ORIGIN, W2)


PUBLIC = WITNESS.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "a+b",
        "a+00000000+",
        "a+00000000+!!!!",
        vkey("a", 1, PUBLIC),
        vkey("a", 4, PUBLIC[:-1]),
        vkey("a", 6, PUBLIC),
        vkey("two words", 4, PUBLIC),
        vkey("a", 4, PUBLIC).replace("a+", "b+", 1),
    ],
)
def test_what_is_no_witness_key_is_refused(line: str) -> None:
    with pytest.raises(BadCosigner):
        cosign.cosigner(line)


def test_a_witness_key_is_what_it_was_read_from() -> None:
    for key in (W1, W2):
        assert cosign.cosigner(key.verifier_key) == key
