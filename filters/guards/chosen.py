"""From what an operator wrote down to a guard that is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass

from filters.finding import ModelUnavailable, Surface
from filters.guards.classes import KNOWN
from filters.guards.guard import CLASSIFIER, FAMILIES, Guard, chat_guard, classifier_guard
from filters.guards.verdict import Crosswalk, CrosswalkBroken
from filters.guards.weights import located, pinned


@dataclass(frozen=True, slots=True)
class Choice:
    """Which guard, from where, and what it is trusted with.

    Attributes:
        family: name of one of `FAMILIES`, or `CLASSIFIER`.
        model: a folder, or an id of the hub.
        sha256: `digest` of its files.
        languages: ISO 639 codes; empty for those of its card.
        labels: of a classifier: each label, and our category by name or None; empty where this
            package knows the model by its id.
    """

    family: str
    model: str
    sha256: str
    timeout_s: float
    surfaces: frozenset[Surface]
    languages: frozenset[str]
    labels: Mapping[str, str | None]
    device: str


def load(choice: Choice, *, offline: bool) -> Guard:
    """Return the guard, from files that were hashed.

    Raises:
        ModelUnavailable: it is missing, not the pinned one, no such model, or has a label that is
            mapped to no category of ours.
    """
    files = pinned(located(choice.model, offline=offline), choice.sha256)
    for family in FAMILIES:
        if family.name == choice.family:
            return chat_guard(
                files, family, device=choice.device, timeout_s=choice.timeout_s,
                surfaces=choice.surfaces, languages=choice.languages,
            )  # fmt: skip
    try:
        crosswalk = Crosswalk(CLASSIFIER, choice.labels or KNOWN.get(choice.model, {}))
    except CrosswalkBroken as wrong:
        raise ModelUnavailable(
            "a classifier's labels cannot be used", str(wrong), "Correct IMPRIMATUR_GUARDS."
        ) from wrong
    return classifier_guard(
        files, crosswalk, device=choice.device, timeout_s=choice.timeout_s,
        surfaces=choice.surfaces, languages=choice.languages,
    )  # fmt: skip
