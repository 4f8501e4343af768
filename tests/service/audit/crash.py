"""Processes that append, and one that kills them. Run by `test_crash.py`; prints JSON.

    python -m tests.service.audit.crash kill sqlite:////tmp/killed.sqlite3 1000

makes the tables where there are none.
"""

import json
import os
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from service.audit.errors import NoEntry
from service.audit.log import AuditLog
from service.audit.reading import EntryFilter, LoggedEntry, Order
from service.database import Database, metadata
from tests.service.audit.builders import a_log, a_prompt, an_entry

_VERIFIED = 10


def writer(url: str, name: str, acknowledged: int, *, entries: int) -> None:
    """Append from four threads; write each key to `acknowledged` once `append` returned."""
    with a_log(Database(url)) as log:

        def append_all(thread: int) -> None:
            for number in range(entries):
                key = f"{name}.{thread}.{number}"
                values = a_prompt(key, subject=f"actor:{thread}") if number % 3 == 0 else ()
                log.append(an_entry(key, values=values))
                os.write(acknowledged, f"{key}\n".encode())

        threads = [threading.Thread(target=append_all, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run `work` in a child; return its process id and the reading end of its pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    work(writing)
    os._exit(0)


def all_of(pipe: int) -> list[str]:
    with os.fdopen(pipe, "rb") as file:
        return file.read().decode().split()


def missing(log: AuditLog, keys: list[str]) -> list[str]:
    lost = []
    for key in keys:
        try:
            log.entry_by_key(key)
        except NoEntry:
            lost.append(key)
    return lost


def everything(log: AuditLog) -> Iterator[LoggedEntry]:
    after = None
    while page := log.entries(EntryFilter(after=after, limit=1000, order=Order.OLDEST)):
        yield from page
        after = page[-1].index


def kill(url: str, rounds: int) -> dict[str, object]:
    """Kill a writer at a random moment, again and again; look at the log after each time.

    The whole of it is hashed again every so often, and in the end: in a thousand rounds it grows.
    """
    rng = random.Random(20261121)  # noqa: S311 - when to kill
    acknowledged, lost, unsound = 0, [], []
    seen = ""
    for number in range(rounds):
        child, pipe = forked(partial(writer, url, f"r{number}", entries=100_000))
        select.select([pipe], [], [], 30)
        time.sleep(rng.uniform(0.002, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        keys = all_of(pipe)
        acknowledged += len(keys)
        database = Database(url)
        with a_log(database) as log:
            lost += missing(log, keys)
            if number % _VERIFIED == 0 or number == rounds - 1:
                verified = log.verify(seen=seen)
                unsound += [str(problem) for problem in verified.problems]
                seen = log.checkpoint()
        database.close()
    return {"rounds": rounds, "acknowledged": acknowledged, "lost": lost, "unsound": unsound}


def together(url: str, writers: int) -> dict[str, object]:
    """Let several processes append to one log at once."""
    children = [forked(partial(writer, url, f"w{number}", entries=50)) for number in range(writers)]
    keys = [key for _, pipe in children for key in all_of(pipe)]
    statuses = [os.waitpid(child, 0)[1] for child, _ in children]
    database = Database(url)
    with a_log(database) as log:
        order = [entry.key for entry in everything(log)]
        result = {
            "acknowledged": len(keys),
            "lost": missing(log, keys),
            "unsound": [str(problem) for problem in log.verify().problems],
            "statuses": statuses,
            "out_of_order": [
                name
                for name in {key.rpartition(".")[0] for key in order}
                if (
                    own := [
                        int(key.rpartition(".")[2]) for key in order if key.startswith(f"{name}.")
                    ]
                )
                != sorted(own)
            ],
        }
    database.close()
    return result


if __name__ == "__main__":
    asked, at, many = sys.argv[1:]
    made = Database(at)
    metadata.create_all(made.engine)
    made.close()
    json.dump({"kill": kill, "together": together}[asked](at, int(many)), sys.stdout)
