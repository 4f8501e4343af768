"""A finished file gets its name, or nothing does."""

import os
from pathlib import Path


def placed(finished: Path, target: Path) -> None:
    """Give `finished`, which is flushed to disk, the name `target`, and make the name last.

    Raises:
        OSError: it has no lasting name; then nothing is left at `target`.
    """
    # Opened first: what can fail should fail before the name changes hands.
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        finished.replace(target)  # the point of no return
        try:
            os.fsync(folder)
        except OSError:
            target.unlink(missing_ok=True)
            raise
    finally:
        os.close(folder)
