"""How much an alias may do by itself: names block, words need company, grammar is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rightsholders.claims import RightsError, Tier
from rightsholders.tokens import Tokens, is_unspaced, tokens
from rightsholders.words import Words

Normalise = Callable[[str], str]

LONGEST_ALIAS = 200
SHORTEST_DISTINCT = 4
SHORTEST_DISTINCT_UNSPACED = 2
# An alias that occurs in this share of harmless texts cannot block, one that occurs in more cannot
# be filed. One text in some 3,000 is the gate that brought ordinary prompts wrongly stopped down
# the most in our notes; benchmarks/names.py shows what it leaves.
DEMOTED_FROM_SHARE = 0.0003
REFUSED_FROM_SHARE = 0.01
# fmt: off
GRAMMAR = frozenset([
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "been", "before", "being", "but", "by", "can", "could", "did", "do", "does", "down", "for",
    "from", "had", "has", "have", "he", "her", "here", "hers", "him", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "may", "me", "might", "mine", "must", "my", "no", "nor",
    "not", "of", "off", "on", "one", "or", "our", "ours", "out", "over", "shall", "she", "should",
    "so", "some", "such", "than", "that", "the", "their", "theirs", "them", "then", "there",
    "these", "they", "this", "those", "through", "to", "too", "under", "up", "us", "very", "was",
    "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with",
    "would", "yes", "you", "your", "yours",
])
# fmt: on
# Before or after a common word, one of these says that the work is meant. Words that ordinary
# prompts use of scenes ("a light show", "a card game") are left out on purpose.
# fmt: off
CUES = frozenset([
    "anime", "brand", "cartoon", "episode", "film", "films", "franchise", "logo", "logos",
    "movie", "movies", "prequel", "remake", "sequel", "series", "trademark", "trailer", "tv",
    "videogame",
])
# fmt: on
LINKS = frozenset(["a", "called", "named", "titled", "the"])


class AliasRefused(RightsError):
    """Aliases that cannot be filed, and why.

    Attributes:
        previews: those aliases, each with its reason.
    """

    def __init__(self, previews: "Sequence[Judged]") -> None:
        said = "; ".join(f"{judged.text[:40]!r} {judged.why}" for judged in previews)
        super().__init__(said)
        self.previews = tuple(previews)


@dataclass(frozen=True, slots=True)
class Judged:
    """An alias as it would be filed.

    Attributes:
        key: its normalised words.
        why: in words for the holder; empty where it is distinct.
    """

    text: str
    key: str
    tier: Tier
    why: str = ""


class Tiers:
    """Judges aliases.

    Args:
        normalise: the service's one normaliser.
        background: harmless texts, unnormalised; an alias that occurs in them is demoted. None
            are needed, and the more there are the fewer ordinary prompts are held.
    """

    def __init__(
        self, words: Words, normalise: Normalise, *, background: Sequence[str] = ()
    ) -> None:
        self._words = words
        self._normalise = normalise
        self._texts = len(background)
        # One string, so that an alias is looked for in all texts by one fast search.
        self._background = "\n".join(
            " " + " ".join(word.text for word in tokens(normalise(text)).words) + " "
            for text in background
        )

    def judged(self, alias: str) -> Judged:
        """Return the tier of `alias` and why."""
        words = [word.text for word in tokens(self._normalise(alias)).words]
        key = " ".join(words)
        refusal = self._refusal(alias, words) or self._background_refusal(key)
        if refusal:
            return Judged(alias, key, Tier.REFUSED, refusal)
        doubt = self._doubt(words) or self._background_doubt(key)
        return Judged(alias, key, Tier.NEEDS_CONTEXT if doubt else Tier.DISTINCT, doubt)

    def _refusal(self, alias: str, words: Sequence[str]) -> str:
        if len(alias) > LONGEST_ALIAS:
            return f"is longer than {LONGEST_ALIAS} characters"
        if not words:
            return "holds no letter and no digit"
        if len("".join(words)) == 1:
            return "is a single character"
        if all(word in GRAMMAR for word in words):
            return "is made of words no sentence can do without; add what sets the work apart"
        if all(word.isdigit() for word in words):
            return "is a number; add a word"
        return ""

    def _doubt(self, words: Sequence[str]) -> str:
        joined = "".join(words)
        shortest = SHORTEST_DISTINCT_UNSPACED if is_unspaced(joined[0]) else SHORTEST_DISTINCT
        if len(joined) < shortest:
            return f"is shorter than {shortest} characters"
        telling = [word for word in words if word not in GRAMMAR]
        if len(telling) == 1 and telling[0] in self._words:
            return "is an ordinary English word"
        return ""

    def _background_refusal(self, key: str) -> str:
        if self._share(key) >= REFUSED_FROM_SHARE:
            return f"occurs in {self._share(key):.1%} of harmless texts"
        return ""

    def _background_doubt(self, key: str) -> str:
        if self._share(key) >= DEMOTED_FROM_SHARE:
            return f"occurs in {self._share(key):.2%} of harmless texts"
        return ""

    def _share(self, key: str) -> float:
        return self._background.count(f" {key} ") / self._texts if self._texts else 0.0


def has_cue(words: Tokens, first: int, last: int) -> bool:
    """Return whether a cue stands right after word `last`, or before `first` but for links."""
    said = words.words
    if last + 1 < len(said) and said[last + 1].text in CUES:
        return True
    before = first - 1
    while before >= 0 and said[before].text in LINKS:
        before -= 1
    return before >= 0 and said[before].text in CUES
