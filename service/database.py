"""The one place that opens the database and commits.

SQLite (WAL, synchronous FULL) on one host, PostgreSQL for several. A function that reads or
writes takes an open `Connection`; whoever owns the unit of work opens it here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

metadata = MetaData()
"""Tables of `service`. Domain packages have their own; `service/migrations` lists them all."""


class DatabaseUnavailable(Exception):
    """The database cannot be read or written now. Nothing was decided and nothing changed.

    Attributes:
        cause: `locked`, `read_only`, `full`, `unreachable` or `error`.
        remedy: what the operator can do.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"database {cause}: {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Durability:
    """What the database promises about an acknowledged commit, as it says itself."""

    backend: str
    settings: tuple[tuple[str, str], ...]

    @property
    def holds(self) -> bool:
        """Whether an acknowledged commit survives a power failure."""
        asked = dict(self.settings)
        if self.backend == "sqlite":
            # A journal in memory, or none, is lost with the process, whatever is synchronous.
            journal = asked.get("journal_mode") in {"wal", "delete", "truncate", "persist"}
            return journal and asked.get("synchronous") in {"2", "3"}
        return asked.get("fsync") == "on" and asked.get("synchronous_commit") in {
            "on",
            "remote_apply",
            "remote_write",
        }


class Database:
    """Opens connections and commits.

    Args:
        url: `sqlite:////abs/path.sqlite3` or `postgresql+psycopg://…`.
        busy_timeout_s: how long a writer waits for another before `locked`.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 10.0) -> None:
        self.engine = _engine(url, busy_timeout_s)

    @property
    def backend(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection that may write; commit at the end, roll back on any exception.

        On SQLite it holds the write lock from the start, so that a read inside cannot go stale.

        Raises:
            DatabaseUnavailable: locked, read-only, full or gone; nothing was written.
        """
        with self._mapped(), self.engine.connect() as conn:
            if self.backend == "sqlite":
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            yield conn
            conn.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection whose reads all see one moment; nothing it writes is kept.

        Raises:
            DatabaseUnavailable: locked or gone.
        """
        with self._mapped(), self.engine.connect() as conn:
            if self.backend == "sqlite":
                conn.exec_driver_sql("BEGIN")
            else:
                conn.execution_options(isolation_level="REPEATABLE READ")
            yield conn
            conn.rollback()

    def durability(self, conn: Connection) -> Durability:
        """Ask `conn` itself what it promises."""
        if self.backend == "sqlite":
            names = ("journal_mode", "synchronous")
            return Durability(
                "sqlite",
                tuple(
                    (name, str(conn.exec_driver_sql(f"PRAGMA {name}").scalar())) for name in names
                ),
            )
        names = ("fsync", "synchronous_commit")
        return Durability(
            "postgresql",
            tuple((name, str(conn.execute(text(f"SHOW {name}")).scalar())) for name in names),
        )

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        # The chain is cut: a driver's message may quote the values of a row.
        try:
            yield
        except DBAPIError as broken:
            raise _unavailable(broken) from None
        except SQLAlchemyError as broken:
            raise DatabaseUnavailable("error", type(broken).__name__) from None


def _engine(url: str, busy_timeout_s: float) -> Engine:
    # Values never reach an exception's text.
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=20,
            isolation_level="READ COMMITTED",
            hide_parameters=True,
        )
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _durable(raw: Any, _record: Any) -> None:  # noqa: ANN401 - sqlite3's connection, SQLAlchemy's record
        # pysqlite's own BEGIN is switched off so that ours decides what a transaction is.
        raw.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # NORMAL loses the last commits on power failure, and with them acknowledged entries.
            "synchronous=FULL",
            "foreign_keys=ON",
            # What was erased is overwritten, not only unlinked.
            "secure_delete=ON",
            f"busy_timeout={int(busy_timeout_s * 1000)}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    return engine


_CAUSES = (
    (
        r"locked|busy|deadlock|lock timeout",
        "locked",
        "another process writes; try again, or stop it",
    ),
    (r"readonly|read-only", "read_only", "give the service's user the right to write the database"),
    (r"full|no space", "full", "free space on the database's disk"),
    (
        r"unable to open|connection|refused|terminat|no such file|closed",
        "unreachable",
        "check IMPRIMATUR_DATABASE_URL and that the database runs",
    ),
)


def _unavailable(broken: DBAPIError) -> DatabaseUnavailable:
    said = str(broken.orig).lower()
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, said):
            return DatabaseUnavailable(cause, remedy)
    state = getattr(broken.orig, "sqlstate", None) or ""
    return DatabaseUnavailable("error", f"{type(broken.orig).__name__} {state}".strip())
