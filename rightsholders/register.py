"""The register of claims: filed, put in force, withdrawn, and met in a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rightsholders import store
from rightsholders.claims import (
    Action,
    Alias,
    Claim,
    ClaimState,
    Draft,
    RightsError,
    Tier,
    applies,
    checked_draft,
    moved,
)
from rightsholders.names import NameIndex, Proposal
from rightsholders.tiers import GRAMMAR, AliasRefused, Judged, Tiers, has_cue
from rightsholders.tokens import Tokens, tokens, words_of
from rightsholders.words import Words

# Across another split than the registered one: "he rb" is no Herb, "r 2 d 2" is R2D2.
SHORTEST_RESPLIT = 4
# "thor a" is no Thora, but "t h o r a" is.
SPELT_OUT_FROM = 3


class NoSuchClaim(RightsError):
    """No claim has this id."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What filing an alias would do, for the holder to see before saving.

    Attributes:
        collisions: ids of live claims that have the same key.
    """

    alias: Judged
    collisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A claim met in a text.

    Attributes:
        claim, alias: ids.
        start, end: characters of the text as handed in, end exclusive.
        action: the claim's, or `HOLD` where the alias is an ordinary word in a telling place.
        index: checkpoint of the claims that were asked, such as `claims:18231`.
    """

    claim: str
    alias: str
    start: int
    end: int
    action: Action
    index: str


@dataclass(frozen=True, slots=True)
class _Met:
    """A proposal that the database and the rules of splitting confirm."""

    claim: Claim
    alias: Alias
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Extent:
    """Where, in words, the first of some names ends and the last begins."""

    first_end: int
    last_begin: int


