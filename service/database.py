"""The one place that opens the database and commits.

SQLite (WAL, synchronous FULL) on one host, PostgreSQL for several. A function that reads or
writes takes an open `Connection`; whoever owns the unit of work opens it here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError

_CONNECT_TIMEOUT_S = 10
_SILENCE_MS = 30_000
_POOL = 20
_JOURNAL_BYTES = 16 << 20

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
        # What the driver raises where a statement goes to it past SQLAlchemy.
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error

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
            conn.begin()
            if self.backend == "sqlite":
                driver(conn).execute("BEGIN IMMEDIATE")
            yield conn
            conn.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection whose reads all see one moment; nothing it writes is kept.

        Raises:
            DatabaseUnavailable: locked or gone.
        """
        with self._mapped(), self.engine.connect() as conn:
            if self.backend != "sqlite":
                conn.execution_options(isolation_level="REPEATABLE READ")
            conn.begin()
            if self.backend == "sqlite":
                driver(conn).execute("BEGIN")
            yield conn
            conn.rollback()

    def durability(self, conn: Connection) -> Durability:
        """Ask `conn` itself what it promises."""
        asked = driver(conn)
        if self.backend == "sqlite":
            journal = asked.execute("PRAGMA journal_mode").fetchone()[0]
            synchronous = asked.execute("PRAGMA synchronous").fetchone()[0]
            said = (("journal_mode", str(journal)), ("synchronous", str(synchronous)))
            return Durability("sqlite", said)
        fsync, commit = asked.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()
        return Durability("postgresql", (("fsync", fsync), ("synchronous_commit", commit)))

    def overwritten(self) -> bool:
        """Write SQLite's journal into the file and empty it; False while somebody still reads it.

        What was destroyed is overwritten in the newest page, and the journal keeps the one before.
        """
        if self.backend != "sqlite":
            return True
        with self._mapped(), self.engine.connect() as conn:
            busy = driver(conn).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        # The chain is cut: a driver's message may quote the values of a row.
        try:
            yield
        except DBAPIError as broken:
            raise _unavailable(broken.orig) from None
        except self._driver_error as broken:
            raise _unavailable(broken) from None
        except SQLAlchemyError as broken:
            raise DatabaseUnavailable("error", type(broken).__name__) from None


def driver(conn: Connection) -> Any:  # noqa: ANN401 - sqlite3's or psycopg's cursor
    """Return a cursor of the driver itself, inside the transaction of `conn`.

    For statements that run once in every batch of the log, where SQLAlchemy would cost more than
    the database does. Its errors are mapped by `Database` like all others.
    """
    return conn.connection.cursor()


def _engine(url: str, busy_timeout_s: float) -> Engine:
    # Values never reach an exception's text.
    if not url.startswith("sqlite"):
        return _postgres(url, busy_timeout_s)
    return _sqlite(url, busy_timeout_s)


def _postgres(url: str, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=_POOL,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        # A server that vanished without a word would keep the log waiting for ever.
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "tcp_user_timeout": _SILENCE_MS},
    )

    @event.listens_for(engine, "connect")
    def _bounded(raw: Any, _record: Any) -> None:  # noqa: ANN401 - psycopg's connection, SQLAlchemy's record
        # Likewise a process that was stopped while it held a row.
        raw.execute(f"SET lock_timeout = {int(busy_timeout_s * 1000)}")
        raw.commit()

    return engine


def _sqlite(url: str, busy_timeout_s: float) -> Engine:
    # More than that at once are opened for one use: seven statements each, before any of ours.
    in_memory = make_url(url).database in {None, "", ":memory:"}
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        hide_parameters=True,
        **({} if in_memory else {"pool_size": _POOL, "max_overflow": _POOL}),
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
            # The write-ahead log grows while somebody reads for long, and shrinks again after.
            f"journal_size_limit={_JOURNAL_BYTES}",
            # What was erased is overwritten, not only unlinked.
            "secure_delete=ON",
            f"busy_timeout={int(busy_timeout_s * 1000)}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    path = engine.url.database
    if path and path != ":memory:":
        _refuse_another_file(engine, Path(path))
    return engine


def _refuse_another_file(engine: Engine, path: Path) -> None:
    """Let no connection be used after its file was replaced or removed.

    It would go on with a file that has no name any more, and whatever it acknowledged is lost
    with the process: this is what restoring a backup under a running service comes to.
    """
    made = False

    @event.listens_for(engine, "do_connect")
    def _require(*_: object) -> None:
        # The first connection may create the file; a later one would put an empty one in place
        # of a file that was moved away.
        if made and _file(path) is None:
            raise OperationalError(f"no such file: {path}")

    @event.listens_for(engine, "connect")
    def _remember(_raw: Any, record: Any) -> None:  # noqa: ANN401 - sqlite3's connection, SQLAlchemy's record
        nonlocal made
        made = True
        record.info["file"] = _file(path)

    @event.listens_for(engine, "checkout")
    def _compare(_raw: Any, record: Any, _proxy: Any) -> None:  # noqa: ANN401 - as above
        if record.info["file"] != _file(path):
            raise DisconnectionError


def _file(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


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


_OURS = ("IntegrityError", "DataError", "ProgrammingError", "NotSupportedError")
"""Errors of the statement, not of the database. They quote values, which are no sign of a cause."""


def _unavailable(broken: BaseException | None) -> DatabaseUnavailable:
    said = str(broken).lower()
    if not {kind.__name__ for kind in type(broken).__mro__}.intersection(_OURS):
        for pattern, cause, remedy in _CAUSES:
            if re.search(pattern, said):
                return DatabaseUnavailable(cause, remedy)
    state = getattr(broken, "sqlstate", None) or ""
    return DatabaseUnavailable("error", f"{type(broken).__name__} {state}".strip())
