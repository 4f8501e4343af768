"""Which role opens which route. A route that is not in the table opens for nobody."""

from service.accounts import Principal, Role
from service.api.errors import Forbidden

_ANYONE = frozenset(Role)
_CREATOR = frozenset({Role.CREATOR})
_MODERATOR = frozenset({Role.MODERATOR})
_LIKENESS = frozenset({Role.LIKENESS_OWNER})
_RIGHTS = frozenset({Role.RIGHTS_HOLDER})
_BOOK = frozenset({Role.POLICY_AUTHOR, Role.POLICY_APPROVER})
_READS_BOOK = _BOOK | {Role.AUDITOR, Role.OPERATOR}
_OPERATOR = frozenset({Role.OPERATOR, Role.ADMIN})

ROLES: dict[str, frozenset[Role]] = {
    "create_decision": _CREATOR,
    "create_decisions": _CREATOR,
    "list_decisions": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "get_decision": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "explain_decision": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "get_decision_proof": frozenset({Role.CREATOR, Role.MODERATOR, Role.AUDITOR}),
    "create_policy": frozenset({Role.POLICY_AUTHOR}),
    "list_policies": _READS_BOOK,
    "get_policy": _READS_BOOK,
    "diff_policy": _READS_BOOK,
    "create_backtest": _BOOK | {Role.OPERATOR},
    # Whoever promotes it: to decide, it needs the approval of somebody who did not write it.
    "promote_policy": _BOOK,
    "retire_policy": _BOOK,
    "approve_policy": frozenset({Role.POLICY_APPROVER}),
    "rollback_policy": frozenset({Role.POLICY_APPROVER, Role.OPERATOR}),
    "judge_for_litellm": _CREATOR,
    "evaluate": _CREATOR,
    "evaluate_several": _CREATOR,
    "create_video": _CREATOR,
    "list_videos": _CREATOR,
    "get_video": _CREATOR,
    "delete_video": _CREATOR,
    "get_content": frozenset({Role.CREATOR, Role.MODERATOR}),
    "create_moderation": _CREATOR,
    "list_models": _ANYONE,
    "get_model": _ANYONE,
    "list_entries": _OPERATOR | {Role.AUDITOR},
    "get_entry": frozenset({Role.AUDITOR}),
    "get_story": _OPERATOR | {Role.AUDITOR},
    "export_entries": _OPERATOR | {Role.AUDITOR},
    # Everybody holds receipts, and may ask for the proof of what happened in their own project.
    "get_checkpoint": _ANYONE,
    "get_proof": _ANYONE,
    "get_consistency": _ANYONE,
    # A bundle holds the entries of every project.
    "get_log_entries": frozenset({Role.OPERATOR}),
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
    "create_appeal": _CREATOR,
    "list_appeals": _CREATOR | _MODERATOR,
    "get_appeal": _CREATOR | _MODERATOR,
    "uphold_appeal": _MODERATOR,
    "dismiss_appeal": _MODERATOR,
    # Whom a person may have erased, and what they may read of it, the records say themselves.
    "create_erasure": _ANYONE,
    "list_erasures": _ANYONE,
    "get_erasure": _ANYONE,
    "create_disclosure": _ANYONE,
    "create_hold": _OPERATOR,
    "list_holds": _OPERATOR,
    "get_hold": _OPERATOR,
    "confirm_hold": _OPERATOR,
    "release_hold": _OPERATOR,
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
