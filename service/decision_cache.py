"""What was seen in a request a moment ago: the observations, never the answer.

A request that comes again, byte for byte, need not be looked at again. It is judged again, by
whatever policy decides now, and has a decision, an entry and a ticket of its own.
"""

import hashlib
import hmac
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.decision import Gate, Observation
from service.policy_book import UNAVAILABLE
from service.reasons import NOTHING
from service.request import GenerationRequest

LIFE = timedelta(seconds=60)
"""Nothing depends on it being short but how long a detector that was mended waits."""
MAX_ENTRIES = 10_000
MAX_BYTES = 32 << 20
# Of one observation with its place and texts; most of the texts are shared.
_OBSERVATION_BYTES = 400
_ENTRY_BYTES = 300

Registers = tuple[object, object]
"""How far the registers of likenesses and claims are; see `Gates.registers`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    observations: tuple[Observation, ...]
    since: datetime
    until: datetime

    @property
    def bytes(self) -> int:
        return _ENTRY_BYTES + _OBSERVATION_BYTES * len(self.observations)


class DecisionCache:
    """Observations by the keyed hash of what they were made of. Safe to use from many threads.

    A detector of another version is another process, and so another cache.

    Args:
        secret: 32 random bytes of this process: who reads its memory can test no guess elsewhere.
    """

    def __init__(
        self, secret: bytes, *, entries: int = MAX_ENTRIES, most_bytes: int = MAX_BYTES
    ) -> None:
        self._secret = secret
        self._entries = entries
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0
        self._outcomes = {"hit": 0, "miss": 0}
        self._lock = threading.Lock()

    def key(self, request: GenerationRequest, registers: Registers) -> bytes:
        """Return what is equal for two requests in which the gates would see the same.

        All that a gate looks at is in it, and who asks where and what for. Size, length and seed
        are not: no gate sees them before generation.

        Args:
            registers: at this moment; a revocation, a grant or a claim makes them others.
        """
        said = json.dumps(
            [
                request.prompt,
                [[one.prompt, one.seconds] for one in request.shots],
                [[one.param, one.kind.value, one.sha256] for one in request.references],
                request.handles,
                request.ancestors,
                [request.requester.actor, request.requester.project, request.end_user],
                [request.territory, request.purpose.value],
                [repr(register) for register in registers],
            ]
        )
        return hmac.digest(self._secret, said.encode(), hashlib.sha256)

    def found(self, key: bytes, now: datetime) -> tuple[Observation, ...] | None:
        """Return what was seen under `key`; None where the gates have to look."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.since <= now < kept.until:
                self._kept.move_to_end(key)
                self._outcomes["hit"] += 1
                return kept.observations
            if kept is not None:
                self._drop(key)
            return None

    def keep(
        self, key: bytes, seen: Sequence[Observation], *, now: datetime, until: datetime | None
    ) -> None:
        """Count a miss, and keep what was seen if it says the same for the next minute.

        Args:
            now: when the gates were asked.
            until: when the next claim begins to count, without a change of its register.
        """
        with self._lock:
            self._outcomes["miss"] += 1
        if not lasts(seen):
            return
        end = now + LIFE if until is None else min(now + LIFE, until)
        kept = _Kept(tuple(seen), now, end)
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._bytes += kept.bytes
            while len(self._kept) > self._entries or self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def outcomes(self) -> Mapping[str, int]:
        """Return how often something was found, and how often the gates looked, since the start."""
        with self._lock:
            return dict(self._outcomes)

    def _drop(self, key: bytes) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= gone.bytes


def lasts(seen: Sequence[Observation]) -> bool:
    """Whether the same request shows the same until a register changes or a claim begins.

    Not where a gate could not look. Not where anybody was seen or named, or a claim was met: a
    grant and a claim begin and end by the clock, and who is depicted is asked each time.
    """
    return all(
        one.category != UNAVAILABLE and (one.gate is Gate.FILTERS or one.category in NOTHING)
        for one in seen
    )
