"""The disposable process in which a stranger's file is decoded: started, timed and heard."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from service.media.errors import Code, MediaError

CHILD = Path(__file__).with_name("child.py")
ANSWER_BYTES = 65_536
# Nothing of our environment reaches the child; one thread, because threads cost address space.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
MESSAGES = {
    Code.EMPTY: "There is nothing to be heard in the file.",
    Code.BROKEN: "The file is damaged or not what it says.",
    Code.TRUNCATED: "The file ends too early.",
    Code.MISLABELLED: "The file says one size and holds another.",
    Code.UNSUPPORTED: "The file uses a codec that is not accepted.",
    Code.TOO_MANY_PIXELS: "Opening the file needs more memory than we give to its size.",
    Code.TOO_LONG: "The sound is too long.",
    Code.TOO_MANY_STREAMS: "The file holds more than one track of sound.",
    Code.TIMEOUT: "Opening the file took too long.",
}


def run(
    child: Path,
    job: dict[str, object],
    stream: BinaryIO | IO[bytes],
    outs: Sequence[IO[bytes]],
    timeout_s: float,
) -> dict[str, object]:
    """Return the child's answer.

    Args:
        job: what to do; see `child.py`.
        outs: files that the child writes to, from where they stand.

    Raises:
        MediaError: it refused, died, hung or said nothing.
        OSError: it could not be started.
    """
    open_in_child = [out.fileno() for out in outs]
    job |= {"cpu_s": math.ceil(timeout_s), "out": open_in_child}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own program; the file is its input only
            [sys.executable, "-I", str(child), json.dumps(job)],
            stdin=stream,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=open_in_child,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            raise MediaError(Code.TIMEOUT, MESSAGES[Code.TIMEOUT]) from late
        finally:
            with suppress(ProcessLookupError):  # its whole session, whatever it started
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        answer = _last_line(said.read(ANSWER_BYTES))
    if status == -signal.SIGXCPU:
        raise MediaError(Code.TIMEOUT, MESSAGES[Code.TIMEOUT])
    if status != 0 or answer is None:
        raise MediaError(Code.BROKEN, MESSAGES[Code.BROKEN])
    if "refused" in answer:
        code = next((c for c in MESSAGES if c.value == answer["refused"]), Code.BROKEN)
        raise MediaError(code, MESSAGES[code])
    return answer


def _last_line(said: bytes) -> dict[str, object] | None:
    lines = said.splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def number(answer: dict[str, object], name: str) -> int:
    """Return a number of the child's answer.

    Raises:
        MediaError: it is none.
    """
    found = answer.get(name)
    if not isinstance(found, int) or found < 1:
        raise mislabelled()
    return found


def unavailable() -> MediaError:
    """Return that it is our disk or our processes, and not the file."""
    return MediaError(Code.NOT_WRITTEN, "Files cannot be opened here at the moment.")


def mislabelled() -> MediaError:
    """Return that a file does not hold what its head says."""
    return MediaError(Code.MISLABELLED, MESSAGES[Code.MISLABELLED])
