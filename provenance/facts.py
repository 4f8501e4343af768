"""What a manifest says about a film of ours: which program made it, when, under which decision.

Nothing about the person who asked: no prompt, no name, no account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

PRODUCT = "Imprimatur"
SPEC_VERSION = "2.4"
RELEASE = "org.imprimatur.release"
ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_USES = ("ai_generative_training", "ai_training", "ai_inference", "data_mining")


class Oversight(StrEnum):
    """How far a person was involved, in the words of C2PA 2.4."""

    AUTONOMOUS = "fully_autonomous"
    PROMPTED = "prompt_guided"
    VALIDATED = "human_validated"


@dataclass(frozen=True, slots=True)
class Maker:
    """The program that made frames and sound.

    Attributes:
        name: such as `scenes`.
        version: of it.
        digital_source: IPTC digitalSourceType, an address.
        sha256: of the model's weights, hex; empty where there are none.
    """

    name: str
    version: str
    digital_source: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The `c2pa.ai-disclosure` assertion. A renderer by rule has none: it is no AI model.

    Attributes:
        model_type: such as `c2pa.types.model.pytorch`.
        model_name: as its publisher calls it.
    """

    model_type: str
    model_name: str
    oversight: Oversight


@dataclass(frozen=True, slots=True)
class Input:
    """A picture the requester sent: its SHA-256 (hex) and media type."""

    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a manifest of ours says.

    Attributes:
        made_at: aware UTC, whole seconds.
        service_version: of this installation's software.
        visible_mark: the text on the plate in every frame; empty where there is none. It is
            declared as added text: it binds nothing to the manifest, so it is no watermark in
            the sense of C2PA.
    """

    title: str
    maker: Maker
    made_at: datetime
    service_version: str
    request_id: str
    decision_id: str
    disclosure: Disclosure | None = None
    visible_mark: str = ""
    inputs: tuple[Input, ...] = ()

    def __post_init__(self) -> None:
        if self.made_at.tzinfo is None or self.made_at.microsecond:
            raise ValueError("made_at must be aware and in whole seconds")


def manifest_of(facts: Facts, kind: str, uncovered: str) -> dict[str, object]:
    """Return the manifest definition for `facts`, as the C2PA library takes it.

    Args:
        kind: media type of the file.
        uncovered: SHA-256 of the parts of the file that the C2PA hash leaves out.
    """
    generator = {"name": PRODUCT, "version": facts.service_version, "specVersion": SPEC_VERSION}
    assertions: list[dict[str, object]] = [
        {"label": "c2pa.actions.v2", "data": _actions(facts)},
        {"label": "cawg.training-mining", "data": {"entries": _entries()}},
        {"label": RELEASE, "data": _release(facts, uncovered)},
    ]
    if facts.disclosure is not None:
        assertions.append({"label": "c2pa.ai-disclosure", "data": _disclosed(facts.disclosure)})
    return {
        "claim_version": 2,
        "claim_generator_info": [generator],
        "title": facts.title,
        "format": kind,
        "assertions": assertions,
        "ingredients": [
            {
                "title": f"input picture {number}",
                "format": given.media_type,
                "relationship": "inputTo",
                "label": "c2pa.ingredient.v3",
            }
            for number, given in enumerate(facts.inputs, 1)
        ],
    }


def _actions(facts: Facts) -> dict[str, object]:
    maker = facts.maker
    actions: list[dict[str, object]] = [
        {
            "action": "c2pa.created",
            "when": facts.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "softwareAgent": {"name": maker.name, "version": maker.version},
            "digitalSourceType": maker.digital_source,
        }
    ]
    if facts.visible_mark:
        actions.append(
            {
                "action": "c2pa.addedText",
                "digitalSourceType": ALGORITHMIC,
                "description": f"A moving plate reads “{facts.visible_mark}” in every frame.",
            }
        )
    return {"actions": actions, "allActionsIncluded": True}


def _entries() -> dict[str, dict[str, str]]:
    return {f"cawg.{use}": {"use": "notAllowed"} for use in _USES}


def _disclosed(disclosure: Disclosure) -> dict[str, object]:
    return {
        "modelType": disclosure.model_type,
        "modelName": disclosure.model_name,
        "contentProfile": {"humanOversightLevel": disclosure.oversight.value},
    }


def _release(facts: Facts, uncovered: str) -> dict[str, object]:
    return {
        "request": facts.request_id,
        "decision": facts.decision_id,
        "visibleMark": facts.visible_mark,
        "modelSha256": facts.maker.sha256,
        "inputs": [{"sha256": one.sha256, "format": one.media_type} for one in facts.inputs],
        "uncoveredSha256": uncovered,
    }


Assertions = Sequence[Mapping[str, object]]


def facts_from(
    title: str, generators: Assertions, assertions: Assertions, actions: Assertions
) -> tuple[Facts | None, str]:
    """Return our facts and the hash of the uncovered parts, or (None, "") for a foreign manifest.

    Does not say whether they are true: that is the signature's part.
    """
    data = {str(one.get("label")): _mapping(one.get("data")) for one in assertions}
    release = data.get(RELEASE)
    if release is None or not generators or not actions:
        return None, ""
    created = actions[0]
    agent = _mapping(created.get("softwareAgent"))
    inputs = release.get("inputs")
    disclosed = data.get("c2pa.ai-disclosure")
    try:
        facts = Facts(
            title,
            Maker(
                printable(agent.get("name")),
                printable(agent.get("version")),
                printable(created.get("digitalSourceType")),
                printable(release.get("modelSha256")),
            ),
            datetime.fromisoformat(str(created.get("when"))),
            printable(generators[0].get("version")),
            printable(release.get("request")),
            printable(release.get("decision")),
            None if disclosed is None else _disclosure_from(disclosed),
            printable(release.get("visibleMark")),
            tuple(
                Input(printable(one.get("sha256")), printable(one.get("format")))
                for one in (inputs[:100] if isinstance(inputs, list) else [])
                if isinstance(one, dict)
            ),
        )
    except ValueError:
        return None, ""
    return facts, printable(release.get("uncoveredSha256"))


def _disclosure_from(data: Mapping[str, object]) -> Disclosure:
    profile = _mapping(data.get("contentProfile"))
    return Disclosure(
        printable(data.get("modelType")),
        printable(data.get("modelName")),
        Oversight(str(profile.get("humanOversightLevel"))),
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def printable(value: object) -> str:
    """Return text from somebody's file as one line of at most 200 printable characters."""
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())[:200]
