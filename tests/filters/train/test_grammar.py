from collections import Counter

from filters.finding import Category
from filters.text import AGE_WORD
from filters.train.grammar import scenes
from filters.weights import HEADS


def test_every_head_has_lines_and_no_other_category_has() -> None:
    categories = {Category(scene.category) for scene in scenes(1, 1) if scene.category}

    assert categories == set(HEADS)


def test_the_same_seed_gives_the_same_prompts() -> None:
    assert list(scenes(3, 7)) == list(scenes(3, 7))


def test_no_slot_is_left_open() -> None:
    assert not [scene.text for scene in scenes(8, 2) if "{" in scene.text or "|" in scene.text]


def test_no_line_about_sex_speaks_of_a_child() -> None:
    sexual = [scene.text for scene in scenes(20, 3) if scene.category == Category.SEXUAL]

    assert sexual
    assert not [text for text in sexual if AGE_WORD.search(text.lower())]


def test_no_text_is_both_harmful_and_harmless() -> None:
    sides: dict[str, set[bool]] = {}
    for scene in scenes(16, 4):
        sides.setdefault(scene.text.lower(), set()).add(bool(scene.category))

    assert not [text for text, both in sides.items() if len(both) > 1]


def test_there_are_several_hundred_distinct_harmless_neighbours() -> None:
    counts = Counter(bool(scene.category) for scene in scenes(16, 5))

    assert counts[False] > 1000
