"""Opening the house, or only its books, and finding who acts here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cli.errors import Refused

if TYPE_CHECKING:
    from service.audit.log import AuditLog
    from service.database import Database
    from service.request import Requester
    from service.settings import Settings
    from service.wiring import House


@dataclass(frozen=True, slots=True)
class Books:
    """What is written down, without a single model: enough to ask, prove and keep accounts."""

    database: Database
    log: AuditLog


def settings() -> Settings:
    """Return the settings of the environment."""
    from service.settings import from_environment

    return from_environment()


@contextmanager
def house(chosen: Settings) -> Iterator[House]:
    """Yield the whole house; what it logs while a person waits is errors only."""
    from filters.minilm import GRAPH
    from service import wiring

    _only_errors()
    if not (chosen.cache / "minilm" / GRAPH).exists() and sys.stderr.isatty():
        sys.stderr.write("Preparing the text encoder, this once.\n")
    with wiring.opened(chosen) as opened:
        yield opened


@contextmanager
def books(chosen: Settings) -> Iterator[Books]:
    """Yield the books of a house that was opened before.

    Raises:
        Refused: nothing was ever written here.
    """
    if not has_books(chosen):
        raise Refused(
            f"{chosen.home}: nothing is written here yet; set IMPRIMATUR_HOME to the folder that "
            "`imprimatur serve` uses, or start it once"
        )
    with first_books(chosen) as opened:
        yield opened


@contextmanager
def first_books(chosen: Settings) -> Iterator[Books]:
    """Yield the books, begun where there are none."""
    from service import wiring
    from service.audit.log import AuditLog
    from service.database import Database
    from service.keys import KeyRing, Purpose
    from service.migrations import bring_up_to_date
    from service.subjects import SubjectKeys

    _only_errors()
    chosen.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(chosen.url)
    try:
        bring_up_to_date(database)
        keys = KeyRing(chosen.home / "keys", wiring.now)
        with AuditLog(
            database,
            signer=keys.signing(Purpose.LOG),
            trusted=keys.verifying(Purpose.LOG)[1:],
            origin=chosen.origin,
            subjects=SubjectKeys(keys.secrets(Purpose.VAULT)),
            clock=wiring.now,
            proofs=f"{chosen.address}/v1/audit/proofs/",
            outside=wiring.outside(chosen, keys),
        ) as log:
            yield Books(database, log)
    finally:
        database.close()


def has_books(chosen: Settings) -> bool:
    """Whether this home was opened before; nothing is created by asking."""
    database = chosen.home / "imprimatur.sqlite3"
    return (chosen.home / "keys").is_dir() and (bool(chosen.database_url) or database.exists())


def person(database: Database, chosen: str) -> Requester:
    """Return who acts: the actor `chosen`, or the local operator, made on first use.

    Raises:
        NoSuchAccount: nobody has this id.
    """
    from service import wiring
    from service.accounts import local

    return local.requester(database, chosen, wiring.now())


def _only_errors() -> None:
    import logging

    import structlog

    from service import telemetry

    telemetry.configure(sys.stderr)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
