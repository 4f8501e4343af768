"""Everything a request meets on its way, put together by `service/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from filters.normalise import Reading
from generator.model import VideoModel
from provenance.seal import Sealer
from service.audit.log import AuditLog
from service.database import Database
from service.decision_cache import DecisionCache
from service.gates import Gates, Picture
from service.inspection import Inspection
from service.keys import KeyRing
from service.media.looking import Looks
from service.policy_book.book import Book
from service.subjects import SubjectKeys
from service.vault import Vault

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last.

    Attributes:
        appeals: where appeals are taken, as a refusal says it.
        lease: how long a silent worker keeps its job.
        ticket: how long a permission to generate is valid.
    """

    lease: timedelta
    ticket: timedelta


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of the house that decide; a process that only decides needs no more.

    Attributes:
        cache: what was seen a moment ago; None where the gates look each time.
        read_film, read_sound: open what is sent along; without them it is held, since nobody has
            looked at it.
    """

    database: Database
    log: AuditLog
    keys: KeyRing
    subjects: SubjectKeys
    book: Book
    gates: Gates
    model: VideoModel
    vault: Vault
    normalise: Callable[[str], Reading]
    read_picture: Callable[[bytes], Picture]
    clock: Clock
    terms: Terms
    appeals: str = "/v1/appeals"
    cache: DecisionCache | None = None
    read_film: Callable[[bytes], Looks] | None = None
    read_sound: Callable[[bytes], Looks] | None = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a worker needs besides: it looks at what came out, and seals it."""

    inspection: Inspection
    sealer: Sealer
    version: str
