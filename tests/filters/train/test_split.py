from collections import Counter
from pathlib import Path

import pytest

from filters.finding import ModelUnavailable
from filters.train.split import TRAINED, Part, Trained, part, remember


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


def test_what_was_trained_on_is_known_again_however_it_is_typed(tmp_path: Path) -> None:
    remember(["A red  ball", "a blue box"], tmp_path / "trained")

    trained = Trained(tmp_path / "trained")

    assert len(trained) == 2
    assert "a red ball\u200b" in trained
    assert "A BLUE BOX " in trained
    assert "a blue ball" not in trained


@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 9])
def test_without_its_list_nobody_says_that_nothing_was_trained_on(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "trained").write_bytes(content)

    with pytest.raises(ModelUnavailable):
        Trained(tmp_path / "trained")


def test_the_packaged_list_is_small() -> None:
    assert TRAINED.stat().st_size < 1_000_000
    assert len(Trained()) > 10_000
