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
        root_pem: the anchor under which new files must be valid.
        roots_pem: that and the earlier ones, under which older files are.
        development: made by us, vouched for by nobody.
    """

    credentials: Credentials
    root_pem: bytes
    roots_pem: bytes
    development: bool


def development_identity(keys: KeyRing, clock: Callable[[], datetime]) -> Identity:
    """Return the development authority of this installation; make it if it has none.

    Raises:
        KeyRingError: the file is exposed or damaged.
    """
    try:
        ends_at = _split(keys.load_bundle().pem).leaf.not_valid_after_utc
    except KeyMissing:
        ends_at = clock()
    if ends_at - _RENEW_BEFORE < clock():
        _make_authority(keys, clock())
    # Read back also what another process made at the same moment: all of them count.
    bundles = [bundle.pem for bundle in keys.bundles()]
    roots = [_root(pem) for pem in bundles]
    return Identity(_split(bundles[0]), roots[0], b"".join(roots), development=True)


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
    credentials = Credentials(b"".join(parts[:-1]), private)
    return Identity(credentials, parts[-1], parts[-1], development=False)


def development_roots(keys: KeyRing) -> bytes:
    """Return the root of every development authority of this installation; none, none is made.

    Raises:
        KeyRingError, CertificatesUnusable: a file is exposed or damaged.
    """
    try:
        return b"".join(_root(bundle.pem) for bundle in keys.bundles())
    except KeyMissing:
        return b""


def _make_authority(keys: KeyRing, now: datetime) -> None:
    authority = create_authority(now)
    stored = keys.store_bundle(authority.key_pem + authority.chain_pem + authority.root_pem)
    log.warning("certificates.development_authority_made", key=stored.id)


def _split(bundle: bytes) -> Credentials:
    parts = _whole(bundle)
    return Credentials(b"".join(parts[1:-1]), parts[0])


def _root(bundle: bytes) -> bytes:
    return _whole(bundle)[-1]


def _whole(bundle: bytes) -> list[bytes]:
    parts = _parts(bundle)
    if len(parts) < 3:
        raise CertificatesUnusable(
            "the development authority is damaged: remove its manifest-*.key from the key folder"
        )
    return parts


def _parts(pem: bytes) -> list[bytes]:
    return [found.group(0) for found in _PEM.finditer(pem)]
