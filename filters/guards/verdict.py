"""What a guard answered, in its own words and in ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from filters.finding import Category, FilterError

# A guard's middle answer ("Controversial"): on the surfaces that guards are asked about, held by
# every rule of the packaged policy that blocks from 0.5, and never allowed.
DOUBTFUL = 0.45


class GuardNonsense(FilterError):
    """A guard answered something that is no verdict. The message never holds what it said."""


class CrosswalkBroken(FilterError):
    """A table names a category that there is not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How strongly a guard objects to a text.

    Attributes:
        scores: 0..1 per label of the guard's own that it objects to; labels left out are 0.
    """

    scores: Mapping[str, float]


class Crosswalk:
    """From a guard's labels to our categories.

    Args:
        guard: the guard's name, for errors.
        table: each label it can answer with, and our category by name, or `None` where the matter
            is decided elsewhere (works and persons: by registries) or is none of ours.

    Raises:
        CrosswalkBroken: a name is no `Category`. Tables are made at import, so that a policy never
            waits for a finding that cannot come.
    """

    def __init__(self, guard: str, table: Mapping[str, str | None]) -> None:
        known = {category.value: category for category in Category}
        strange = sorted({name for name in table.values() if name and name not in known})
        if strange:
            raise CrosswalkBroken(f"{guard} maps to unknown categories: {', '.join(strange)}")
        self._guard = guard
        self._table = {label: known[name] if name else None for label, name in table.items()}
        self.categories = tuple(
            dict.fromkeys(category for category in self._table.values() if category)
        )

    def __contains__(self, label: str) -> bool:
        return label in self._table

    def scores(self, verdict: Verdict) -> dict[Category, float]:
        """Return a score for each of `categories`, 0 where the guard did not object.

        Raises:
            GuardNonsense: the verdict names a label that the guard does not have.
        """
        scores = dict.fromkeys(self.categories, 0.0)
        for label, score in verdict.scores.items():
            if label not in self._table:
                raise GuardNonsense(f"{self._guard} answered with a label it does not have")
            category = self._table[label]
            if category is not None:
                scores[category] = max(scores[category], score)
        return scores


def either(*names: str) -> str:
    """Return the first of `names` that is a category here, or the last.

    A label is mapped to the nearest category that this version has.
    """
    known = {category.value for category in Category}
    return next((name for name in names if name in known), names[-1])
