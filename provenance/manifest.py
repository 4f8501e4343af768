"""Content Credentials: write a C2PA manifest into a file, and read one back.

The only importer of c2pa. What this library does that its documentation does not say is noted
where it matters; all of it was seen with c2pa-python 0.38.1 (c2pa-rs 0.91.3).
"""

import json
import os
from datetime import datetime
from pathlib import Path

import c2pa

from provenance.container import (
    HiddenBytes,
    crowded,
    holds_film,
    media_type,
    strict,
    uncovered_sha256,
)
from provenance.facts import Facts, manifest_of
from provenance.failures import NotReadable, ProvenanceError, SignFailed
from provenance.placing import placed
from provenance.report import Document, Report, State, mapping, sequence
from provenance.signing import Credentials, checked

VALIDATOR = f"c2pa-rs {c2pa.sdk_version()}"
# Without this list a leaf that has only the C2PA purpose is "missing required EKU".
_PURPOSES = "\n".join(
    (
        "1.3.6.1.5.5.7.3.4",  # e-mail protection
        "1.3.6.1.5.5.7.3.36",  # document signing
        "1.3.6.1.4.1.62558.2.1",  # C2PA claim signing
        "1.3.6.1.5.5.7.3.8",  # time stamping
        "1.3.6.1.5.5.7.3.9",  # OCSP signing
    )
)


class Unsupported(ProvenanceError):
    """The kind of file, or where it keeps its credentials, is one we cannot check."""


def sign(
    source: Path, target: Path, facts: Facts, credentials: Credentials, *, now: datetime
) -> str:
    """Write `source` with a signed manifest of `facts` to `target`; return the manifest's label.

    The signed bytes go to a temporary name beside `target`, are flushed to disk and read back;
    only then do they get the name. `source` is not changed.

    Raises:
        CredentialsUnusable: they cannot sign at `now`.
        SignFailed: no file was made.
    """
    checked(credentials, now)
    partial = target.with_name(f".{target.name}.signing")
    try:
        kind = _kind(source)
        if not holds_film(source):
            raise SignFailed(f"{source.name} holds no film")
        written = manifest_of(facts, kind, uncovered_sha256(source))
        _write(source, partial, kind, written, credentials)
        report = read(partial, b"")
        if report is None or report.state is State.INVALID or report.facts != facts:
            raise SignFailed("the signed file does not read back as what was signed")
        placed(partial, target)
    except (OSError, NotReadable, Unsupported, HiddenBytes) as broken:
        raise SignFailed(f"{source.name} could not be signed: {broken}") from broken
    finally:
        partial.unlink(missing_ok=True)
    return report.label


def read(path: Path, anchors_pem: bytes) -> Report | None:
    """Return what the manifest in `path` says, or None when the file carries none.

    Args:
        path: any file of a kind that we can check.
        anchors_pem: root certificates to trust; empty for none.

    Raises:
        NotReadable: the file cannot be read from disk.
        Unsupported: not a kind of file that we can check, or its manifest is kept elsewhere.
    """
    kind = _kind(path)
    if crowded(path):
        raise Unsupported("it is in too many pieces")
    try:
        with path.open("rb") as stream, c2pa.Context.from_dict(_settings(anchors_pem)) as context:
            reader = c2pa.Reader.try_create(kind, stream, context=context)
            if reader is None:
                return None
            with reader:
                document = json.loads(reader.json())
    except c2pa.C2paError.RemoteManifest as elsewhere:
        raise Unsupported("its credentials are kept elsewhere and we do not fetch") from elsewhere
    except c2pa.C2paError.NotSupported as unknown:
        raise Unsupported("this kind of file cannot be checked") from unknown
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken
    except (c2pa.C2paError, ValueError) as broken:
        if "must fetch remote" in str(broken):
            raise Unsupported("its credentials are kept elsewhere and we do not fetch") from broken
        return Report(State.INVALID, ("imprimatur.manifest.unreadable",))
    return _report(path, document)


def crjson(path: Path, anchors_pem: bytes) -> str:
    """Return the conformance programme's view of the file (crJSON), or "" when it carries none."""
    try:
        with path.open("rb") as stream, c2pa.Context.from_dict(_settings(anchors_pem)) as context:
            reader = c2pa.Reader.try_create(_kind(path), stream, context=context)
            if reader is None:
                return ""
            with reader:
                return str(reader.crjson())
    except (OSError, c2pa.C2paError) as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken


def _report(path: Path, document: dict[str, object]) -> Report:
    said = Document(document)
    facts, uncovered = said.facts()
    return said.report(facts, _hidden(path, uncovered) if facts is not None else [])


def _hidden(path: Path, uncovered: str) -> list[str]:
    """Return what is wrong where the signature does not reach, in a file of our own making.

    Others may pad and name their boxes as they like; calling that a change would be wrong.
    """
    try:
        strict(path)
        if uncovered != uncovered_sha256(path):
            return ["imprimatur.container.mismatch"]
    except HiddenBytes as unexpected:
        return [unexpected.code]
    return []


def _settings(anchors_pem: bytes, created: tuple[str, ...] = ()) -> dict[str, object]:
    trust = {"trust_config": _PURPOSES}
    if anchors_pem:
        trust["trust_anchors"] = anchors_pem.decode("ascii")
    return {
        "version": 1,
        "trust": trust,
        # The library's own default is to fetch what an untrusted file points at.
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
        "core": {"allowed_network_hosts": []},
        # Assertions that are not named here become "gathered": not vouched for by the signer.
        "builder": {"created_assertion_labels": list(created), "thumbnail": {"enabled": False}},
    }


def _write(
    source: Path, partial: Path, kind: str, manifest: dict[str, object], credentials: Credentials
) -> None:
    labels = [str(mapping(one)["label"]) for one in sequence(manifest["assertions"])]
    # The library asks for some assertions by the name of their first version.
    settings = _settings(b"", (*labels, "c2pa.actions", "c2pa.ingredient.v3", "c2pa.ingredient"))
    try:
        # A signer in the settings is refused although documented; it must be an object.
        context = c2pa.Context.from_dict(settings, _signer(credentials))
        builder = c2pa.Builder(json.dumps(manifest), context=context)
        with source.open("rb") as before, partial.open("w+b") as after:  # "wb" breaks the hash
            builder.sign(kind, before, after)
            after.flush()
            os.fsync(after.fileno())
    except c2pa.C2paError as refused:
        raise SignFailed(f"{source.name} could not be signed: {refused}") from refused


def _signer(credentials: Credentials) -> c2pa.Signer:
    """Without a time-stamp authority: an unreachable one blocks for 30 s and then fails."""
    es256 = c2pa.C2paSigningAlg.ES256
    if not isinstance(credentials.key, bytes):
        return c2pa.Signer.from_callback(
            credentials.key, es256, credentials.chain_pem.decode("ascii"), None
        )
    # Chain and key must be bytes, whatever the library's docstring says.
    information = c2pa.C2paSignerInfo(es256, credentials.chain_pem, credentials.key, None)
    return c2pa.Signer.from_info(information)


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            kind = media_type(stream.read(64))
    except OSError as broken:
        raise NotReadable(f"{path.name} cannot be read") from broken
    if kind is None:
        raise Unsupported("this kind of file cannot be checked")
    return kind
