"""People, projects and API keys: who is asking, and in which roles.

A key reads `impr_live_<id>_<43 characters>`: the prefix lets secret scanners find a leaked one,
the last part is 256 random bits. Only its SHA-256 is stored; a slow hash protects passwords that
people choose, and gains nothing here. A person is an actor; an actor may own several keys.
"""

from service.accounts.api_keys import (
    PREFIX,
    authenticate,
    authenticate_all,
    create_key,
    key,
    keys_of,
    note_use,
    revoke,
    rotate,
)
from service.accounts.people import actor, create_actor, create_project, disable_actor, project
from service.accounts.principal import (
    USED_WITHIN,
    AccountError,
    Actor,
    Issued,
    Key,
    NewKey,
    NoSuchAccount,
    NotAuthenticated,
    Principal,
    Project,
    Role,
)

__all__ = [
    "PREFIX",
    "USED_WITHIN",
    "AccountError",
    "Actor",
    "Issued",
    "Key",
    "NewKey",
    "NoSuchAccount",
    "NotAuthenticated",
    "Principal",
    "Project",
    "Role",
    "actor",
    "authenticate",
    "authenticate_all",
    "create_actor",
    "create_key",
    "create_project",
    "disable_actor",
    "key",
    "keys_of",
    "note_use",
    "project",
    "revoke",
    "rotate",
]
