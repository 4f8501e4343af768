"""Brings a database to the tables that this version expects. Forward only."""

from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

from service.database import Database

HERE = Path(__file__).parent
HEAD = "0007"
"""The last migration; a test holds it against the folder."""
# Any number of our own: processes that start together take turns.
_LOCK = 7_270_915_301


class DatabaseTooNew(Exception):
    """A later version has migrated this database; install that version again."""


def bring_up_to_date(database: Database) -> None:
    """Create or change what is missing; nothing, and fast, where nothing is.

    Raises:
        DatabaseTooNew: this version does not know the database's.
        DatabaseUnavailable: it cannot be written.
    """
    with database.reading() as conn:
        if _version(conn) == HEAD:
            return
    # Alembic costs a third of a second to import, so only now.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(HERE))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.transaction() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _version(conn)
        if found is not None and found not in known:
            raise DatabaseTooNew(f"the database is at {found}, this version ends at {HEAD}")
        config.attributes["connection"] = conn
        command.upgrade(config, HEAD)


def all_tables() -> tuple[MetaData, ...]:
    """Return the tables of every room, for comparing them with the migrations."""
    import importlib

    from likeness.store import metadata as of_likeness
    from rightsholders.store import metadata as of_rights
    from service.database import metadata as of_service

    for module in (
        "accounts",
        "appeals",
        "audit.cosigned",
        "audit.pruning",
        "audit.retired",
        "audit.store",
        "audit.search.index",
        "jobs",
        "notices",
        "policy_book.overrides",
        "records.erasures",
        "records.holds",
        "reviews",
        "subjects",
    ):
        importlib.import_module(f"service.{module}")
    return (of_service, of_likeness, of_rights)


def _version(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
