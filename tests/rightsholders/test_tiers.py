import pytest

from rightsholders.claims import Tier
from rightsholders.tiers import Tiers, has_cue
from rightsholders.tokens import tokens
from rightsholders.words import Words
from tests.rightsholders.builders import normalise


@pytest.mark.parametrize(
    ("alias", "tier"),
    [
        ("Pikachu", Tier.DISTINCT),
        ("Spider-Man", Tier.DISTINCT),
        ("Star Wars", Tier.DISTINCT),
        ("The Legend of Zelda", Tier.DISTINCT),
        ("ピカチュウ", Tier.DISTINCT),
        ("悟空", Tier.DISTINCT),
        ("red", Tier.NEEDS_CONTEXT),
        ("Light", Tier.NEEDS_CONTEXT),
        ("Frozen", Tier.NEEDS_CONTEXT),
        ("Pumas", Tier.NEEDS_CONTEXT),
        ("The Rock", Tier.NEEDS_CONTEXT),
        ("ET", Tier.NEEDS_CONTEXT),
        ("It", Tier.REFUSED),
        ("Us", Tier.REFUSED),
        ("The Who", Tier.REFUSED),
        ("X", Tier.REFUSED),
        ("空", Tier.REFUSED),
        ("1984", Tier.REFUSED),
        ("!?", Tier.REFUSED),
        ("x" * 201, Tier.REFUSED),
    ],
)
def test_an_alias_can_do_what_its_words_can(words: Words, alias: str, tier: Tier) -> None:
    judged = Tiers(words, normalise).judged(alias)

    assert judged.tier is tier
    assert bool(judged.why) == (tier is not Tier.DISTINCT)


def test_a_name_that_harmless_texts_use_is_demoted_or_refused(words: Words) -> None:
    background = ["Manhattan at night"] * 2 + ["a dog in Tokyo"] * 40 + ["a cat"] * 1958
    tiers = Tiers(words, normalise, background=background)

    assert tiers.judged("Manhattan").tier is Tier.NEEDS_CONTEXT
    assert tiers.judged("Tokyo").tier is Tier.REFUSED
    assert tiers.judged("Pikachu").tier is Tier.DISTINCT


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("the movie frozen", True),
        ("a film called frozen", True),
        ("the frozen movie", True),
        ("in the film the frozen lake shines", True),
        ("a frozen lake", False),
        ("a frozen lake in a movie", False),
        ("frozen", False),
    ],
)
def test_a_cue_beside_a_word_says_that_the_work_is_meant(text: str, cue: bool) -> None:
    read = tokens(text)
    at = [word.text for word in read.words].index("frozen")

    assert has_cue(read, at, at) is cue
