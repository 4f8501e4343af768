"""Which of the proposed aliases are really named in a text, and where.

However often a name stands there, it is met once: a text that repeats a name that thousands
have claimed costs its words plus those claims, never their product.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rightsholders.claims import Alias, Claim, Tier
from rightsholders.names import Proposal
from rightsholders.store import OwnedAlias
from rightsholders.tiers import GRAMMAR, has_cue
from rightsholders.tokens import Tokens, words_of
from rightsholders.words import Words

# Across another split than the registered one: "he rb" is no Herb, "r 2 d 2" is R2D2.
SHORTEST_RESPLIT = 4
# "thor a" is no Thora, but "t h o r a" is.
SPELT_OUT_FROM = 3
# "zorb lax" is Zorblax or an accident: from here on a person looks, if one half is no word. "Blue
# sky" for Bluesky would have held 97 of 1,444 ordinary long prompts (benchmarks/names.py).
SHORTEST_DOUBTFUL = 7


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read the text, and what the index proposes in it."""

    words: Tokens
    proposals: Sequence[Proposal]


class Fit(StrEnum):
    """How the words of the text agree with those of the alias."""

    CERTAIN = "certain"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Met:
    """An alias that is named.

    Attributes:
        start, end: characters of the text, end exclusive.
        fit: doubtful where the words may have come together by accident.
    """

    claim: Claim
    alias: Alias
    start: int
    end: int
    fit: Fit


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    fit: Fit


@dataclass(slots=True)
class _Name:
    """One key in one tier, everybody who claims it, and the places that matter."""

    key: str
    tier: Tier
    claimed: list[tuple[Claim, Alias]] = field(default_factory=list)
    best: _Place | None = None
    cued: _Place | None = None
    first: _Place | None = None
    last: _Place | None = None

    def seen(self, place: _Place, *, cued: bool) -> None:
        if self.best is None or (place.fit is Fit.CERTAIN and self.best.fit is Fit.DOUBTFUL):
            self.best = place
        if place.fit is Fit.DOUBTFUL:
            return
        if cued and self.cued is None:
            self.cued = place
        if self.first is None or place.end < self.first.end:
            self.first = place
        if self.last is None or place.start > self.last.start:
            self.last = place


def met(
    readings: Sequence[Reading],
    owned: Mapping[int, OwnedAlias],
    live: Mapping[str, Claim],
    ordinary: Words,
) -> list[Met]:
    """Return every alias of a live claim that is named, longest first.

    Args:
        owned: the proposed aliases, by number.
        live: the claims that apply, by id.
        ordinary: the words of the language.
    """
    names: dict[str, list[_Name]] = {}
    for reading in readings:
        for proposal in reading.proposals:
            if proposal.letters not in names:
                names[proposal.letters] = _names(proposal, owned, live)
            _look(reading.words, proposal, names[proposal.letters], ordinary)
    every = [name for letters in sorted(names, key=len, reverse=True) for name in names[letters]]
    told = _told(every)
    return [each for name in every for each in _met(name, told)]


def _names(
    proposal: Proposal, owned: Mapping[int, OwnedAlias], live: Mapping[str, Claim]
) -> list[_Name]:
    found: dict[tuple[str, Tier], _Name] = {}
    for number in proposal.numbers:
        one = owned.get(number)
        if one is None or one.claim not in live:
            continue
        key, tier = one.alias.key, one.alias.tier
        name = found.setdefault((key, tier), _Name(key, tier))
        name.claimed.append((live[one.claim], one.alias))
    return list(found.values())


def _look(words: Tokens, proposal: Proposal, names: Sequence[_Name], ordinary: Words) -> None:
    for name in names:
        fit = fit_of(words, proposal, name.key, name.tier, ordinary)
        if fit is None:
            continue
        place = _Place(words.words[proposal.first].start, words.words[proposal.last].end, fit)
        cued = name.tier is not Tier.DISTINCT and has_cue(words, proposal.first, proposal.last)
        name.seen(place, cued=cued)


def fit_of(words: Tokens, proposal: Proposal, key: str, tier: Tier, ordinary: Words) -> Fit | None:
    """Return whether the words of the text are those of the alias, or plainly its pieces.

    "her a" is no Hera and "else a" no Elsa, since "her" and "else" are words; "pika chu" is
    Pikachu. An ending is taken off only where the whole is not a word: "mars" is no "mar".
    """
    pieces = [word.text for word in words.words[proposal.first : proposal.last + 1]]
    ending = len("".join(pieces)) - len(proposal.letters)
    if ending:
        if pieces[-1] in ordinary and len(pieces) == 1 and tier is Tier.DISTINCT:
            return None
        pieces[-1] = pieces[-1][:-ending]
    joined = _possessives_joined(pieces)
    apart = len(joined) > 1 or joined[0] not in ordinary
    if pieces == list(words_of(key)) or (apart and joined == _possessives_joined(words_of(key))):
        return Fit.CERTAIN
    if len(proposal.letters) < SHORTEST_RESPLIT:
        return None
    spelt_out = sum(len(piece) == 1 for piece in pieces) >= SPELT_OUT_FROM
    if all(
        (spelt_out or piece not in GRAMMAR) if len(piece) == 1 else piece not in ordinary
        for piece in pieces
    ):
        return Fit.CERTAIN
    return _doubt(pieces, ordinary) if tier is Tier.DISTINCT else None


def _doubt(pieces: Sequence[str], ordinary: Words) -> Fit | None:
    """Return whether two words, one of them no ordinary one, may be a long name."""
    long = len("".join(pieces)) >= SHORTEST_DOUBTFUL and len(pieces) == 2
    plain = sum(piece in ordinary for piece in pieces)
    whole = all(len(piece) > 1 and piece not in GRAMMAR for piece in pieces)
    return Fit.DOUBTFUL if long and plain == 1 and whole else None


def _possessives_joined(words: Sequence[str]) -> list[str]:
    """Return `words` as they are without an apostrophe: "ocean s eleven" is "oceans eleven".

    "It's" and "its" stay two things.
    """
    joined: list[str] = []
    for word in words:
        if word == "s" and joined and joined[-1] + word not in GRAMMAR:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


@dataclass(frozen=True, slots=True)
class _Told:
    """Where the first of a claim's distinct names ends and the last begins."""

    first_end: int
    last_start: int


def _told(names: Sequence[_Name]) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    for name in names:
        if name.tier is not Tier.DISTINCT or name.first is None or name.last is None:
            continue
        for claim, _ in name.claimed:
            before = told.get(claim.id, _Told(name.first.end, name.last.start))
            told[claim.id] = _Told(
                min(before.first_end, name.first.end), max(before.last_start, name.last.start)
            )
    return told


def _met(name: _Name, told: Mapping[str, _Told]) -> Iterator[Met]:
    """Yield the name for each claim; an ordinary word needs a cue, or a distinct name beside it."""
    for claim, alias in name.claimed:
        place = name.best
        if name.tier is not Tier.DISTINCT:
            place = name.cued or _beside(name, told.get(claim.id))
        if place is not None:
            yield Met(claim, alias, place.start, place.end, place.fit)


def _beside(name: _Name, told: _Told | None) -> _Place | None:
    if told is None or name.first is None or name.last is None:
        return None
    if name.last.start >= told.first_end:
        return name.last
    return name.first if name.first.end <= told.last_start else None
