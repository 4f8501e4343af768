"""Everything a request meets on its way, put together by `service/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from filters.normalise import Reading
from generator.model import VideoModel
from provenance.seal import Sealer
from service.audit.log import AuditLog
from service.database import Database
from service.gates import Gates, Picture
from service.inspection import Inspection
from service.keys import KeyRing
from service.policy_book import Policy
from service.subjects import SubjectKeys
from service.vault import Vault

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last.

    Attributes:
        lease: how long a silent worker keeps its job.
        ticket: how long a permission to generate is valid.
    """

    lease: timedelta
    ticket: timedelta


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of the house that decide; a process that only decides needs no more."""

    database: Database
    log: AuditLog
    keys: KeyRing
    subjects: SubjectKeys
    policy: Policy
    gates: Gates
    model: VideoModel
    vault: Vault
    normalise: Callable[[str], Reading]
    read_picture: Callable[[bytes], Picture]
    clock: Clock
    terms: Terms


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a worker needs besides: it looks at what came out, and seals it."""

    inspection: Inspection
    sealer: Sealer
    version: str
