"""The register of claims: filed, put in force, withdrawn, and met in a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

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
from rightsholders.disguises import undisguised
from rightsholders.matching import Fit, Met, Reading, met
from rightsholders.names import NameIndex
from rightsholders.tiers import AliasRefused, Judged, Tiers
from rightsholders.tokens import tokens
from rightsholders.words import Words


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
        action: the claim's, or `HOLD` where the alias is an ordinary word in a telling place, or
            its letters may have come together by accident.
        index: checkpoint of the claims that were asked, such as `claims:18231`.
    """

    claim: str
    alias: str
    start: int
    end: int
    action: Action
    index: str


@dataclass(frozen=True, slots=True)
class _Starts:
    """When the next claim begins, as it was at a change: asked for once, not with each text."""

    change: store.Change | None
    asked_at: datetime
    at: datetime | None

    @property
    def until_at(self) -> datetime:
        return self.at or datetime.max.replace(tzinfo=UTC)


class Claims:
    """Files claims and finds them in text. Thread-safe; never commits."""

    def __init__(self, tiers: Tiers, words: Words, *, names: NameIndex | None = None) -> None:
        self._tiers = tiers
        self._words = words
        self._names = names or NameIndex()
        self._starts: _Starts | None = None

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

    def next_start(self, conn: Connection, *, now: datetime) -> datetime | None:
        """Return when the next claim in force begins to count; None where none is waiting."""
        change = store.last_change(conn)
        known = self._starts
        if known is None or known.change != change or not known.asked_at <= now < known.until_at:
            known = self._starts = _Starts(change, now, store.next_start(conn, now))
        return known.at

    def match(self, conn: Connection, text: str, *, territory: str, now: datetime) -> list[Match]:
        """Return every claim in force met in `text`, longest first; each alias once.

        Args:
            text: already normalised; the places in a match are places in it.
            territory: ISO 3166-1 alpha-2, or empty where unknown: then every claim counts.

        Raises:
            IndexUnusable: the index cannot be brought to where `conn` is.
        """
        readings, checkpoints = [], []
        for words in (tokens(text), *undisguised(text)):
            proposals, checkpoint = self._names.search(conn, words)
            readings.append(Reading(words, proposals))
            checkpoints.append(checkpoint)
        owned = store.aliases_by_number(
            conn,
            {
                number
                for reading in readings
                for proposal in reading.proposals
                for number in proposal.numbers
            },
        )
        claims = store.claims_by_id(conn, (one.claim for one in owned.values()))
        live = {claim.id: claim for claim in claims.values() if applies(claim, territory, now)}
        return [
            Match(one.claim.id, one.alias.id, one.start, one.end, _action(one), checkpoints[0])
            for one in met(readings, owned, live, self._words)
        ]

    def _move(self, conn: Connection, claim_id: str, state: ClaimState, now: datetime) -> Claim:
        store.wait_for_writers(conn)
        claim = moved(self.claim(conn, claim_id), state)
        store.set_state(conn, claim_id, state, now)
        store.record_change(conn, claim_id)
        return claim


def _action(one: Met) -> Action:
    if one.alias.tier is Tier.DISTINCT and one.fit is Fit.CERTAIN:
        return one.claim.action
    return Action.HOLD
