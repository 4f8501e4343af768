"""Certificates that sign manifests: a development authority of our own, and checks on any.

The profile of the leaf follows the C2PA certificate profile `claimSigningLeaf.al1` (at most 366
days, EKU `c2pa-kp-claimSigning` with `emailProtection`). It lacks the extensions that only a
public authority may assert (assurance level, record id): our development leaf claims nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.failures import CredentialsUnusable

DEVELOPMENT = "UNTRUSTED DEVELOPMENT"
"""In the name of every certificate that `create_authority` issues."""

CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # c2pa-kp-claimSigning
LEAF_DAYS, ISSUING_DAYS, ROOT_DAYS = 365, 1825, 3650
# Clocks of other machines run behind: a certificate is valid a little before it was made.
BACKDATED = timedelta(minutes=5)

SignBytes = Callable[[bytes], bytes]
"""Signs a message with ECDSA P-256 and SHA-256; returns DER or raw r‖s (a KMS or HSM)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A development certificate authority, as PEM files.

    Attributes:
        root_pem: the anchor a verifier needs.
        chain_pem: leaf, then issuing certificate; the root is not in it.
        key_pem: the leaf's private key, PKCS #8, not encrypted.
    """

    root_pem: bytes
    chain_pem: bytes
    key_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs: a chain, and either its private key or a callback to where the key is.

    Attributes:
        chain_pem: leaf first, without the root.
        key: PKCS #8 PEM of a P-256 key, or a callable that signs.
    """

    chain_pem: bytes
    key: bytes | SignBytes = field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate that signs.

        Raises:
            CredentialsUnusable: the chain is not PEM or is empty.
        """
        return _chain(self.chain_pem)[0]

    @property
    def id(self) -> str:
        """First 16 hex digits of the leaf's SHA-256: names the key in logs."""
        return self.leaf.fingerprint(hashes.SHA256()).hex()[:16]


def create_authority(now: datetime) -> Authority:
    """Return a fresh root, issuing and leaf certificate (ES256), valid from `now`.

    The private keys of root and issuing certificate are dropped here: nobody can issue a second
    leaf under this root. Renewal is a new authority.
    """
    root_key, issuing_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, issuing_name = _name("Root"), _name("Issuing CA")
    root = _authority_certificate(root_name, root_key, (root_name, root_key), now, ROOT_DAYS)
    issuing = _authority_certificate(
        issuing_name, issuing_key, (root_name, root_key), now, ISSUING_DAYS
    )
    leaf = (
        _builder(_name("Claim Signer"), leaf_key, (issuing_name, issuing_key), now, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, CLAIM_SIGNING]),
            critical=False,
        )
        .sign(issuing_key, hashes.SHA256())
    )
    return Authority(
        _pem(root),
        _pem(leaf) + _pem(issuing),
        leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def checked(credentials: Credentials, now: datetime) -> Credentials:
    """Return `credentials` if they can sign at `now`.

    Raises:
        CredentialsUnusable: the chain is broken, a certificate is expired or not yet valid, the
            key is not the leaf's, or the key is not on P-256.
    """
    chain = _chain(credentials.chain_pem)
    for certificate in chain:
        name = certificate.subject.rfc4514_string()
        if now > certificate.not_valid_after_utc:
            raise CredentialsUnusable(
                f"the certificate {name} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        if now < certificate.not_valid_before_utc:
            raise CredentialsUnusable(
                f"the certificate {name} is not valid before {certificate.not_valid_before_utc}"
            )
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as broken:
            raise CredentialsUnusable("the chain is not in order, leaf first") from broken
    public = chain[0].public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise CredentialsUnusable("the leaf's key is not on P-256; only ES256 is supported")
    if isinstance(credentials.key, bytes) and _private(credentials.key).public_key() != public:
        raise CredentialsUnusable("the private key does not belong to the leaf certificate")
    return credentials


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as broken:
        raise CredentialsUnusable("the private key is not an unencrypted PEM") from broken
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CredentialsUnusable("the private key is not an elliptic curve key")
    return key


def _chain(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as broken:
        raise CredentialsUnusable("the certificate chain is not PEM") from broken


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"Imprimatur {DEVELOPMENT}"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{DEVELOPMENT} {role}"),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,  # "nonRepudiation" in the C2PA profile
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


_Issuer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def _builder(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: _Issuer, now: datetime, days: int
) -> x509.CertificateBuilder:
    issuer_name, issuer_key = issuer
    start = now - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _authority_certificate(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: _Issuer,
    now: datetime,
    days: int,
) -> x509.Certificate:
    path_length = 1 if name == issuer[0] else 0  # one more authority below the root, then leaves
    return (
        _builder(name, key, issuer, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(issuer[1], hashes.SHA256())
    )
