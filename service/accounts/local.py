"""Who acts where nobody shows a key: the operator at this machine, made on first use."""

from datetime import datetime

from sqlalchemy import Connection, select

from service.accounts.people import (
    actor,
    actor_table,
    create_actor,
    create_project,
    project_table,
)
from service.database import Database
from service.request import Requester

LOCAL = "local operator"
"""Display name of the account, and name of the project, that a program here makes for itself."""


def requester(database: Database, chosen: str, now: datetime) -> Requester:
    """Return who acts, in the local project: the actor `chosen`, or the local operator.

    Raises:
        NoSuchAccount: nobody has this id.
    """
    with database.reading() as conn:
        if chosen:
            actor(conn, chosen)
        found = _found(conn)
    if found is None:
        with database.transaction() as conn:
            found = _found(conn) or _made(conn, now)
    return Requester(chosen or found.actor, found.project)


def _found(conn: Connection) -> Requester | None:
    who, where = (
        conn.execute(
            select(table.c.id).where(column == LOCAL).order_by(table.c.id).limit(1)
        ).scalar()
        for table, column in (
            (actor_table, actor_table.c.display),
            (project_table, project_table.c.name),
        )
    )
    return Requester(who, where) if who and where else None


def _made(conn: Connection, now: datetime) -> Requester:
    return Requester(create_actor(conn, LOCAL, now).id, create_project(conn, LOCAL, now).id)
