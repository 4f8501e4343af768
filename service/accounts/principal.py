"""The words of an account: roles, actors, projects, keys, and who is asking."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

USED_WITHIN = timedelta(hours=1)
"""How exactly the last use of a key is known; finer would be a write for every request."""


class Role(StrEnum):
    """What the holder of a key may do; several may come together."""

    CREATOR = "creator"
    LIKENESS_OWNER = "likeness_owner"
    RIGHTS_HOLDER = "rights_holder"
    MODERATOR = "moderator"
    AUDITOR = "auditor"
    POLICY_AUTHOR = "policy_author"
    POLICY_APPROVER = "policy_approver"
    OPERATOR = "operator"
    ADMIN = "admin"


class AccountError(Exception):
    """Base of everything `service.accounts` raises."""


class NotAuthenticated(AccountError):
    """The key is unknown, wrong, expired or revoked, or its owner is shut out: all the same."""

    def __init__(self) -> None:
        super().__init__("this key opens nothing")


class NoSuchAccount(AccountError):
    """There is no such actor, project or key, or not in this project."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"no {wanted}")
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a program, `act_…`. `display` is a name and stays out of every log."""

    id: str
    display: str = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Project:
    """What jobs, claims and grants are counted and shown by, `proj_…`.

    `plan` is a word of the operator's, which policies may tell cases apart by, or empty.
    """

    id: str
    name: str = field(repr=False)
    created_at: datetime
    plan: str = ""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made. `label` is the owner's word for it; `expires_at` None is never."""

    actor: str
    project: str
    roles: frozenset[Role]
    label: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret.

    Attributes:
        id: `key_…`; its last part stands in the key itself.
        last_used_at: exact to `USED_WITHIN`.
    """

    id: str
    actor: str
    project: str
    roles: frozenset[Role]
    label: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and, this once, its secret. Neither `repr` nor the database can show it again."""

    key: Key
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    actor: str
    project: str
    roles: frozenset[Role]
    key_id: str
