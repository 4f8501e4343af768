"""What signs manifests: the operator's certificate, or a development authority of our own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from provenance.signing import Credentials, create_authority
from service.keys import KeyMissing, KeyRing

log = structlog.get_logger()

_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)
# A certificate that ends while a film is being sealed would fail the job.
_RENEW_BEFORE = timedelta(days=7)


class CertificatesUnusable(Exception):
    """The files do not hold a chain and its key; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs here.

    Attributes:
        root_pem: the anchor under which our own files must be valid.
        development: made by us, vouched for by nobody.
    """

    credentials: Credentials
    root_pem: bytes
    development: bool


def development_identity(keys: KeyRing, clock: Callable[[], datetime]) -> Identity:
    """Return the development authority of this installation; make it if it has none.

    Raises:
        KeyRingError: the file is exposed or damaged.
    """
    try:
        bundle = keys.load_bundle().pem
    except KeyMissing:
        bundle = _new_authority(keys, clock())
    identity = _split(bundle)
    if identity.credentials.leaf.not_valid_after_utc - _RENEW_BEFORE < clock():
        identity = _split(_new_authority(keys, clock()))
    return identity


def identity_from_files(chain: Path, key: Path) -> Identity:
    """Return the operator's identity.

    Args:
        chain: PEM, leaf first, the root last.
        key: PEM, PKCS #8, of the leaf.

    Raises:
        CertificatesUnusable: a file cannot be read, or holds something else.
    """
    try:
        parts = _parts(chain.read_bytes())
        private = key.read_bytes()
    except OSError as broken:
        raise CertificatesUnusable(f"{broken.filename}: {broken.strerror}") from broken
    if len(parts) < 2:
        raise CertificatesUnusable(f"{chain}: needs the leaf first and its root last")
    return Identity(Credentials(b"".join(parts[:-1]), private), parts[-1], development=False)


def _new_authority(keys: KeyRing, now: datetime) -> bytes:
    authority = create_authority(now)
    bundle = authority.key_pem + authority.chain_pem + authority.root_pem
    stored = keys.store_bundle(bundle)
    log.warning("certificates.development_authority_made", key=stored.id)
    return bundle


def _split(bundle: bytes) -> Identity:
    parts = _parts(bundle)
    if len(parts) < 3:
        raise CertificatesUnusable("the development authority is damaged: remove its file")
    return Identity(Credentials(b"".join(parts[1:-1]), parts[0]), parts[-1], development=True)


def _parts(pem: bytes) -> list[bytes]:
    return [found.group(0) for found in _PEM.finditer(pem)]
