"""Content Credentials: write a C2PA manifest into a file, and read one back.

The only importer of c2pa. What this library does that its documentation does not say is noted
where it matters; all of it was seen with c2pa-python 0.38.1 (c2pa-rs 0.91.3).
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import c2pa

from provenance.container import (
    HiddenBytes,
    holds_film,
    media_type,
    strict,
    uncovered_sha256,
)
from provenance.facts import Facts, facts_from, manifest_of, printable
from provenance.failures import NotReadable, ProvenanceError, SignFailed
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


class State(StrEnum):
    """What the cryptography says."""

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Report:
    """What a manifest says and whether it holds. All text comes from the file: show it escaped.

    Attributes:
        state: `trusted` when unchanged and signed under one of the anchors; `valid` when
            unchanged and signed by somebody else; `invalid` otherwise.
        failures: C2PA validation codes, or our own `imprimatur.*`; the untrusted signer's code is
            among them in state `valid`.
        label: of the active manifest, `urn:c2pa:…`.
        issuer: organisation and name in the signer's certificate.
        generator: name and version of the program that signed.
        digital_sources: the IPTC digitalSourceType of every action that has one, in order.
        signed_at: from a time stamp, else as the `c2pa.created` action claims, else None.
        facts: ours, when the manifest was written by this package; None for all others.
    """

    state: State
    failures: tuple[str, ...]
    label: str = ""
    title: str = ""
    issuer: str = ""
    generator: str = ""
    digital_sources: tuple[str, ...] = ()
    signed_at: datetime | None = None
    facts: Facts | None = None


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
        partial.replace(target)  # the point of no return
        _sync_folder(target.parent)
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
    said = _Document(document)
    facts, hidden = said.facts()
    failures = list(said.failures())
    if facts is not None:
        failures += _hidden(path, hidden)
    state = {"Trusted": State.TRUSTED, "Valid": State.VALID}.get(said.state, State.INVALID)
    if any(code != "signingCredential.untrusted" for code in failures):
        state = State.INVALID
    return Report(
        state,
        tuple(failures),
        said.label,
        said.title,
        said.issuer,
        said.generator,
        said.digital_sources(),
        said.signed_at(),
        facts,
    )


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


class _Document:
    """The reader's JSON, looked up without trusting its shape."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document
        self.label = printable(document.get("active_manifest"))
        manifest = _mapping(_mapping(document.get("manifests")).get(self.label))
        self._assertions = [_mapping(one) for one in _sequence(manifest.get("assertions"))]
        self._signature = _mapping(manifest.get("signature_info"))
        self.title = printable(manifest.get("title"))
        self.state = str(document.get("validation_state"))
        self._generators = [_mapping(g) for g in _sequence(manifest.get("claim_generator_info"))]

    @property
    def issuer(self) -> str:
        names = (self._signature.get("issuer"), self._signature.get("common_name"))
        return ", ".join(printable(name) for name in names if name)

    @property
    def generator(self) -> str:
        first = self._generators[0] if self._generators else {}
        return printable(f"{first.get('name', '')} {first.get('version', '')}".strip())

    def failures(self) -> list[str]:
        results = _mapping(self._document.get("validation_results"))
        found = [results.get("activeManifest")]
        found += [
            _mapping(delta).get("validationDeltas")
            for delta in _sequence(results.get("ingredientDeltas"))
        ]
        return [
            printable(_mapping(one).get("code"))
            for part in found
            for one in _sequence(_mapping(part).get("failure"))
        ]

    def _actions(self) -> list[dict[str, object]]:
        return [
            _mapping(action)
            for one in self._assertions
            if str(one.get("label")).startswith("c2pa.actions")
            for action in _sequence(_mapping(one.get("data")).get("actions"))
        ]

    def digital_sources(self) -> tuple[str, ...]:
        sources = (action.get("digitalSourceType") for action in self._actions())
        return tuple(printable(source) for source in sources if source)

    def signed_at(self) -> datetime | None:
        created = [a.get("when") for a in self._actions() if a.get("action") == "c2pa.created"]
        for when in (self._signature.get("time"), *created):
            if not when:
                continue
            try:
                return datetime.fromisoformat(str(when))
            except ValueError:
                continue
        return None

    def facts(self) -> tuple[Facts | None, str]:
        return facts_from(self.title, self._generators, self._assertions, self._actions())


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[object]:
    return value if isinstance(value, list) else []


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
    labels = [str(_mapping(one)["label"]) for one in _sequence(manifest["assertions"])]
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
