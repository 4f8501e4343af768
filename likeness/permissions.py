"""Whom an actor may depict now, as the database says at this moment."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from likeness import records, store
from likeness.consent import EVERYONE, Use, permits
from likeness.recognition import Permissions


def permitted(conn: Connection, actor: str, use: Use, now: datetime) -> dict[str, str]:
    """Return the active likenesses `actor` may use, each with what permits it.

    That is the likeness's own id for its owner, who always may, and the id of a grant for others.
    """
    granted = {
        grant.likeness: grant.id
        for grant in records.grants_to(conn, (actor, EVERYONE))
        if permits(grant, actor, use, now)
    }
    own = {likeness.id: likeness.id for likeness in store.active_owned(conn, actor)}
    return granted | own


def of_request(
    conn: Connection, actor: str, handles: Collection[str], now: datetime
) -> Permissions:
    """Return whose faces an upload may show: whom `handles` name, or without any all permitted."""
    allowed = permitted(conn, actor, Use.FACE, now)
    named = allowed
    if handles:
        meant = {likeness.id for likeness in store.active_by_handle(conn, handles).values()}
        named = {likeness: by for likeness, by in allowed.items() if likeness in meant}
    return Permissions(named, frozenset(allowed) - frozenset(named))


def of_job(conn: Connection, actor: str, allowed: Collection[str], now: datetime) -> Permissions:
    """Return whose faces a film may show: those of `allowed` who are permitted still."""
    still = permitted(conn, actor, Use.FACE, now)
    return Permissions({likeness: by for likeness, by in still.items() if likeness in set(allowed)})


def lost(
    conn: Connection, permissions: Sequence[str], actor: str, use: Use, now: datetime
) -> tuple[str, ...]:
    """Return those of `permissions` that no longer hold, unknown ones included, in order."""
    grants = records.grants_by_id(conn, permissions)
    wanted = {grant.likeness for grant in grants.values()} | set(permissions)
    active = store.active_by_id(conn, wanted)

    def holds(permission: str) -> bool:
        if permission in grants:
            grant = grants[permission]
            return grant.likeness in active and permits(grant, actor, use, now)
        return permission in active and bool(actor) and active[permission].owner == actor

    return tuple(permission for permission in permissions if not holds(permission))
