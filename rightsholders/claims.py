"""What a rights holder asked us not to make: pure values, no input or output."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

WORLDWIDE = frozenset({"*"})


class RightsError(Exception):
    """Base of everything this package raises."""


class ClaimNotPossible(RightsError):
    """A field of a claim is empty, too long or contradicts another; the message says which."""


class StepNotPossible(RightsError):
    """A claim cannot go from the state it is in to the one asked for."""


class Kind(StrEnum):
    """What is claimed."""

    CHARACTER = "character"
    TITLE = "title"
    MARK = "mark"
    LOGO = "logo"
    STYLE = "style"
    PERSON = "person"


class Action(StrEnum):
    """What a match leads to, the milder first."""

    HOLD = "hold"
    BLOCK = "block"


class Basis(StrEnum):
    """The right that is claimed."""

    COPYRIGHT = "copyright"
    TRADE_MARK = "trade_mark"
    CONTRACT = "contract"
    PUBLICITY = "publicity"


class ClaimState(StrEnum):
    """Filed claims match nothing; withdrawn and expired ones never match again."""

    FILED = "filed"
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Tier(StrEnum):
    """Whether an alias can stand for its work without help."""

    DISTINCT = "distinct"
    NEEDS_CONTEXT = "needs_context"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of the work.

    Attributes:
        id: `als_…`.
        text: as the holder gave it.
        key: its normalised words, one space between them.
        tier: `DISTINCT` or `NEEDS_CONTEXT`; a refused alias is never stored.
    """

    id: str
    text: str
    key: str
    tier: Tier


@dataclass(frozen=True, slots=True)
class Claim:
    """An opt-out.

    Attributes:
        id: `clm_…`.
        territories: ISO 3166-1 alpha-2 codes, or `WORLDWIDE`.
        valid_from_at, valid_until_at: in force from the first moment to just before the last;
            None for no end.
    """

    id: str
    holder: str
    work: str
    kind: Kind
    action: Action
    basis: Basis
    territories: frozenset[str]
    state: ClaimState
    valid_from_at: datetime
    valid_until_at: datetime | None
    aliases: tuple[Alias, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim as a holder fills it in; the fields are those of `Claim`."""

    holder: str
    work: str
    kind: Kind
    action: Action
    basis: Basis
    aliases: tuple[str, ...]
    valid_from_at: datetime
    valid_until_at: datetime | None = None
    territories: frozenset[str] = WORLDWIDE


_STEPS = {
    ClaimState.FILED: frozenset({ClaimState.IN_FORCE, ClaimState.WITHDRAWN, ClaimState.EXPIRED}),
    ClaimState.IN_FORCE: frozenset({ClaimState.WITHDRAWN, ClaimState.EXPIRED}),
    ClaimState.WITHDRAWN: frozenset[ClaimState](),
    ClaimState.EXPIRED: frozenset[ClaimState](),
}


def moved(claim: Claim, to: ClaimState) -> Claim:
    """Return `claim` in state `to`.

    Raises:
        StepNotPossible: there is no such step; what is over stays over, file it again.
    """
    if to not in _STEPS[claim.state]:
        raise StepNotPossible(f"{claim.id} is {claim.state.value}; it cannot become {to.value}")
    return replace(claim, state=to)


def applies(claim: Claim, territory: str, now: datetime) -> bool:
    """Return whether `claim` counts for a request from `territory` at `now`.

    A territory that is empty, or no code of a country, is an unknown one: every claim applies.
    """
    if claim.state is not ClaimState.IN_FORCE or now < claim.valid_from_at:
        return False
    if claim.valid_until_at is not None and now >= claim.valid_until_at:
        return False
    if claim.territories == WORLDWIDE or not _is_country(territory):
        return True
    return territory in claim.territories


def checked_draft(draft: Draft) -> Draft:
    """Return `draft` if it is complete.

    Raises:
        ClaimNotPossible: it is not; the message says what is missing.
    """
    if not draft.holder or not draft.work.strip():
        raise ClaimNotPossible("name the holder and the work")
    if not draft.aliases or not all(alias.strip() for alias in draft.aliases):
        raise ClaimNotPossible("give at least one alias, and none that is empty")
    if not draft.territories:
        raise ClaimNotPossible("name at least one territory, or all")
    wrong = [code for code in sorted(draft.territories - WORLDWIDE) if not _is_country(code)]
    if wrong:
        raise ClaimNotPossible(f"{wrong[0][:8]!r} is not an ISO 3166-1 code such as DE")
    if draft.territories > WORLDWIDE:
        raise ClaimNotPossible("name territories or all, not both")
    bounds = [at for at in (draft.valid_from_at, draft.valid_until_at) if at is not None]
    if any(at.utcoffset() is None for at in bounds):
        raise ClaimNotPossible("its times have no time zone; give them in UTC")
    if bounds != sorted(set(bounds)):
        raise ClaimNotPossible("it ends before it begins")
    return draft


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()
