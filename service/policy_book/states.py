"""The words of the policy book: what becomes of a document, who may do it, and what goes wrong."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.decision import PolicyRef

SHARES = 10_000
"""A canary's share is counted in hundredths of a percent."""


class State(StrEnum):
    """Where a document stands. Exactly one is live, and at most one is the canary."""

    DRAFT = "draft"
    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    RETIRED = "retired"


class Act(StrEnum):
    """What somebody did with a document; `policy.<act>` in the log."""

    DRAFTED = "drafted"
    SHADOWED = "shadowed"
    CANARY = "canary"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"
    ROLLED_BACK = "rolled_back"


class Origin(StrEnum):
    """Where a document came from."""

    AUTHOR = "author"
    PACKAGED = "packaged"
    SETTINGS = "settings"


class Approval(StrEnum):
    """Who may approve a document.

    `UNSAFE_SELF` is `UnsafeSelfApproval`, for development: its author may. Production refuses it,
    and does not count what was approved that way.
    """

    TWO_PEOPLE = "two_people"
    UNSAFE_SELF = "unsafe_self_approval"


class Why(StrEnum):
    """Why somebody rolled back; a word, so that it may stand in the log."""

    UNSTATED = "unstated"
    FALSE_REFUSALS = "false_refusals"
    MISSED_HARM = "missed_harm"
    MISTAKE = "mistake"
    OUTAGE = "outage"


TARGETS = (State.SHADOW, State.CANARY, State.LIVE)
"""What a document can be promoted to."""

_MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SHADOW, State.CANARY, State.LIVE, State.RETIRED}),
    State.SHADOW: frozenset({State.CANARY, State.LIVE, State.RETIRED}),
    # A canary becomes another share of itself, or steps back.
    State.CANARY: frozenset({State.SHADOW, State.CANARY, State.LIVE, State.RETIRED}),
    # Only another document takes its place: there is never none.
    State.LIVE: frozenset(),
    State.RETIRED: frozenset({State.SHADOW, State.CANARY, State.LIVE}),
}
NEEDS_APPROVAL = frozenset({State.CANARY, State.LIVE})


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document.

    Attributes:
        number: 1, 2, 3 … in the order in which they were drafted.
        share: of a canary, in hundredths of a percent; else 0.
        author: the actor, or empty where no person sent it.
        replaced: the document that was live before this one last became so, or empty.
        text: YAML, as it was sent.
    """

    number: int
    ref: PolicyRef
    state: State
    share: int
    author: str
    origin: Origin
    drafted_at: datetime
    changed_at: datetime
    replaced: str
    text: bytes = field(repr=False)

    @property
    def percent(self) -> float:
        """The canary's share in percent; 0 for any other."""
        return self.share / 100

    @property
    def is_whole(self) -> bool:
        """Whether the text is the one that the document is named by."""
        return sha256_of(self.text) == self.ref.sha256


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did with a document, and when."""

    act: Act
    actor: str
    at: datetime
    share: int


class BookError(Exception):
    """Base of everything the policy book raises."""


class BookBroken(BookError):
    """No policy can be said to be live, so nothing can be decided."""


class NoSuchDocument(BookError):
    """The book has no such document."""


class MoveNotPossible(BookError):
    """The document stands where this cannot be done with it; the message says what can."""


class NotApproved(BookError):
    """Nobody but its author has approved the document."""


class DocumentNotWhole(BookError):
    """The document was changed where it lies, or this version of the service cannot load it."""


class OwnDocument(BookError):
    """The author may not approve their own document."""


class Overtaken(BookError):
    """Somebody else changed the book in the meantime; look again."""


class NothingBefore(BookError):
    """No other document was live before this one."""


class ShareNotPossible(BookError):
    """A canary's share is missing, out of range, or given where there is none."""


class PlanNotPossible(BookError):
    """A plan is a word of lower-case letters, digits, `-` and `_`."""


def sha256_of(text: bytes) -> str:
    """Return the name of a document, hex."""
    return hashlib.sha256(text).hexdigest()


def require_move(document: Document, to: State) -> None:
    """Return if `document` may go to `to`.

    Raises:
        MoveNotPossible: it may not.
    """
    if to in _MOVES[document.state]:
        return
    if document.state is State.LIVE:
        raise MoveNotPossible(
            f"{short(document.ref)} is live: promote another in its place, or roll back"
        )
    raise MoveNotPossible(f"{short(document.ref)} is {document.state} and cannot become {to}")


def share_of(to: State, percent: float | None) -> int:
    """Return the share that `percent` is, 0 for what is no canary.

    Raises:
        ShareNotPossible: a canary without one, or not 0.01 to 100 in steps of 0.01.
    """
    if to is not State.CANARY:
        if percent is not None:
            raise ShareNotPossible(f"only a canary has a percent, and this is for {to}")
        return 0
    if percent is None:
        raise ShareNotPossible("a canary needs a percent, such as 5")
    if not 0.01 <= percent <= 100 or abs(round(percent * 100) - percent * 100) > 1e-6:
        raise ShareNotPossible("percent is from 0.01 to 100, with at most two decimals")
    return round(percent * 100)


def in_share(sha256: str, share: int, project: str, actor: str) -> bool:
    """Return whether this actor is judged by the canary: always the same for the same document."""
    seed = hashlib.sha256(f"{sha256}\n{project}\n{actor}".encode()).digest()
    return int.from_bytes(seed, "big") % SHARES < share


def short(ref: PolicyRef) -> str:
    """Return a document's name as people read it."""
    return f"{ref.id} {ref.version} ({ref.sha256[:12]})"
