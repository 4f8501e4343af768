from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance.signing import create_authority
from service.certificates import (
    CertificatesUnusable,
    development_identity,
    identity_from_files,
)
from service.keys import KeyRing

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_development_authority_is_made_once(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys", lambda: NOW)

    first, again = (development_identity(keys, lambda: NOW) for _ in range(2))

    assert first.root_pem == again.root_pem
    assert first.development


def test_a_renewed_authority_still_vouches_for_older_files(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys", lambda: NOW)
    first = development_identity(keys, lambda: NOW)

    renewed = development_identity(keys, lambda: NOW + timedelta(days=364))

    assert renewed.root_pem != first.root_pem
    assert first.root_pem in renewed.roots_pem
    assert renewed.credentials.leaf.not_valid_after_utc > NOW + timedelta(days=700)


def test_the_operators_files_are_read(tmp_path: Path) -> None:
    authority = create_authority(NOW)
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(authority.chain_pem + authority.root_pem)
    key.write_bytes(authority.key_pem)

    identity = identity_from_files(chain, key)

    assert identity.root_pem == authority.root_pem
    assert not identity.development


@pytest.mark.parametrize("content", [b"", b"not PEM", None])
def test_a_file_that_holds_no_chain_is_named(content: bytes | None, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    if content is not None:
        chain.write_bytes(content)
    (tmp_path / "key.pem").write_bytes(b"")

    with pytest.raises(CertificatesUnusable, match=r"chain\.pem"):
        identity_from_files(chain, tmp_path / "key.pem")
