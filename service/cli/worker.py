"""`imprimatur worker`: makes films until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening

if TYPE_CHECKING:
    from service.worker import Worker

SUPERVISED = "--supervised"


def worker(
    *,
    supervised: Annotated[
        bool, typer.Option(SUPERVISED, hidden=True, help="Stop when stdin ends.")
    ] = False,
) -> int:
    """Work on jobs one after another; at SIGTERM the one in hand is given back."""
    from service import telemetry, wiring
    from service.worker import Worker

    settings = opening.settings()
    telemetry.configure(sys.stderr)
    with wiring.opened(settings) as house:
        making = Worker(house.workshop(), schedule=house.schedule())
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda _number, _frame: making.stop())
        if supervised:
            _stop_with_parent(making)
        making.run()
    return 0


def _stop_with_parent(making: Worker) -> None:
    """Stop when our supervisor is gone, however it went: its end of our stdin is closed then."""

    def wait() -> None:
        # Not sys.stdin: a thread inside its lock would keep the interpreter from ending.
        while os.read(0, 1):
            pass
        making.stop()

    threading.Thread(target=wait, name="supervisor", daemon=True).start()
