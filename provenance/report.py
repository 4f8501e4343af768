"""What a manifest says and whether it holds, out of the C2PA library's own report."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from provenance.facts import Facts, facts_from, printable

# Nothing in the file has changed when only these fail: they are about who signed, and when.
ABOUT_THE_SIGNER = {
    "signingCredential.untrusted",
    "signingCredential.expired",
    "signingCredential.invalid",
}
_MAX_LISTED = 32  # a stranger's manifest may hold any number of anything
_CONTENT_HASHES = {
    f"assertion.{kind}Hash.match" for kind in ("bmff", "data", "boxes", "collection")
}


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
        failures: C2PA validation codes, or our own `imprimatur.*`; in state `valid` they say
            why the signer is not trusted.
        label: of the active manifest, `urn:c2pa:…`.
        issuer: organisation and name in the signer's certificate.
        generator: name and version of the program that signed.
        digital_sources: every IPTC digitalSourceType among the actions, once, in order.
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


class Document:
    """The reader's JSON, looked up without trusting its shape."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document
        active = document.get("active_manifest")
        self.label = printable(active)
        manifest = mapping(mapping(document.get("manifests")).get(str(active)))
        self._assertions = [mapping(one) for one in sequence(manifest.get("assertions"))]
        self._signature = mapping(manifest.get("signature_info"))
        self.title = printable(manifest.get("title"))
        self.state = str(document.get("validation_state"))
        self._generators = [mapping(g) for g in sequence(manifest.get("claim_generator_info"))]

    @property
    def issuer(self) -> str:
        names = (self._signature.get("issuer"), self._signature.get("common_name"))
        return ", ".join(printable(name) for name in names if name)

    @property
    def generator(self) -> str:
        first = self._generators[0] if self._generators else {}
        return printable(f"{first.get('name', '')} {first.get('version', '')}".strip())

    def report(self, facts: Facts | None, hidden: list[str]) -> Report:
        """Return the report; `hidden` are further failures that the library does not look for."""
        failures = tuple(dict.fromkeys((*self._codes("failure"), *hidden)))[:_MAX_LISTED]
        return Report(
            self._state(failures),
            failures,
            self.label,
            self.title,
            self.issuer,
            self.generator,
            self.digital_sources(),
            self.signed_at(),
            facts,
        )

    def _state(self, failures: tuple[str, ...]) -> State:
        if not failures and self.state == "Trusted":
            return State.TRUSTED
        # The library calls a file invalid once its signer's certificate has expired. Its content
        # is as it was signed all the same, and "changed" would be wrong.
        found = set(self._codes("success"))
        whole = "claimSignature.validated" in found and bool(found & _CONTENT_HASHES)
        explained = bool(failures) or self.state == "Valid"
        if whole and explained and set(failures) <= ABOUT_THE_SIGNER:
            return State.VALID
        return State.INVALID

    def _codes(self, outcome: str) -> list[str]:
        results = mapping(self._document.get("validation_results"))
        found = [results.get("activeManifest")]
        found += [
            mapping(delta).get("validationDeltas")
            for delta in sequence(results.get("ingredientDeltas"))
        ]
        return [
            printable(mapping(one).get("code"))
            for part in found
            for one in sequence(mapping(part).get(outcome))
        ]

    def _actions(self) -> list[dict[str, object]]:
        return [
            mapping(action)
            for one in self._assertions
            if str(one.get("label")).startswith("c2pa.actions")
            for action in sequence(mapping(one.get("data")).get("actions"))
        ]

    def digital_sources(self) -> tuple[str, ...]:
        sources = (action.get("digitalSourceType") for action in self._actions())
        found = dict.fromkeys(printable(source) for source in sources if source)
        return tuple(found)[:_MAX_LISTED]

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


def mapping(value: object) -> dict[str, object]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """Return `value` if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []
