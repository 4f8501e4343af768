"""Who agreed to what: pure values, no input or output."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from likeness.faces import LikenessError

EVERYONE = "*"
"""Stands for every actor in `Grant.to`; no actor can have this id."""
LONGEST_GRANT = timedelta(days=366)
HANDLE = re.compile(r"[a-z][a-z0-9_]{2,29}")


class GrantNotPossible(LikenessError):
    """A grant that would never end, never begin or permit nothing."""


class HandleNotPossible(LikenessError):
    """A handle of another form than a lower-case letter and 2 to 29 letters, digits or `_`."""


class Use(StrEnum):
    """What of a person may be depicted."""

    FACE = "face"
    VOICE = "voice"


class State(StrEnum):
    """Whether a likeness can be used at all. Revoked is final."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A person as enrolled.

    Attributes:
        id: `lik_…`.
        handle: what others write after `@`; `HANDLE`.
        owner: the actor who is this person, and who alone may grant and revoke.
        depth: how many photographs it was enrolled from; one is accepted and weak.
    """

    id: str
    handle: str
    owner: str
    state: State
    created_at: datetime
    depth: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission to depict a likeness.

    Attributes:
        id: `grt_…`.
        likeness: id of the likeness.
        to: id of an actor, or `EVERYONE`.
        from_at, until_at: permitted from the first moment to just before the last.
        revoked_at: from when it no longer holds, whatever `until_at` says.
    """

    id: str
    likeness: str
    to: str
    uses: frozenset[Use]
    from_at: datetime
    until_at: datetime
    revoked_at: datetime | None = None


def permits(grant: Grant, actor: str, use: Use, now: datetime) -> bool:
    """Return whether `grant` lets `actor` make this use of the likeness at `now`.

    The state of the likeness is not known here; whoever asks checks it as well.
    """
    if not actor or actor == EVERYONE or grant.to not in {actor, EVERYONE}:
        return False
    if grant.revoked_at is not None:
        return False
    return use in grant.uses and grant.from_at <= now < grant.until_at


def checked_grant(grant: Grant) -> Grant:
    """Return `grant` if it permits something, to somebody, for at most `LONGEST_GRANT`.

    Raises:
        GrantNotPossible: it does not; the message says why.
    """
    if not grant.to:
        raise GrantNotPossible("it names nobody; name an actor, or EVERYONE")
    if not grant.uses:
        raise GrantNotPossible("it permits no use; name at least one")
    if grant.from_at.utcoffset() is None or grant.until_at.utcoffset() is None:
        raise GrantNotPossible("its times have no time zone; give them in UTC")
    if not grant.from_at < grant.until_at:
        raise GrantNotPossible("it ends before it begins")
    if grant.until_at - grant.from_at > LONGEST_GRANT:
        raise GrantNotPossible(f"it lasts longer than {LONGEST_GRANT.days} days; renew it instead")
    return grant


def checked_handle(handle: str) -> str:
    """Return `handle` if it has the form of one.

    Raises:
        HandleNotPossible: it has not.
    """
    if not HANDLE.fullmatch(handle):
        raise HandleNotPossible(
            "use 3 to 30 of a-z, 0-9 and _, beginning with a letter, without the @"
        )
    return handle
