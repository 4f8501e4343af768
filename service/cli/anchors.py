"""Under which roots a file counts as signed by somebody we know. Nothing is made by asking."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.examine import Anchors
    from service.settings import Settings


def anchors(settings: "Settings", trust: Path | None) -> "Anchors":
    """Return the operator's own root, those in the file `trust`, and the development root.

    Raises:
        CertificatesUnusable, KeyRingError, OSError: one of them cannot be read.
    """
    from provenance.examine import Anchors
    from service.certificates import identity_from_files

    public = trust.read_bytes() if trust else b""
    if settings.signer == "files" and settings.signer_chain and settings.signer_key:
        public += identity_from_files(settings.signer_chain, settings.signer_key).root_pem
    return Anchors(public_pem=public, development_pem=_development_root(settings))


def _development_root(settings: "Settings") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificates

    from service import wiring
    from service.certificates import CertificatesUnusable
    from service.keys import KeyMissing, KeyRing

    folder = settings.home / "keys"
    if not folder.is_dir():
        return b""
    try:
        bundle = KeyRing(folder, wiring.now).load_bundle()
    except KeyMissing:
        return b""
    try:
        return load_pem_x509_certificates(bundle.pem)[-1].public_bytes(Encoding.PEM)
    except (ValueError, IndexError) as broken:
        raise CertificatesUnusable(
            f"{folder}: the development authority is damaged; remove its newest manifest-*.key"
        ) from broken
