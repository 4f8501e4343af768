"""Whether the list of erasures outside the database, and the database, agree."""

from sqlalchemy import inspect

from service.database import Database
from service.doctor.said import START, Level, Said
from service.records import erasures
from service.records.erasures import State
from service.records.ledger import Ledger
from service.settings import Settings


def erased(settings: Settings) -> Said:
    """Return whether everybody who was erased still is."""
    ledger = Ledger(settings.home)
    if not settings.database_url and not (settings.home / "imprimatur.sqlite3").exists():
        return Said(Level.WARN, "no database yet", START)
    listed = [line.erasure for line in ledger.lines()]
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        with database.reading() as conn:
            if not inspect(conn).has_table(erasures.erasure.name):
                return Said(Level.WARN, "the database is of an earlier version", START)
            stands = {one: erasures.known(conn, one) for one in listed}
            waiting = erasures.undone(conn)
            done = erasures.count_done(conn)
    finally:
        database.close()
    unknown = sum(found is None for found in stands.values())
    if unknown:
        said = f"{unknown} of {len(listed)} erasures are not done in this database: a backup?"
        return Said(Level.FAIL, said, START)
    if done > len(listed):
        said = f"the database has {done} erasures, {ledger.path} has {len(listed)}"
        return Said(Level.FAIL, said, f"put the newest {ledger.path.name} back")
    if any(one.state is State.REQUESTED for one in waiting):
        return Said(Level.WARN, "an erasure was interrupted", START)
    held = f", {len(waiting)} wait for a legal hold" if waiting else ""
    return Said(Level.OK, f"{done} done{held}")
