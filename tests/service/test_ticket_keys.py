import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.keys import signing_key
from service.ticket_keys import KeysUnreadable, keys_from, keys_json

KEYS = (signing_key(b"\x01" * 32).verifying, signing_key(b"\x02" * 32).verifying)


def test_what_is_published_is_read_back() -> None:
    assert keys_from(json.dumps(keys_json(KEYS))) == KEYS


def test_it_is_a_set_that_other_libraries_read() -> None:
    first = keys_json(KEYS)["keys"][0]

    assert (first["kty"], first["crv"], first["alg"]) == ("OKP", "Ed25519", "EdDSA")
    assert base64.urlsafe_b64decode(first["x"] + "=") == KEYS[0].public


def test_no_private_half_is_published() -> None:
    assert "d" not in keys_json(KEYS)["keys"][0]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        '{"keys": []}',
        '{"keys": [{"kid": "0123456789abcdef", "kty": "RSA", "n": "x", "e": "AQAB"}]}',
        '{"keys": [{"kid": "0123456789abcdef", "kty": "OKP", "crv": "Ed25519", "x": "short"}]}',
    ],
)
def test_anything_else_is_refused_with_its_place(document: str) -> None:
    with pytest.raises(KeysUnreadable, match="no ticket keys"):
        keys_from(document)


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reader(document: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        keys_from(document)