class Claims:
    """Files claims and finds them in text. Thread-safe; never commits."""

    def __init__(self, tiers: Tiers, words: Words, *, names: NameIndex | None = None) -> None:
        self._tiers = tiers
        self._words = words
        self._names = names or NameIndex()

    def preview(self, conn: Connection, aliases: Sequence[str]) -> list[Preview]:
        """Return for each alias its tier, why, and which live claims have it already."""
        judged = [self._tiers.judged(alias) for alias in aliases]
        taken = store.live_claims_with_keys(conn, (one.key for one in judged))
        return [Preview(one, tuple(sorted(taken.get(one.key, ())))) for one in judged]

    def file(self, conn: Connection, draft: Draft, *, now: datetime) -> Claim:
        """Store a claim, which matches nothing until it is activated.

        Raises:
            ClaimNotPossible: a field is missing or wrong.
            AliasRefused: aliases that would meet everybody's prompts; all are named.
        """
        checked_draft(draft)
        judged = {one.key: one for one in map(self._tiers.judged, draft.aliases)}
        if refused := [one for one in judged.values() if one.tier is Tier.REFUSED]:
            raise AliasRefused(refused)
        claim = Claim(
            id=store.new_id("clm"),
            holder=draft.holder,
            work=draft.work,
            kind=draft.kind,
            action=draft.action,
            basis=draft.basis,
            territories=draft.territories,
            state=ClaimState.FILED,
            valid_from_at=draft.valid_from_at,
            valid_until_at=draft.valid_until_at,
            aliases=tuple(
                Alias(store.new_id("als"), one.text, one.key, one.tier) for one in judged.values()
            ),
        )
        store.wait_for_writers(conn)
        store.add_claim(conn, claim, now)
        store.record_change(conn, claim.id)
        return claim

    def activate(self, conn: Connection, claim_id: str, *, now: datetime) -> Claim:
        """Put a filed claim in force; every call after the caller commits heeds it.

        Raises:
            NoSuchClaim, StepNotPossible.
        """
        return self._move(conn, claim_id, ClaimState.IN_FORCE, now)

    def withdraw(self, conn: Connection, claim_id: str, *, now: datetime) -> Claim:
        """Take a claim back for good; no call after the caller commits heeds it.

        Raises:
            NoSuchClaim, StepNotPossible.
        """
        return self._move(conn, claim_id, ClaimState.WITHDRAWN, now)

    def expire(self, conn: Connection, *, now: datetime) -> list[str]:
        """Mark the claims whose time is over, and return them; they match nothing unmarked, too."""
        ended = store.ended_before(conn, now)
        for claim_id in ended:
            self._move(conn, claim_id, ClaimState.EXPIRED, now)
        return ended

    def claim(self, conn: Connection, claim_id: str) -> Claim:
        """Return a claim in any state.

        Raises:
            NoSuchClaim: unknown.
        """
        found = store.claims_by_id(conn, [claim_id])
        if claim_id not in found:
            raise NoSuchClaim(f"there is no claim {claim_id}")
        return found[claim_id]

    def checkpoint(self, conn: Connection) -> str:
        """Return where the claims are as `conn` sees them, such as `claims:18231`."""
        newest = store.last_change(conn)
        return f"claims:{0 if newest is None else newest.seq}"

    def match(self, conn: Connection, text: str, *, territory: str, now: datetime) -> list[Match]:
        """Return every claim in force met in `text`, longest first.

        Args:
            text: already normalised; the places in a match are places in it.
            territory: ISO 3166-1 alpha-2, or empty where unknown: then every claim counts.

        Raises:
            IndexUnusable: the index cannot be brought to where `conn` is.
        """
        words = tokens(text)
        proposals, checkpoint = self._names.search(conn, words)
        owned = store.aliases_by_number(
            conn, (number for proposal in proposals for number in proposal.numbers)
        )
        claims = store.claims_by_id(conn, (one.claim for one in owned.values()))
        live = {claim.id: claim for claim in claims.values() if applies(claim, territory, now)}
        met = self._confirmed(words, proposals, owned, live)
        names = _extents(met)
        return [
            Match(
                one.claim.id,
                one.alias.id,
                words.words[one.first].start,
                words.words[one.last].end,
                one.claim.action if one.alias.tier is Tier.DISTINCT else Action.HOLD,
                checkpoint,
            )
            for one in met
            if one.alias.tier is Tier.DISTINCT or _in_context(words, one, names.get(one.claim.id))
        ]

    def _move(self, conn: Connection, claim_id: str, state: ClaimState, now: datetime) -> Claim:
        store.wait_for_writers(conn)
        claim = moved(self.claim(conn, claim_id), state)
        store.set_state(conn, claim_id, state, now)
        store.record_change(conn, claim_id)
        return claim

    def _confirmed(
        self,
        words: Tokens,
        proposals: Sequence[Proposal],
        owned: Mapping[int, store.OwnedAlias],
        live: Mapping[str, Claim],
    ) -> list[_Met]:
        return [
            _Met(live[one.claim], one.alias, proposal.first, proposal.last)
            for proposal in proposals
            for one in (owned[number] for number in proposal.numbers if number in owned)
            if one.claim in live and self._split_fits(words, proposal, one.alias)
        ]

    def _split_fits(self, words: Tokens, proposal: Proposal, alias: Alias) -> bool:
        """Whether the words of the text are those of the alias, or plainly its pieces.

        "her a" is no Hera and "else a" no Elsa, since "her" and "else" are words; "pika chu" is
        Pikachu. An ending is taken off only where the whole is not a word: "mars" is no "mar".
        """
        pieces = [word.text for word in words.words[proposal.first : proposal.last + 1]]
        ending = len("".join(pieces)) - len(proposal.letters)
        if ending:
            if pieces[-1] in self._words and len(pieces) == 1 and alias.tier is Tier.DISTINCT:
                return False
            pieces[-1] = pieces[-1][:-ending]
        if pieces == list(words_of(alias.key)):
            return True
        if len(proposal.letters) < SHORTEST_RESPLIT:
            return False
        spelt_out = sum(len(piece) == 1 for piece in pieces) >= SPELT_OUT_FROM
        return all(
            (spelt_out or piece not in GRAMMAR) if len(piece) == 1 else piece not in self._words
            for piece in pieces
        )


def _extents(met: Sequence[_Met]) -> dict[str, _Extent]:
    """Return for each claim where the first of its distinct names ends and the last begins."""
    extents: dict[str, _Extent] = {}
    for one in met:
        if one.alias.tier is Tier.DISTINCT:
            before = extents.get(one.claim.id, _Extent(one.last, one.first))
            extents[one.claim.id] = _Extent(
                min(before.first_end, one.last), max(before.last_begin, one.first)
            )
    return extents


def _in_context(words: Tokens, one: _Met, names: _Extent | None) -> bool:
    """Whether an ordinary word stands for the work: a cue beside it, or a distinct name of it."""
    if has_cue(words, one.first, one.last):
        return True
    return names is not None and (names.first_end < one.first or names.last_begin > one.last)
