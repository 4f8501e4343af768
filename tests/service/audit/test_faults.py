"""A database that fails: nobody is told that an entry is in the log, and it mends itself."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from service.audit.errors import AuditError, NoEntry, NotAcknowledged, NotDurable
from service.audit.log import AuditLog
from service.audit.sequencer import Batch, Job, Landed, Outcome, Sequencer, Settle
from service.database import Database, DatabaseUnavailable
from tests.service.audit.builders import a_database, a_log, a_prompt, an_entry


class Fault:
    """Runs a statement on every connection as it is handed out, until it is mended."""

    def __init__(self, database: Database) -> None:
        self.statement = ""
        event.listen(database.engine, "checkout", self._checkout)

    def _checkout(self, raw: sqlite3.Connection, *_: object) -> None:
        if self.statement:
            raw.execute(self.statement).close()


@pytest.fixture
def fault(database: Database) -> Fault:
    return Fault(database)


def fill(database: Database, fault: Fault) -> Callable[[], None]:
    with database.reading() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
    fault.statement = f"PRAGMA max_page_count = {pages}"

    def mend() -> None:
        fault.statement = "PRAGMA max_page_count = 1000000"

    return mend


def forbid(database: Database, fault: Fault) -> Callable[[], None]:
    fault.statement = "PRAGMA query_only = ON"

    def mend() -> None:
        fault.statement = "PRAGMA query_only = OFF"

    return mend


def lock(database: Database, fault: Fault) -> Callable[[], None]:
    fault.statement = "PRAGMA busy_timeout = 20"
    other = sqlite3.connect(database.engine.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def mend() -> None:
        other.execute("ROLLBACK")
        other.close()

    return mend


@pytest.mark.parametrize(
    ("breaks", "cause"),
    [(fill, "full"), (forbid, "read_only"), (lock, "locked")],
    ids=["full", "read-only", "locked"],
)
def test_a_failing_database_acknowledges_nothing_and_recovers_by_itself(
    database: Database,
    log: AuditLog,
    fault: Fault,
    breaks: Callable[[Database, Fault], Callable[[], None]],
    cause: str,
) -> None:
    log.append(an_entry("before"))
    before = log.checkpoint()
    mend = breaks(database, fault)
    told: list[object] = []

    def attempt(number: int) -> None:
        # Larger than the free part of a page, so that a full database is full at once.
        entry = an_entry(f"dec_{number}", values=a_prompt("x" * 20_000))
        try:
            told.append(log.append(entry))
        except DatabaseUnavailable as refused:
            told.append(refused.cause)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mend()

    assert told == [cause] * 6
    assert log.checkpoint() == before
    with pytest.raises(NoEntry):
        log.entry_by_key("dec_0")
    assert log.append(an_entry("after")).index == 1
    verified = log.verify(seen=before)
    assert verified.sound
    assert verified.size == 2


def test_a_staged_entry_waits_while_the_database_fails(
    database: Database, log: AuditLog, fault: Fault
) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
    mend = forbid(database, fault)
    with pytest.raises(DatabaseUnavailable):
        log.settle("grt_1")

    mend()

    assert log.settle("grt_1").index == 0


def test_an_unreachable_database_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        a_log(Database(f"sqlite:///{tmp_path}/no/such/folder.sqlite3"))


@pytest.mark.parametrize("statement", ["synchronous = NORMAL", "synchronous = OFF"])
def test_a_database_that_may_lose_commits_is_refused_at_start(
    database: Database, fault: Fault, statement: str
) -> None:
    fault.statement = f"PRAGMA {statement}"

    with pytest.raises(NotDurable, match="synchronous"):
        a_log(database)


def test_a_database_in_memory_is_refused_at_start() -> None:
    database = Database("sqlite://")

    with pytest.raises(NotDurable, match="memory"):
        a_log(database)
    database.close()


def test_a_database_that_stops_being_durable_acknowledges_nothing(
    log: AuditLog, fault: Fault
) -> None:
    fault.statement = "PRAGMA synchronous = NORMAL"
    with pytest.raises(NotDurable):
        log.append(an_entry("dec_1"))

    fault.statement = "PRAGMA synchronous = FULL"

    assert log.append(an_entry("dec_1")).index == 0


def test_the_connection_that_commits_has_synchronous_full(
    database: Database, log: AuditLog
) -> None:
    promised: list[object] = []

    @event.listens_for(database.engine, "commit")
    def _commit(conn: Connection) -> None:
        # On the very connection, in the transaction that is about to commit.
        raw = conn.connection.dbapi_connection
        assert raw is not None
        promised.append(raw.execute("PRAGMA synchronous").fetchone()[0])

    log.append(an_entry("dec_1"))

    assert promised
    assert set(promised) == {2}


# The sequencer alone, with a commit that the test holds.


class Held:
    """A commit that waits for the test."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.entered = threading.Event()
        self.fails: Exception | None = None
        self.batches: list[int] = []

    def __call__(self, jobs: Sequence[Job]) -> list[Outcome]:
        many = len(jobs)
        self.entered.set()
        assert self.may_go.wait(10)
        if self.fails is not None:
            raise self.fails
        self.batches.append(many)
        return [Landed(number, many, "") for number in range(many)]


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.may_go.set()


