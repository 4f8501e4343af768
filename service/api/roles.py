"""Which role opens which route. A route that is not in the table opens for nobody."""

from service.accounts import Principal, Role
from service.api.errors import Forbidden

_ANYONE = frozenset(Role)
_CREATOR = frozenset({Role.CREATOR})
_MODERATOR = frozenset({Role.MODERATOR})
_LIKENESS = frozenset({Role.LIKENESS_OWNER})
_RIGHTS = frozenset({Role.RIGHTS_HOLDER})

ROLES: dict[str, frozenset[Role]] = {
    "create_decision": _CREATOR,
    "list_decisions": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "get_decision": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "create_video": _CREATOR,
    "list_videos": _CREATOR,
    "get_video": _CREATOR,
    "delete_video": _CREATOR,
    "get_content": frozenset({Role.CREATOR, Role.MODERATOR}),
    "create_moderation": _CREATOR,
    "list_models": _ANYONE,
    "get_model": _ANYONE,
    "list_entries": frozenset({Role.AUDITOR}),
    "get_entry": frozenset({Role.AUDITOR}),
    # Everybody holds receipts, and may ask for the proof of what happened in their own project.
    "get_checkpoint": _ANYONE,
    "get_proof": _ANYONE,
    "create_likeness": _LIKENESS,
    "list_likenesses": _LIKENESS,
    "revoke_likeness": _LIKENESS,
    "list_uses": _LIKENESS,
    "create_grant": _LIKENESS,
    "list_grants": _LIKENESS,
    "revoke_grant": _LIKENESS,
    "create_claim": _RIGHTS,
    "preview_claim": _RIGHTS,
    "list_claims": _RIGHTS,
    "withdraw_claim": _RIGHTS,
    "list_reviews": _MODERATOR,
    "get_review": _MODERATOR,
    "clear_review": _MODERATOR,
    "refuse_review": _MODERATOR,
    "get_metrics": frozenset({Role.OPERATOR}),
}


def require(route: str, principal: Principal) -> None:
    """Return if one of the principal's roles opens `route`.

    Raises:
        Forbidden: none does; the message names those that would.
    """
    allowed = ROLES.get(route, frozenset[Role]())
    if not allowed & principal.roles:
        wanted = " or ".join(sorted(role.value for role in allowed)) or "no role at all"
        raise Forbidden(f"This needs a key with the role {wanted}; ask your operator for one.")
