"""Signed notes, against the example of the specification and against forgeries."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import checkpoint
from service.audit.checkpoint import Checkpoint
from service.audit.errors import BadCheckpoint
from service.keys import VerifyingKey, signing_key
from tests.service.audit.builders import ORIGIN, SIGNER

OTHER = signing_key(b"\x07" * 32)
STATED = Checkpoint(ORIGIN, 42, bytes(range(32)))
KEYS = [SIGNER.verifying]

# Published by Go's checksum database; the note and the key are those in the documentation of
# golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_the_key_hash_and_signature_are_those_of_gos_notes() -> None:
    name, hashed, encoded = GO_KEY.split("+", 2)
    public = base64.b64decode(encoded)[1:]
    signature = base64.b64decode(GO_SIGNATURE)

    assert checkpoint.key_hash(name, public).hex() == hashed
    assert checkpoint.verifier_key(name, public) == GO_KEY
    assert signature[:4].hex() == hashed
    assert VerifyingKey("go", public).verifies(signature[4:], GO_TEXT.encode())


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_what_is_read(size: int, root: bytes) -> None:
    stated = Checkpoint(ORIGIN, size, root)

    assert checkpoint.read(checkpoint.sign(stated, SIGNER), ORIGIN, KEYS) == stated


@given(st.data())
def test_a_note_with_one_changed_character_is_refused(data: st.DataObject) -> None:
    note = checkpoint.sign(STATED, SIGNER)
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.sampled_from("A0/+=\n —b").filter(lambda one: one != note[at]))

    with pytest.raises(BadCheckpoint):
        checkpoint.read(note[:at] + other + note[at + 1 :], ORIGIN, KEYS)


def test_signatures_of_others_are_passed_over() -> None:
    note = checkpoint.sign(STATED, SIGNER)
    witness = base64.b64encode(b"wit1" + bytes(64)).decode()

    assert checkpoint.read(f"{note}— witness.example {witness}\n", ORIGIN, KEYS) == STATED


def test_a_second_wrong_signature_by_our_key_does_not_replace_the_first() -> None:
    note = checkpoint.sign(STATED, SIGNER)
    forged = checkpoint.sign(Checkpoint(ORIGIN, 43, STATED.root), OTHER)

    with pytest.raises(BadCheckpoint, match="trusted key"):
        checkpoint.read(forged, ORIGIN, KEYS)
    assert checkpoint.read(note + forged.splitlines()[-1] + "\n", ORIGIN, KEYS) == STATED


def test_another_logs_checkpoint_is_refused() -> None:
    note = checkpoint.sign(Checkpoint("example.com/other", 42, STATED.root), SIGNER)

    with pytest.raises(BadCheckpoint, match="other"):
        checkpoint.read(note, ORIGIN, KEYS)


def test_an_old_key_is_trusted_for_as_long_as_it_is_listed() -> None:
    note = checkpoint.sign(STATED, OTHER)

    assert checkpoint.read(note, ORIGIN, [SIGNER.verifying, OTHER.verifying]) == STATED
    with pytest.raises(BadCheckpoint):
        checkpoint.read(note, ORIGIN, [])


@pytest.mark.parametrize("origin", ["", "two words", "plus+plus", "line\n", "é", "x" * 101])
def test_a_name_that_a_note_cannot_carry_is_refused(origin: str) -> None:
    with pytest.raises(BadCheckpoint):
        checkpoint.checked_origin(origin)


@pytest.mark.parametrize(
    "note",
    ["", "\n\n", "a\n\n— a b\n", f"{ORIGIN}\n042\nAAAA\n\n— x y\n", "x" * 20_000],
)
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(BadCheckpoint):
        checkpoint.read(note, ORIGIN, KEYS)