def jobs(count: int) -> list[Job]:
    return [Settle(f"key_{number}") for number in range(count)]


def test_nobody_is_released_before_the_commit(held: Held) -> None:
    sequencer = Sequencer(held)
    batch, place = sequencer.submit(jobs(1))

    with pytest.raises(NotAcknowledged):
        batch.outcome(place, 0.05)
    held.may_go.set()

    assert batch.outcome(place, 10) == Landed(0, 1, "")
    sequencer.close()


def test_whoever_asks_during_a_commit_shares_the_next_one(held: Held) -> None:
    sequencer = Sequencer(held)
    first, _ = sequencer.submit(jobs(1))
    assert held.entered.wait(10)

    later = [sequencer.submit(jobs(1)) for _ in range(5)]
    held.may_go.set()
    for batch, place in later:
        batch.outcome(place, 10)
    sequencer.close()

    assert held.batches == [1, 5]
    assert len({id(batch) for batch, _ in later} | {id(first)}) == 2


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (DatabaseUnavailable("full", "free space"), DatabaseUnavailable),
        (NotDurable("no"), NotDurable),
        (ZeroDivisionError("a bug"), AuditError),
    ],
    ids=["database", "log", "bug"],
)
def test_every_waiter_of_a_failed_batch_gets_its_own_error(
    held: Held, failure: Exception, told: type[Exception]
) -> None:
    sequencer = Sequencer(held)
    held.fails = failure
    batch, _ = sequencer.submit(jobs(3))
    held.may_go.set()
    errors = []
    for place in range(3):
        with pytest.raises(told) as refused:
            batch.outcome(place, 10)
        errors.append(refused.value)

    assert len({id(error) for error in errors}) == 3
    held.fails = None
    after, place = sequencer.submit(jobs(1))
    assert after.outcome(place, 10) == Landed(0, 1, "")
    sequencer.close()


def test_a_coroutine_that_asks_after_the_answer_does_not_wait() -> None:
    batch = Batch()
    batch.answer([Landed(0, 1, "")])

    async def ask() -> None:
        await asyncio.wait_for(batch.answered(5), 5)

    asyncio.run(ask())

    assert batch.outcome(0, 0.0) == Landed(0, 1, "")


def test_a_coroutine_that_gave_up_does_not_disturb_the_others(held: Held) -> None:
    sequencer = Sequencer(held)

    async def two() -> None:
        batch, _ = sequencer.submit(jobs(2))
        gone = batch.answered(5)
        stays = batch.answered(5)
        await asyncio.sleep(0)
        gone.cancel()
        held.may_go.set()
        await asyncio.wait_for(stays, 5)

    asyncio.run(two())
    sequencer.close()

    assert held.batches == [2]


def test_a_log_that_does_not_answer_in_time_says_so(tmp_path: Path) -> None:
    database = a_database(tmp_path, busy_timeout_s=1.0)
    other = sqlite3.connect(database.engine.url.database or "", isolation_level=None)
    with a_log(database, timeout_s=0.05) as log:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotAcknowledged, match="ask again"):
            log.append(an_entry("dec_1"))
        other.execute("ROLLBACK")
    other.close()

    with a_log(database) as log:
        assert log.append(an_entry("dec_1")).index == 0
    database.close()


def test_a_coroutine_without_an_answer_in_time_is_told_so_and_may_ask_again(held: Held) -> None:
    sequencer = Sequencer(held)
    batch, place = sequencer.submit(jobs(1))

    async def ask() -> None:
        with pytest.raises(NotAcknowledged):
            await batch.answered(0.02)
        held.may_go.set()
        await batch.answered(10)

    asyncio.run(ask())

    assert batch.outcome(place, 0.0) == Landed(0, 1, "")
    sequencer.close()
