"""The public keys of tickets as others read them: a JSON Web Key Set, RFC 7517 and RFC 8037."""

import base64
import binascii
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.keys import VerifyingKey
from service.wire import JSON


class KeysUnreadable(Exception):
    """This is no set of ticket keys. The message says what is wrong."""


class _Key(BaseModel):
    model_config = ConfigDict(extra="ignore")
    kid: str = Field(pattern=r"^[0-9a-f]{16}$")
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")


class _Set(BaseModel):
    model_config = ConfigDict(extra="ignore")
    keys: list[_Key] = Field(min_length=1, max_length=1000)


def keys_json(keys: Sequence[VerifyingKey]) -> JSON:
    """Return the keys, the newest first, as `GET /v1/policy/ticket_keys` answers."""
    return {
        "object": "list",
        "keys": [
            {
                "kid": key.id,
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "x": base64.urlsafe_b64encode(key.public).rstrip(b"=").decode(),
            }
            for key in keys
        ],
    }


def keys_from(document: str | bytes) -> tuple[VerifyingKey, ...]:
    """Return the keys that `keys_json` wrote.

    Raises:
        KeysUnreadable: the document is something else.
    """
    try:
        found = _Set.model_validate_json(document)
        return tuple(
            VerifyingKey(key.kid, base64.urlsafe_b64decode(key.x + "=")) for key in found.keys
        )
    except ValidationError as broken:
        first = broken.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise KeysUnreadable(f"no ticket keys: {where}: {first['msg']}") from None
    except (binascii.Error, ValueError):
        raise KeysUnreadable("no ticket keys: x is not base64url") from None
