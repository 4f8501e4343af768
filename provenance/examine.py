"""Where does this file come from? One of a few states, and a sentence that claims no more."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from provenance import manifest
from provenance.report import Report, State
from provenance.signing import DEVELOPMENT


class Origin(StrEnum):
    """What can be said about where a file comes from."""

    TRUSTED = "trusted"
    VALID_UNKNOWN_SIGNER = "valid_unknown_signer"
    ALTERED = "altered"
    NO_CREDENTIALS = "no_credentials"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Anchors:
    """Root certificates, PEM.

    Attributes:
        public_pem: roots whose signers are called trusted.
        development_pem: the development root of this installation: recognised, never trusted.
    """

    public_pem: bytes = b""
    development_pem: bytes = b""


@dataclass(frozen=True, slots=True)
class Examination:
    """The answer about one file.

    Attributes:
        headline: one plain sentence about origin; text from the file in it: show it escaped.
        details: further sentences, none of which changes the state.
        report: what the manifest says; None where there is none to read.
        validator: name and version of what checked it.
    """

    origin: Origin
    headline: str
    details: tuple[str, ...] = ()
    report: Report | None = None
    validator: str = manifest.VALIDATOR


def examine(path: Path, anchors: Anchors) -> Examination:
    """Return where the file says it comes from, and whether that can be relied on.

    A file signed under a development root is never `trusted`, not even when somebody puts that
    root among the public ones: its name says what it is.

    Raises:
        NotReadable: the file cannot be read from disk.
    """
    try:
        report = manifest.read(path, anchors.public_pem)
        ours = _made_here(path, anchors, report)
    except manifest.Unsupported as unknown:
        return Examination(Origin.UNSUPPORTED, f"We cannot check this file: {unknown}.")
    if report is None:
        return Examination(
            Origin.NO_CREDENTIALS,
            "We found no mark. That tells you nothing about how it was made.",
        )
    if report.state is State.INVALID:
        # What a manifest says after its file changed is not repeated: it may be about another.
        checks = ", ".join(report.failures[:4])
        headline = f"This file changed after it was signed ({checks})."
        if all(code.startswith("signingCredential.") for code in report.failures):
            headline = f"We cannot rely on who signed this file ({checks})."
        return Examination(Origin.ALTERED, headline, (), report)
    if report.state is State.TRUSTED and DEVELOPMENT not in report.issuer:
        return Examination(Origin.TRUSTED, _trusted(report), _details(report), report)
    headline = "Signed and unchanged, but we don't know this signer."
    if "signingCredential.expired" in report.failures:
        headline = "Signed and unchanged, but the signer's certificate has expired since."
    if ours:
        headline = "Signed and unchanged, by a development installation that nobody vouches for."
    return Examination(Origin.VALID_UNKNOWN_SIGNER, headline, _details(report), report)


def exit_code(origin: Origin) -> int:
    """Return the exit status of `imprimatur verify`.

    12 is kept for "watermark only", 1 for an error of the command itself.
    """
    match origin:
        case Origin.TRUSTED:
            return 0
        case Origin.VALID_UNKNOWN_SIGNER:
            return 10
        case Origin.NO_CREDENTIALS:
            return 11
        case Origin.ALTERED:
            return 20
        case Origin.UNSUPPORTED:
            return 30
    assert_never(origin)


def _made_here(path: Path, anchors: Anchors, report: Report | None) -> bool:
    if report is None or report.state is State.INVALID:
        return False
    if not anchors.development_pem:
        return False
    again = manifest.read(path, anchors.development_pem)
    return again is not None and again.state is State.TRUSTED


def _trusted(report: Report) -> str:
    # A camera's picture is signed too: only what says so was made by a program.
    made = "Made by software" if _is_source(report, "/algorithmicmedia") else "Signed"
    if _is_source(report, "trainedalgorithmicmedia"):
        made = "Made with AI"
    when = f" on {report.signed_at:%Y-%m-%d}" if report.signed_at else ""
    return f"{made} by {report.issuer}{when}. The file has not changed since it was signed."


def _is_source(report: Report, ending: str) -> bool:
    return any(one.lower().endswith(ending) for one in report.digital_sources)


def _details(report: Report) -> tuple[str, ...]:
    facts = report.facts
    if facts is None:
        return (f"Signed by {report.issuer} with {report.generator}.",)
    maker, made_at = facts.maker, f"{facts.made_at:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"Signed by {report.issuer} with {report.generator}.",
        f"Made with {maker.name} {maker.version} on {made_at}, request {facts.request_id}.",
    ]
    if facts.visible_mark:
        lines.append(f"A plate reads “{facts.visible_mark}” in every frame.")
    return tuple(lines)
