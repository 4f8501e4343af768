"""Under which roots a file counts as signed by somebody we know. Nothing is made by asking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.examine import Anchors
    from service.settings import Settings


def anchors(settings: Settings, trust: Path | None) -> Anchors:
    """Return the operator's own root, those in the file `trust`, and the development root.

    Raises:
        CertificatesUnusable, KeyRingError, OSError: one of them cannot be read.
    """
    from provenance.examine import Anchors
    from service.certificates import identity_from_files

    public = trust.read_bytes() if trust else b""
    if settings.signer == "files" and settings.signer_chain and settings.signer_key:
        public += identity_from_files(settings.signer_chain, settings.signer_key).root_pem
    return Anchors(public_pem=public, development_pem=_development_roots(settings))


def _development_roots(settings: Settings) -> bytes:
    from service import wiring
    from service.certificates import development_roots
    from service.keys import KeyRing

    folder = settings.home / "keys"
    return development_roots(KeyRing(folder, wiring.now)) if folder.is_dir() else b""
