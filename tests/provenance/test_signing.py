from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.failures import CredentialsUnusable
from provenance.signing import CLAIM_SIGNING, DEVELOPMENT, Authority, Credentials, checked
from tests.provenance.builders import NOW, an_authority, credentials_of


def certificates(authority: Authority) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(authority.chain_pem + authority.root_pem)


def test_the_leaf_follows_the_profile_for_claim_signing(authority: Authority) -> None:
    leaf = certificates(authority)[0]

    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.content_commitment) == (True, True)
    assert not usage.value.key_cert_sign
    assert set(purposes) == {ExtendedKeyUsageOID.EMAIL_PROTECTION, CLAIM_SIGNING}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=366)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_every_certificate_says_that_nobody_should_trust_it(authority: Authority) -> None:
    for certificate in certificates(authority):
        assert DEVELOPMENT in certificate.subject.rfc4514_string()


def test_the_chain_leads_to_the_root(authority: Authority) -> None:
    leaf, issuing, root = certificates(authority)

    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)


def test_two_authorities_share_no_key() -> None:
    assert credentials_of(an_authority()).id != credentials_of(an_authority()).id


def test_fresh_credentials_are_usable(authority: Authority) -> None:
    credentials = credentials_of(authority)

    assert checked(credentials, NOW) is credentials
    assert checked(credentials, NOW + timedelta(days=364)) is credentials


@pytest.mark.parametrize("days", [-1, 366, 4000])
def test_credentials_outside_their_time_are_refused(authority: Authority, days: int) -> None:
    with pytest.raises(CredentialsUnusable, match=r"expired on|not valid before"):
        checked(credentials_of(authority), NOW + timedelta(days=days))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    stranger = pem(ec.generate_private_key(ec.SECP256R1()))

    with pytest.raises(CredentialsUnusable, match="does not belong"):
        checked(Credentials(authority.chain_pem, stranger), NOW)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"no key",
        pem(rsa.generate_private_key(65_537, 2048)),
        pem(ec.generate_private_key(ec.SECP256R1()), b"secret"),
    ],
)
def test_what_is_no_plain_elliptic_curve_key_is_refused(authority: Authority, key: bytes) -> None:
    with pytest.raises(CredentialsUnusable, match="private key"):
        checked(Credentials(authority.chain_pem, key), NOW)


def test_a_chain_out_of_order_is_refused(authority: Authority) -> None:
    leaf, issuing, _ = (
        certificate.public_bytes(serialization.Encoding.PEM)
        for certificate in certificates(authority)
    )

    with pytest.raises(CredentialsUnusable, match="leaf first"):
        checked(Credentials(issuing + leaf, authority.key_pem), NOW)


def test_a_chain_that_is_no_certificate_is_refused(authority: Authority) -> None:
    with pytest.raises(CredentialsUnusable, match="not PEM"):
        checked(Credentials(b"nothing", authority.key_pem), NOW)


def test_no_key_is_shown_when_credentials_are_printed(authority: Authority) -> None:
    assert "PRIVATE KEY" not in repr(authority) + repr(credentials_of(authority))
