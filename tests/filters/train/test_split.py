from collections import Counter

from filters.train.split import Part, part


def test_texts_that_read_alike_are_on_the_same_side() -> None:
    for number in range(50):
        assert part(f"Scene {number} of a caf\u00e9") == part(f"scene  {number} of a\u200b CAFE ")


def test_the_parts_have_their_shares() -> None:
    counts = Counter(part(f"text {number}") for number in range(4000))

    assert abs(counts[Part.TRAIN] / 4000 - 0.70) < 0.03
    assert abs(counts[Part.CALIBRATE] / 4000 - 0.15) < 0.03


def test_a_text_never_moves() -> None:
    texts = ("a red ball", "a blue box", "gulls fly over the bay")

    assert [part(text) for text in texts] == [Part.TRAIN, Part.TEST, Part.CALIBRATE]
