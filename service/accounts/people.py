"""Actors and the projects that they work in."""

from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, insert, select, update

from service.accounts.principal import Actor, NoSuchAccount, Project
from service.database import metadata
from service.ids import new_id
from service.jobs import Instant

actor_table = Table(
    "actor",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("display", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)
project_table = Table(
    "project",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("plan", String(40), nullable=False, server_default=""),
)


def create_actor(conn: Connection, display: str, now: datetime) -> Actor:
    """Return a new actor."""
    actor = Actor(new_id("act", now), display, now, None)
    conn.execute(
        insert(actor_table).values(id=actor.id, display=display, created_at=now, disabled_at=None)
    )
    return actor


def create_project(conn: Connection, name: str, now: datetime) -> Project:
    """Return a new project."""
    project = Project(new_id("proj", now), name, now)
    conn.execute(insert(project_table).values(id=project.id, name=name, created_at=now))
    return project


def project(conn: Connection, project_id: str) -> Project:
    """Return the project.

    Raises:
        NoSuchAccount: there is none.
    """
    row = conn.execute(select(project_table).where(project_table.c.id == project_id)).first()
    if row is None:
        raise NoSuchAccount(project_id)
    return Project(*row)


def plan(conn: Connection, project_id: str) -> str:
    """Return the project's plan; nothing where it has none, or is not known."""
    query = select(project_table.c.plan).where(project_table.c.id == project_id)
    return str(conn.execute(query).scalar() or "")


def set_plan(conn: Connection, project_id: str, plan: str) -> None:
    """Put the project on a plan; the policy book tells every process (`Changes.set_plan`).

    Raises:
        NoSuchAccount: there is no such project.
    """
    project(conn, project_id)
    conn.execute(update(project_table).where(project_table.c.id == project_id).values(plan=plan))


def actor(conn: Connection, actor_id: str) -> Actor:
    """Return the actor.

    Raises:
        NoSuchAccount: there is none.
    """
    row = conn.execute(select(actor_table).where(actor_table.c.id == actor_id)).first()
    if row is None:
        raise NoSuchAccount(actor_id)
    return Actor(*row)


def disable_actor(conn: Connection, actor_id: str, now: datetime) -> None:
    """Shut the actor out, with every key, from the next request on.

    Raises:
        NoSuchAccount: there is none.
    """
    actor(conn, actor_id)
    conn.execute(
        update(actor_table)
        .where(actor_table.c.id == actor_id, actor_table.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )
