"""Wait for what another thread or process does."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Return once `holds()`, which is asked again and again; fail after `within_s` seconds."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
