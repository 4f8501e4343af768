import pytest

from filters.finding import Category, FilterError, Finding, Surface
from filters.guards.guard import Guard
from filters.guards.together import Guarded
from filters.languages import language
from filters.turn import ModelLate, Turn

ENGLISH, GERMAN = "A woman walks home through the rain", "Eine Frau geht durch den Regen nach Hause"
MIXED = "A woman walks home through the rain und wird von einem Mann verfolgt"
FRENCH, NOBODYS = "Une femme marche sous la pluie vers sa maison", "🔫🔫 17"


def own(text: str, surface: Surface) -> list[Finding]:
    return [
        Finding(Category.VIOLENCE, 0.01, surface, "filters.text@1"),
        language(text, surface, "filters.text@1"),
    ]


def a_guard(*languages: str, surfaces: tuple[Surface, ...] = (Surface.PROMPT,)) -> Guard:
    def scores(text: str, until: float) -> dict[Category, float]:
        return {Category.VIOLENCE: 0.9 if "Mann" in text or "Frau" in text else 0.0}

    return Guard(
        "filters.guard.qwen3guard@0123456789ab", frozenset(languages), frozenset(surfaces), scores,
        Turn("filters.guard.qwen3guard@0123456789ab", 5.0),
    )  # fmt: skip


def said(text: str, *guards: Guard, surface: Surface = Surface.PROMPT) -> dict[str, float]:
    """Return the strongest score of each category."""
    scores: dict[str, float] = {}
    for each in Guarded(own, guards).read(text, surface):
        scores[each.category] = max(each.score, scores.get(each.category, 0.0))
    return scores


def test_a_guard_makes_its_languages_supported() -> None:
    assert said(GERMAN)["language"] >= 0.5
    assert said(GERMAN, a_guard("de", "fr")) == {"violence": 0.9, "language": 0.0}


def test_a_language_that_no_guard_reads_stays_held() -> None:
    assert said(FRENCH, a_guard("de"))["language"] >= 0.5
    assert said(NOBODYS, a_guard("de", "fr"))["language"] == 1.0


def test_a_guard_that_cannot_read_a_text_is_not_asked() -> None:
    assert said(FRENCH, a_guard("de"))["violence"] == 0.01


def test_a_foreign_half_goes_to_the_guard_that_reads_it() -> None:
    assert said(MIXED, a_guard("de")) == {"violence": 0.9, "language": 0.0}
    assert said(MIXED, a_guard("en"))["language"] >= 0.5


def test_a_guard_is_asked_only_where_the_settings_say() -> None:
    guard = a_guard("de", surfaces=(Surface.SPEECH,))

    assert said(GERMAN, guard)["language"] >= 0.5
    assert said(GERMAN, guard, surface=Surface.SPEECH)["language"] == 0.0


def test_an_english_text_goes_to_an_english_guard_too() -> None:
    found = Guarded(own, [a_guard("en", "de")]).read(ENGLISH)

    assert {each.detector for each in found} == {
        "filters.text@1",
        "filters.guard.qwen3guard@0123456789ab",
    }


def test_where_one_guard_fails_nobodys_answer_counts() -> None:
    def late(text: str, until: float) -> dict[Category, float]:
        raise ModelLate("filters.guard.test", "is late")

    guard = Guard("filters.guard.x@0", frozenset({"en"}), frozenset(Surface), late,
                  Turn("filters.guard.x@0", 1.0))  # fmt: skip

    with pytest.raises(FilterError):
        Guarded(own, [guard]).read(ENGLISH)
