from pathlib import Path

import pytest

from filters.finding import Category, ModelUnavailable, Surface
from filters.guards.chosen import Choice, load
from filters.guards.classes import KNOWN, Classifier
from filters.guards.verdict import Crosswalk
from filters.guards.weights import digest
from tests.filters.guards.builders import BAD, GOOD, a_classifier, files_of

pytestmark = pytest.mark.slow
LABELS = {"calm": None, "fight": "violence", "brawl": "violence"}


def test_a_classifier_gives_the_strongest_of_the_labels_of_a_category(tmp_path: Path) -> None:
    folder = a_classifier(tmp_path, list(LABELS))
    model = Classifier(files_of(folder), Crosswalk("classifier", LABELS), device="cpu")

    scores = model.scores(BAD)

    assert list(scores) == [Category.VIOLENCE]
    assert 0.0 < scores[Category.VIOLENCE] < 1.0


def test_a_long_text_is_read_to_its_end(tmp_path: Path) -> None:
    folder = a_classifier(tmp_path, list(LABELS))
    model = Classifier(files_of(folder), Crosswalk("classifier", LABELS), device="cpu")

    by_score = sorted(
        (model.scores(f"{text} " * 200)[Category.VIOLENCE], text) for text in (GOOD, BAD)
    )
    (low, calm), (high, wild) = by_score
    found = model.scores(f"{calm} " * 200 + f"{wild} " * 200)[Category.VIOLENCE]

    assert found > (low + high) / 2


def test_a_label_nobody_mapped_refuses_to_load(tmp_path: Path) -> None:
    folder = a_classifier(tmp_path, [*LABELS, "shouting"])

    with pytest.raises(ModelUnavailable, match="shouting"):
        Classifier(files_of(folder), Crosswalk("classifier", LABELS), device="cpu")


def test_an_operators_label_for_an_unknown_category_refuses_to_load(tmp_path: Path) -> None:
    folder = a_classifier(tmp_path, list(LABELS))
    choice = Choice(
        "classifier", str(folder), digest(folder), 5.0, frozenset({Surface.PROMPT}), frozenset(),
        {**LABELS, "brawl": "brawling"}, "cpu",
    )  # fmt: skip

    with pytest.raises(ModelUnavailable, match="brawling"):
        load(choice, offline=True)


def test_a_chosen_classifier_reports_as_one(tmp_path: Path) -> None:
    folder = a_classifier(tmp_path, ["LABEL_0", "LABEL_1"], multi_label=False)
    choice = Choice(
        "classifier", str(folder), digest(folder), 60.0, frozenset({Surface.PROMPT}), frozenset(),
        {"LABEL_0": None, "LABEL_1": "hate"}, "cpu",
    )  # fmt: skip

    (found,) = load(choice, offline=True).read(GOOD, Surface.PROMPT)

    assert (found.category, found.surface) == (Category.HATE, Surface.PROMPT)
    assert found.detector == f"filters.guard.classifier@{digest(folder)[:12]}"


@pytest.mark.parametrize("model", sorted(KNOWN))
def test_the_tables_of_known_classifiers_name_categories_that_exist(model: str) -> None:
    assert Crosswalk(model, KNOWN[model]).categories
