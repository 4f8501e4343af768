"""Asks the configured witnesses to cosign the newest checkpoint.

The log never waits for a witness: whoever is out is asked again in the next round, and `readyz`,
the metrics and `doctor` say how far they lag. What a witness refuses to cosign is written down,
since a refusal is the evidence that this protocol is for. A round leaves no entry in the log: it
would have to be cosigned in the next.

Source: https://c2sp.org/tlog-witness.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import httpx2
import structlog

from service.audit import checkpoint as notes
from service.audit import cosign, cosigned
from service.audit.checkpoint import Checkpoint
from service.audit.cosigned import Standing, Witness
from service.audit.errors import AuditError, BadCheckpoint
from service.audit.log import AuditLog
from service.database import Database, DatabaseUnavailable

log = structlog.get_logger()

_TIMEOUT_S = 10.0
# Sixteen lines of the longest kind; whoever sends more is not read to the end.
_MAX_REPLY_BYTES = 65_536
# The first may not know where the witness is, and the log may grow before the second.
_TRIES = 4
_ENDED_S = 2.0


class Problem(StrEnum):
    """Why a witness did not cosign."""

    UNREACHABLE = "unreachable"
    LOG_UNKNOWN = "log_unknown"
    KEY_UNKNOWN = "key_unknown"
    AHEAD = "ahead"
    CONTRADICTED = "contradicted"
    NOT_COSIGNED = "not_cosigned"
    REFUSED = "refused"


_BY_STATUS = {
    0: Problem.UNREACHABLE,
    403: Problem.KEY_UNKNOWN,
    404: Problem.LOG_UNKNOWN,
    422: Problem.CONTRADICTED,
}


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came back; status 0 where nothing did."""

    status: int
    kind: str = ""
    text: str = ""

    @property
    def size(self) -> int | None:
        """How long the log is that the witness knows, where it says so."""
        digits = self.text.removesuffix("\n")
        if self.status != 409 or self.kind != "text/x.tlog.size" or len(digits) > 18:
            return None
        return int(digits) if digits.isascii() and digits.isdigit() else None


class WitnessClient:
    """Sends checkpoints of one log to its witnesses, one after another. For one thread at a time.

    Args:
        clock: now, aware; written beside what went wrong.
        timeout_s: how long to wait for a witness to go on.
    """

    def __init__(
        self,
        database: Database,
        audit_log: AuditLog,
        clock: Callable[[], datetime],
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._database = database
        self._log = audit_log
        self._clock = clock
        self._timeout_s = timeout_s
        # No redirects and no proxy from the environment: only the address that was configured.
        self._client = httpx2.Client(
            timeout=timeout_s, follow_redirects=False, trust_env=False,
            headers={"user-agent": "imprimatur", "accept-encoding": "identity"},
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def push(self) -> list[Standing]:
        """Ask every witness that lags; return how far each is then.

        Raises:
            AuditError, DatabaseUnavailable: the log cannot be read now.
        """
        for standing in self._log.standings():
            # What it cosigned of the same size has another root where the log was rewritten.
            if standing.stated != self._log.head()[1] or standing.problem:
                self._push(standing)
        return self._log.standings()

    def _push(self, standing: Standing) -> None:
        witness, old = standing.witness, standing.size
        problem = Problem.CONTRADICTED
        for _ in range(_TRIES):
            # Again each time: another process may have shown a longer log meanwhile.
            note, stated = self._log.head()
            if old > stated.size:
                problem = Problem.AHEAD
                break
            proof = self._log.consistency_proof(old, stated.size)
            reply = self._sent(witness, _request(old, proof, note))
            if reply.status == 200:
                if self._cosigned(witness, note, stated, reply.text):
                    return
                problem = Problem.NOT_COSIGNED
                break
            if reply.size is None or reply.size == old:
                refused = Problem.CONTRADICTED if reply.size == old else Problem.REFUSED
                problem = _BY_STATUS.get(reply.status, refused)
                break
            old = reply.size
        log.warning("witness.refused", key=witness.key.id, code=problem.value)
        with self._database.transaction() as conn:
            cosigned.blame(conn, witness.key, problem.value, self._clock())

    def _cosigned(self, witness: Witness, note: str, stated: Checkpoint, lines: str) -> bool:
        """Keep the witness's line, if it is among `lines` and theirs."""
        text, _ = notes.parts(note)
        try:
            found = cosign.found(lines.removesuffix("\n").split("\n"), stated, text, witness.key)
        except BadCheckpoint:
            return False
        if found is None:
            return False
        with self._database.transaction() as conn:
            cosigned.keep(conn, witness.key, note, found, stated.size)
        log.info("witness.cosigned", key=witness.key.id)
        return True

    def _sent(self, witness: Witness, request: str) -> _Reply:
        until, content = time.monotonic() + self._timeout_s, b""
        try:
            with self._client.stream(
                "POST", f"{witness.url}/add-checkpoint", content=request.encode()
            ) as reply:
                for chunk in reply.iter_raw():
                    content += chunk
                    if len(content) > _MAX_REPLY_BYTES or time.monotonic() > until:
                        return _Reply(0)
                kind = reply.headers.get("content-type", "").partition(";")[0].strip()
                return _Reply(reply.status_code, kind, content.decode())
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeDecodeError):
            return _Reply(0)


@contextmanager
def in_background(client: WitnessClient, every_s: float) -> Iterator[None]:
    """Ask the witnesses every so many seconds until the block ends."""
    ending = threading.Event()

    def rounds() -> None:
        while not ending.is_set():
            try:
                client.push()
            except (AuditError, DatabaseUnavailable) as broken:
                log.warning("witness.postponed", error=type(broken).__name__)
            ending.wait(every_s)
        client.close()

    thread = threading.Thread(target=rounds, name="witness", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        # One that hangs on a witness ends with the process.
        thread.join(_ENDED_S)


def _request(old: int, proof: Sequence[bytes], note: str) -> str:
    lines = [f"old {old}", *map(notes.base64_of, proof), ""]
    return "\n".join(lines) + f"\n{note}"
