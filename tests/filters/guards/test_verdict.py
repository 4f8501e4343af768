import pytest

from filters.finding import Category
from filters.guards.guard import FAMILIES
from filters.guards.verdict import Crosswalk, CrosswalkBroken, GuardNonsense, Verdict, either


def test_a_table_that_names_an_unknown_category_is_refused() -> None:
    with pytest.raises(CrosswalkBroken, match="mayhem"):
        Crosswalk("x", {"A": "violence", "B": "mayhem", "C": None})


def test_what_a_guard_did_not_object_to_is_reported_as_nothing() -> None:
    crosswalk = Crosswalk("x", {"A": "violence", "B": "hate", "C": None})

    assert crosswalk.scores(Verdict({"A": 0.8, "C": 1.0})) == {
        Category.VIOLENCE: 0.8,
        Category.HATE: 0.0,
    }


def test_two_labels_of_one_category_count_as_the_stronger() -> None:
    crosswalk = Crosswalk("x", {"A": "violence", "B": "violence"})

    assert crosswalk.scores(Verdict({"A": 0.2, "B": 0.7})) == {Category.VIOLENCE: 0.7}


def test_a_label_the_guard_does_not_have_is_nonsense() -> None:
    with pytest.raises(GuardNonsense):
        Crosswalk("x", {"A": "violence"}).scores(Verdict({"Z": 1.0}))


def test_a_label_goes_to_the_nearest_category_there_is() -> None:
    assert either("not_there_yet", "hate") == "hate"
    assert either("violence", "hate") == "violence"


def test_no_guard_reports_what_only_rules_may_find() -> None:
    ours = {category for family in FAMILIES for category in family.crosswalk.categories}

    assert not ours & {Category.LANGUAGE, Category.SPEECH}
