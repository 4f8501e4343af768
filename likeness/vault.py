"""Templates as they lie on disk: encrypted, each under its own key, which can be destroyed.

A face vector can be turned back into a face, so that it is kept like a photograph. Each is
sealed by AES-256-GCM under a key of its own; that key is wrapped by the vault's. Destroying the
wrapped key makes the vector unreadable in every copy of the table, backups included.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from likeness.faces import LikenessError

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = 1
DIMENSIONS = 128


class VaultKeyUnusable(LikenessError):
    """No key, one that is not 32 bytes, or none of the name that a template was sealed under."""


class TemplateDamaged(LikenessError):
    """A stored template does not open: altered, moved to another likeness, or cut short."""


@dataclass(frozen=True, slots=True)
class SealedTemplate:
    """A vector nobody can read without the vault's key.

    Attributes:
        ciphertext: nonce, then the sealed float32 values, little-endian, then the tag.
        wrapped_key: nonce, then the template's key sealed under one of the vault's, then the tag.
        key_id: which key of the vault that was.
    """

    ciphertext: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    key_id: str


class Vault:
    """Seals and opens templates.

    Args:
        keys: 32 bytes each, by id, the newest first: that one wraps the keys of new templates,
            the others open old ones. A template sealed under none of them is refused.
        random: returns that many bytes fit for keys.

    Raises:
        VaultKeyUnusable: no key, or one of another length.
    """

    def __init__(
        self, keys: Mapping[str, bytes], *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        if not keys:
            raise VaultKeyUnusable("the vault has no key: nothing can be sealed or opened")
        for key_id, key in keys.items():
            if len(key) != KEY_BYTES:
                raise VaultKeyUnusable(f"key {key_id} has {len(key)} bytes, not {KEY_BYTES}")
        self._newest = next(iter(keys))
        self._wrapping = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._random = random

    def seal(self, vector: NDArray[np.float32], likeness: str, model: str) -> SealedTemplate:
        """Return `vector`, shape (128,), sealed to this likeness and model."""
        if vector.shape != (DIMENSIONS,) or not np.isfinite(vector).all():
            raise TemplateDamaged(f"a template is {DIMENSIONS} finite values, got {vector.shape}")
        key, bound = self._random(KEY_BYTES), _bound(likeness, model)
        nonce, wrap_nonce = self._random(NONCE_BYTES), self._random(NONCE_BYTES)
        plain = vector.astype("<f4").tobytes()
        return SealedTemplate(
            ciphertext=nonce + AESGCM(key).encrypt(nonce, plain, bound),
            wrapped_key=wrap_nonce + self._wrapping[self._newest].encrypt(wrap_nonce, key, bound),
            key_id=self._newest,
        )

    def open(self, sealed: SealedTemplate, likeness: str, model: str) -> NDArray[np.float32]:
        """Return the vector, shape (128,).

        Raises:
            VaultKeyUnusable: sealed under a key that this vault does not have.
            TemplateDamaged: altered, cut short, or of another likeness or model.
        """
        wrapping = self._wrapping.get(sealed.key_id)
        if wrapping is None:
            raise VaultKeyUnusable(f"key {sealed.key_id}, which sealed a template, is not here")
        bound = _bound(likeness, model)
        try:
            key = wrapping.decrypt(*_split(sealed.wrapped_key), bound)
            plain = AESGCM(key).decrypt(*_split(sealed.ciphertext), bound)
        except (InvalidTag, ValueError) as broken:
            raise TemplateDamaged(f"a template of {likeness} does not open") from broken
        if len(plain) != DIMENSIONS * 4:
            raise TemplateDamaged(f"a template of {likeness} has {len(plain)} bytes")
        return np.frombuffer(plain, "<f4").astype(np.float32)


def _bound(likeness: str, model: str) -> bytes:
    return f"{likeness}|{model}|{FORMAT}".encode()


def _split(stored: bytes) -> tuple[bytes, bytes]:
    return stored[:NONCE_BYTES], stored[NONCE_BYTES:]
