"""What the DSA Transparency Database takes, as its API documentation of July 2025 says it."""

from typing import Any

_DATE = {"type": "string", "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"}
# Category: its keywords.
KEYWORDS: dict[str, str] = {
    "ANIMAL_WELFARE": "ANIMAL_HARM UNLAWFUL_SALE_ANIMALS OTHER",
    "CYBER_VIOLENCE": "CYBER_BULLYING_INTIMIDATION CYBER_HARASSMENT CYBER_INCITEMENT "
    "CYBER_STALKING NON_CONSENSUAL_IMAGE_SHARING NON_CONSENSUAL_MATERIAL_DEEPFAKE OTHER",
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS": "BIOMETRIC_DATA_BREACH DATA_FALSIFICATION "
    "MISSING_PROCESSING_GROUND RIGHT_TO_BE_FORGOTTEN OTHER",
    "ILLEGAL_OR_HARMFUL_SPEECH": "DEFAMATION DISCRIMINATION HATE_SPEECH OTHER",
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS": "COPYRIGHT_INFRINGEMENT DESIGN_INFRINGEMENT "
    "GEOGRAPHIC_INDICATIONS_INFRINGEMENT PATENT_INFRINGEMENT TRADE_SECRET_INFRINGEMENT "
    "TRADEMARK_INFRINGEMENT OTHER",
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS": "MISINFORMATION_DISINFORMATION "
    "VIOLATION_EU_LAW VIOLATION_NATIONAL_LAW OTHER",
    "PROTECTION_OF_MINORS": "AGE_SPECIFIC_RESTRICTIONS_MINORS CHILD_SEXUAL_ABUSE_MATERIAL "
    "CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE GROOMING_SEXUAL_ENTICEMENT_MINORS UNSAFE_CHALLENGES "
    "OTHER",
    "RISK_FOR_PUBLIC_SECURITY": "ILLEGAL_ORGANIZATIONS RISK_ENVIRONMENTAL_DAMAGE "
    "RISK_PUBLIC_HEALTH TERRORIST_CONTENT OTHER",
    "SCAMS_AND_FRAUD": "IMPERSONATION_ACCOUNT_HIJACKING INAUTHENTIC_ACCOUNTS "
    "INAUTHENTIC_LISTINGS INAUTHENTIC_USER_REVIEWS PHISHING PYRAMID_SCHEMES OTHER",
    "SELF_HARM": "CONTENT_PROMOTING_EATING_DISORDERS SELF_MUTILATION SUICIDE OTHER",
    "VIOLENCE": "COORDINATED_HARM INCITEMENT_VIOLENCE_HATRED HUMAN_EXPLOITATION HUMAN_TRAFFICKING "
    "TRAFFICKING_WOMEN_GIRLS OTHER",
    "OTHER_VIOLATION_TC": "ADULT_SEXUAL_MATERIAL AGE_SPECIFIC_RESTRICTIONS "
    "GEOGRAPHICAL_REQUIREMENTS GOODS_SERVICES_NOT_PERMITTED LANGUAGE_REQUIREMENTS NUDITY OTHER",
}
_CATEGORY = {"enum": [f"STATEMENT_CATEGORY_{one}" for one in KEYWORDS]}
_COUNTRIES = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
)


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _some(prefix: str, words: str) -> dict[str, Any]:
    one = {"enum": [prefix + word for word in words.split()]}
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": one}


STATEMENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "decision_ground", "content_type", "category", "territorial_scope", "content_date",
        "application_date", "decision_facts", "source_type", "automated_detection",
        "automated_decision", "puid", "decision_visibility", "incompatible_content_ground",
        "incompatible_content_explanation",
    ],
    "properties": {
        "decision_visibility": _some(
            "DECISION_VISIBILITY_", "CONTENT_REMOVED CONTENT_DISABLED CONTENT_DEMOTED OTHER"
        ),
        "decision_visibility_other": _text(500),
        "decision_ground": {"const": "DECISION_GROUND_INCOMPATIBLE_CONTENT"},
        "incompatible_content_ground": _text(500),
        "incompatible_content_explanation": _text(2000),
        "content_type": _some("CONTENT_TYPE_", "AUDIO IMAGE OTHER SYNTHETIC_MEDIA TEXT VIDEO"),
        "category": _CATEGORY,
        "category_addition": {"type": "array", "minItems": 1, "items": _CATEGORY},
        "category_specification": _some("KEYWORD_", " ".join(KEYWORDS.values())),
        "category_specification_other": _text(500),
        "territorial_scope": _some("", _COUNTRIES),
        "content_date": _DATE,
        "application_date": _DATE,
        "decision_facts": _text(5000),
        "source_type": {
            "enum": [
                "SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION",
                "SOURCE_VOLUNTARY",
            ]
        },
        "automated_detection": {"enum": ["Yes", "No"]},
        "automated_decision": {
            "enum": [
                f"AUTOMATED_DECISION_{one}" for one in ("FULLY", "PARTIALLY", "NOT_AUTOMATED")
            ]
        },
        "puid": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,500}$"},
    },
    "allOf": [
        # Each keyword belongs to its category.
        {
            "if": {"properties": {"category": {"const": f"STATEMENT_CATEGORY_{category}"}}},
            "then": {"properties": {"category_specification": _some("KEYWORD_", words)}},
        }
        for category, words in KEYWORDS.items()
    ],
}  # fmt: skip
