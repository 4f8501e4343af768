"""Our reason codes in the words of the EU's database of statements of reasons. Pure values.

Categories and keywords: https://transparency.dsa.ec.europa.eu/page/api-documentation, the schema
of July 2025. They sort statements for statistics and say nothing about a law: the service judges
whether content fits its rules, not whether it breaks a law, so the ground is always
"incompatible with the terms".
"""

from collections.abc import Mapping
from dataclasses import dataclass

_CATEGORY, _KEYWORD = "STATEMENT_CATEGORY_", "KEYWORD_"


@dataclass(frozen=True, slots=True)
class Ground:
    """How a code is filed, and what it says.

    Attributes:
        keywords: where `KEYWORD_OTHER` is among them, `finding` says which.
        finding: what was found, in a few words.
        says: why the content does not fit the terms; what follows "The requested content".
    """

    category: str
    keywords: tuple[str, ...]
    finding: str
    says: str


def _ground(filed: str, finding: str, says: str) -> Ground:
    category, *keywords = filed.split()
    named = tuple(_KEYWORD + one for one in keywords)
    return Ground(_CATEGORY + category, named, finding, says)


_OTHER_RULE = "OTHER_VIOLATION_TC OTHER"
_DEEPFAKE = "CYBER_VIOLENCE NON_CONSENSUAL_MATERIAL_DEEPFAKE"
_WORK = "INTELLECTUAL_PROPERTY_INFRINGEMENTS OTHER"
_UNCLEAR = "depicts a person of whom it could not be established that they gave permission"

GROUNDS: Mapping[str, Ground] = {
    "filters.minors": _ground(
        "PROTECTION_OF_MINORS CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE",
        "sexual content with a person who may be a minor",
        "appears to sexualise a person who may be a minor",
    ),
    "filters.sexual": _ground(
        "OTHER_VIOLATION_TC ADULT_SEXUAL_MATERIAL", "sexual content", "appears to be sexual"
    ),
    "filters.violence": _ground(
        "VIOLENCE OTHER",
        "realistic violence against people",
        "appears to show realistic violence against people",
    ),
    "filters.gore": _ground(
        "VIOLENCE OTHER", "wounds or mutilation", "appears to show wounds or mutilation"
    ),
    "filters.self_harm": _ground(
        "SELF_HARM SELF_MUTILATION SUICIDE",
        "self-harm or suicide",
        "appears to show or to encourage self-harm or suicide",
    ),
    "filters.hate": _ground(
        "ILLEGAL_OR_HARMFUL_SPEECH HATE_SPEECH",
        "contempt for people because of a protected characteristic",
        "appears to express contempt for people because of a protected characteristic",
    ),
    "filters.harassment": _ground(
        "CYBER_VIOLENCE CYBER_HARASSMENT",
        "an attack on a person",
        "appears to attack or to humiliate a person",
    ),
    "filters.extremism": _ground(
        "RISK_FOR_PUBLIC_SECURITY TERRORIST_CONTENT",
        "praise or material of a violent movement",
        "appears to praise a violent movement or to be material of one",
    ),
    "filters.illicit": _ground(
        "RISK_FOR_PUBLIC_SECURITY OTHER",
        "help with weapons, drugs or another crime",
        "appears to give help with weapons, drugs or another crime",
    ),
    "filters.political": _ground(
        "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS MISINFORMATION_DISINFORMATION",
        "political persuasion or made-up news",
        "appears to persuade politically or to pass made-up news for real",
    ),
    "filters.impersonation": _ground(
        "SCAMS_AND_FRAUD IMPERSONATION_ACCOUNT_HIJACKING",
        "somebody posing as another person, an office or a firm",
        "appears to pose as a person, an office or a firm",
    ),
    "filters.dangerous_acts": _ground(
        _OTHER_RULE,
        "a dangerous act that people may copy",
        "appears to show a dangerous act that people may copy",
    ),
    "filters.animal_cruelty": _ground(
        "ANIMAL_WELFARE ANIMAL_HARM",
        "cruelty to an animal",
        "appears to show cruelty to an animal",
    ),
    "filters.privacy": _ground(
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS OTHER",
        "somebody's private life or papers",
        "appears to show somebody's private life or papers without their consent",
    ),
    "filters.evasion": _ground(
        _OTHER_RULE, "hidden or disguised characters", "is described with hidden or disguised words"
    ),
    "filters.language": _ground(
        "OTHER_VIOLATION_TC LANGUAGE_REQUIREMENTS",
        "a language that cannot be examined",
        "is described in a language in which the service cannot examine it",
    ),
    "filters.speech": _ground(
        _OTHER_RULE,
        "speech that cannot be examined",
        "contains speech that the service could not examine",
    ),
    "filters.unreadable": _ground(
        _OTHER_RULE,
        "text in the picture that cannot be examined",
        "shows text that the service could not examine",
    ),
    "likeness.not_granted": _ground(
        _DEEPFAKE,
        "the face of a person who has not given permission",
        "depicts a person who has not given permission",
    ),
    "likeness.handle_not_granted": _ground(
        _DEEPFAKE,
        "the handle of a person who has not given permission",
        "depicts a person who has not given permission",
    ),
    "likeness.stranger": _ground(
        _DEEPFAKE, "the face of a person whose permission is not known", _UNCLEAR
    ),
    "likeness.uncertain": _ground(
        _OTHER_RULE, "a face that resembles a person without permission", _UNCLEAR
    ),
    "likeness.inconclusive": _ground(_OTHER_RULE, "a face too unclear to recognise", _UNCLEAR),
    "likeness.too_small": _ground(_OTHER_RULE, "a face too small to recognise", _UNCLEAR),
    "likeness.handle_unknown": _ground(_OTHER_RULE, "the handle of nobody known", _UNCLEAR),
    "policy.person_sexual": _ground(
        _DEEPFAKE, "a real person and sexual words", "appears to sexualise a real person"
    ),
    "policy.named_person_sexual": _ground(
        _DEEPFAKE, "a named person and sexual words", "appears to sexualise a named person"
    ),
    "policy.person_harmed": _ground(
        "VIOLENCE OTHER", "a real person and harm to them", "appears to show harm to a real person"
    ),
    "rights.claim": _ground(
        _WORK,
        "a work that its rights holder has excluded",
        "reproduces a work that its rights holder has excluded from generation",
    ),
    "rights.claim_hold": _ground(
        _WORK,
        "words that may name a work that its rights holder has excluded",
        "may reproduce a work that its rights holder has excluded from generation",
    ),
    "policy.unavailable": _ground(
        _OTHER_RULE,
        "an examination that could not be made",
        "could not be examined",
    ),
}

UNMAPPED = _ground(_OTHER_RULE, "what a rule of the service excludes", "does not fit a rule")
"""Of a code that is not in the table, such as one of an operator's own policy."""

EEA = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""The countries that a statement can be about."""
