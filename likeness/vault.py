"""Templates as they lie on disk: encrypted, each under its own key, which can be destroyed.

A face vector can be turned back into a face, so that it is kept like a photograph. Each is
sealed by AES-256-GCM under a key of its own; that key is wrapped by the vault's. Destroying the
wrapped key makes the vector unreadable in every copy of the table, backups included.
"""

import os
from collections.abc import Callable
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
    """The vault's key is not 32 bytes, or is not the one that a template was sealed under."""


class TemplateDamaged(LikenessError):
    """A stored template does not open: altered, moved to another likeness, or cut short."""


@dataclass(frozen=True, slots=True)
class SealedTemplate:
    """A vector nobody can read without the vault's key.

    Attributes:
        ciphertext: nonce, then the sealed float32 values, little-endian, then the tag.
        wrapped_key: nonce, then the template's key sealed under the vault's, then the tag.
        key_id: which key of the vault that was.
    """

    ciphertext: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    key_id: str


class Vault:
    """Seals and opens templates.

    Args:
        key: 32 bytes, from the service's key store; wraps the keys of templates.
        key_id: names it; a template sealed under another is refused rather than tried.
        random: returns that many bytes fit for keys.
    """

    def __init__(
        self, key: bytes, key_id: str, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        if len(key) != KEY_BYTES:
            raise VaultKeyUnusable(f"the vault's key has {len(key)} bytes, not {KEY_BYTES}")
        self._wrapping = AESGCM(key)
        self._key_id = key_id
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
            wrapped_key=wrap_nonce + self._wrapping.encrypt(wrap_nonce, key, bound),
            key_id=self._key_id,
        )

    def open(self, sealed: SealedTemplate, likeness: str, model: str) -> NDArray[np.float32]:
        """Return the vector, shape (128,).

        Raises:
            VaultKeyUnusable: sealed under another key than this vault's.
            TemplateDamaged: altered, cut short, or of another likeness or model.
        """
        if sealed.key_id != self._key_id:
            raise VaultKeyUnusable(f"template sealed under key {sealed.key_id}, not {self._key_id}")
        bound = _bound(likeness, model)
        try:
            key = self._wrapping.decrypt(*_split(sealed.wrapped_key), bound)
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
