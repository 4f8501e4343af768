"""From settings to a house. The only file that names a back end, each inside its own branch.

Importing diffusers costs seconds and hundreds of megabytes; a process that only decides about
text never gets there.
"""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import assert_never

import structlog

from generator.model import VideoModel
from service import filtering, hearing
from service.audit.cosigned import Outside, witnesses
from service.audit.errors import BadCosigner
from service.audit.log import AuditLog
from service.certificates import Identity, development_identity, identity_from_files
from service.database import Database
from service.decision_cache import DecisionCache
from service.gates import Gates
from service.inspection import Inspection
from service.keys import KeyRing, Purpose
from service.pipeline import Pipeline
from service.policy_book import Policy, load
from service.policy_book.book import Book
from service.policy_book.seeding import Seed, Seeding
from service.policy_book.states import Approval, Origin, short
from service.reasons import CATEGORIES, DETECTORS, GUARDS, IMAGE_MODELS, READERS, SURFACES
from service.records.erasing import Erasing
from service.records.holding import Holding
from service.records.ledger import Ledger
from service.records.retention import Schedule
from service.rooms import Clock, Rooms, Terms, Workshop
from service.settings import Settings, SettingsRefused
from service.steps.run import Crossing
from service.subjects import SubjectKeys
from service.vault import Vault

log = structlog.get_logger()

VERSION = "0.1.0"
DEFAULT_POLICY = Path(__file__).with_name("policies") / "default.yaml"
# Three gates of a request side by side, and a few requests at once.
_GATE_THREADS = 12


def now() -> datetime:
    """Return the time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """All that a process needs, put together."""

    settings: Settings
    rooms: Rooms
    owner: str

    def erasing(self) -> Erasing:
        """Return who erases; its list lies in the home, outside the database."""
        return Erasing(self.rooms, Ledger(self.settings.home))

    def schedule(self) -> Schedule:
        """Return how long private things are kept."""
        return Schedule(
            values=timedelta(days=self.settings.retention_days_values),
            requests=timedelta(days=self.settings.retention_days_requests),
        )

    def holding(self) -> Holding:
        """Return who keeps legal holds."""
        return Holding(self.rooms, self.erasing())

    def front(self, crossing: Crossing | None = None) -> Pipeline:
        """Return the pipeline of a process that takes requests in."""
        return _pipeline(self.rooms, self.owner, None, crossing)

    def workshop(self, crossing: Crossing | None = None) -> Pipeline:
        """Return the pipeline of a worker: it loads what looks at films and seals them."""
        return _pipeline(self.rooms, self.owner, _workshop(self.settings, self.rooms), crossing)


@contextmanager
def opened(settings: Settings, clock: Clock = now) -> Iterator[House]:
    """Yield the house that `settings` describe; close its log and database in the end.

    Raises:
        DatabaseUnavailable, KeyRingError, PolicyRefused, BookBroken, ModelUnavailable,
            LogTampered: it cannot be opened; the message says what to do.
    """
    _private_folder(settings.home)
    database = Database(settings.url)
    executor = ThreadPoolExecutor(_GATE_THREADS, thread_name_prefix="gate")
    try:
        _migrate(database)
        keys = KeyRing(settings.home / "keys", clock)
        subjects = SubjectKeys(keys.secrets(Purpose.VAULT))
        with AuditLog(
            database,
            signer=keys.signing(Purpose.LOG),
            trusted=keys.verifying(Purpose.LOG)[1:],
            origin=settings.origin,
            subjects=subjects,
            clock=clock,
            proofs=f"{settings.address}/v1/audit/proofs/",
            outside=outside(settings, keys),
        ) as audit_log:
            rooms = _rooms(settings, database, audit_log, keys, subjects, executor, clock)
            house = House(settings, rooms, f"{socket.gethostname()}:{os.getpid()}")
            # A backup that was put back knows people again who were erased: nobody is served first.
            house.erasing().go_on()
            yield house
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        database.close()


@contextmanager
def served(settings: Settings, clock: Clock = now) -> Iterator[House]:
    """Yield the house like `opened`, while its witnesses are asked for their signatures."""
    with opened(settings, clock) as house:
        rooms = house.rooms
        if not rooms.log.outside.witnesses:
            yield house
            return
        from service.audit.witness import WitnessClient, in_background

        client = WitnessClient(rooms.database, rooms.log, clock)
        with in_background(client, settings.witness_every_s):
            yield house


def outside(settings: Settings, keys: KeyRing) -> Outside:
    """Return who vouches for the log's checkpoints besides its own key.

    Raises:
        SettingsRefused: a witness has no address to be asked at, or no key.
    """
    trial = settings.environment == "development"
    try:
        return Outside(witnesses(settings.witnesses, loopback=trial), keys.cosigning())
    except BadCosigner as wrong:
        raise SettingsRefused(f"IMPRIMATUR_WITNESSES: {wrong}") from wrong


def model(settings: Settings) -> VideoModel:
    """Return the generator that `settings` choose; it loads its weights at the first clip."""
    match settings.generator:
        case "scenes":
            from generator.scenes.renderer import ScenesRenderer

            return ScenesRenderer()
        case "ltx2":
            from generator.ltx2 import Ltx2

            return Ltx2(settings.ltx2_model, device=settings.ltx2_device, offline=settings.offline)
        case _:
            assert_never(settings.generator)


def _rooms(
    settings: Settings,
    database: Database,
    audit_log: AuditLog,
    keys: KeyRing,
    subjects: SubjectKeys,
    executor: ThreadPoolExecutor,
    clock: Clock,
) -> Rooms:
    from filters.frames import sampled
    from filters.normalise import normalise
    from service.media.looking import read_looks, read_sound
    from service.media.reading import read_picture

    return Rooms(
        database=database,
        log=audit_log,
        keys=keys,
        subjects=subjects,
        book=_book(settings, database, audit_log, clock),
        gates=_gates(settings, database, keys, executor),
        model=model(settings),
        vault=Vault(settings.home / "vault"),
        normalise=normalise,
        read_picture=read_picture,
        clock=clock,
        terms=Terms(timedelta(seconds=settings.lease_s), timedelta(seconds=settings.ticket_s)),
        appeals=f"{settings.address}/v1/appeals",
        cache=DecisionCache(os.urandom(32)),
        read_film=partial(read_looks, sample=sampled),
        read_sound=read_sound,
    )


def policy(document: bytes) -> Policy:
    """Return the policy in `document`, held against what this version can observe.

    Raises:
        PolicyRefused: it is not whole.
    """
    return load(
        document,
        categories=CATEGORIES,
        surfaces=SURFACES,
        detectors=DETECTORS,
        optional=GUARDS | IMAGE_MODELS | READERS,
    )


def seeding(
    settings: Settings, database: Database, audit_log: AuditLog, clock: Clock = now
) -> Seeding:
    """Return the policy book, with what may begin it."""
    approval = Approval.TWO_PEOPLE
    if settings.environment == "development":
        approval = Approval.UNSAFE_SELF
    chosen = None
    if settings.policy is not None:
        chosen = Seed(settings.policy.read_bytes(), Origin.SETTINGS)
    return Seeding(
        Book(database, policy, approval=approval),
        audit_log,
        clock,
        packaged=Seed(DEFAULT_POLICY.read_bytes(), Origin.PACKAGED),
        chosen=chosen,
    )


def _book(settings: Settings, database: Database, audit_log: AuditLog, clock: Clock) -> Book:
    seeds = seeding(settings, database, audit_log, clock)
    seeds.begin()
    seeds.check()
    if not seeds.chosen_is_live():
        live = short(seeds.book.standing().live.ref)
        log.warning("policy.not_live", document=str(settings.policy), live=live)
    _check_guards(settings, seeds.book.standing().live)
    return seeds.book


def _check_guards(settings: Settings, live: Policy) -> None:
    """Refuse a model whose every word the live policy would hold as that of a stranger."""
    names = {f"filters.guard.{choice.family}" for choice in settings.guards}
    names |= {f"filters.image.{choice.family}" for choice in settings.image_models}
    readers = READERS if settings.whisper is not None else frozenset()
    strange = sorted(name for name in names | readers if not live.knows(name))
    if strange:
        setting = "WHISPER" if strange == sorted(readers) else "GUARDS or IMPRIMATUR_IMAGE_MODELS"
        raise SettingsRefused(
            f"IMPRIMATUR_{setting}: the live policy does not list {', '.join(strange)} under "
            "`detectors`, so all they report would be held: make one live that does"
        )


def _gates(
    settings: Settings, database: Database, keys: KeyRing, executor: ThreadPoolExecutor
) -> Gates:
    from filters.captions.captions import packaged
    from filters.normalise import normalise
    from likeness.dlib_faces import DlibFaces
    from likeness.registry import Registry
    from likeness.thresholds import load_calibration
    from likeness.vault import Vault as TemplateVault
    from rightsholders.register import Claims
    from rightsholders.tiers import Tiers
    from rightsholders.words import load_words

    words = load_words()
    vault_keys = {key.id: key.secret for key in keys.secrets(Purpose.VAULT)}
    judge_text = filtering.judge_text(settings)
    return Gates(
        database=database,
        judge_text=judge_text,
        judge_pictures=filtering.judge_pictures(settings),
        read_captions=packaged(judge_text).look,
        registry=Registry(DlibFaces(), TemplateVault(vault_keys), load_calibration()),
        claims=Claims(Tiers(words, lambda text: normalise(text).text), words),
        executor=executor,
        timeout_s=settings.gate_timeout_s,
        listen=hearing.at_the_gates(settings, judge_text),
    )


def identity(settings: Settings, keys: KeyRing, clock: Clock) -> Identity:
    """Return what signs manifests.

    Raises:
        CertificatesUnusable, KeyRingError: it cannot be used.
    """
    if settings.signer == "files" and settings.signer_chain and settings.signer_key:
        return identity_from_files(settings.signer_chain, settings.signer_key)
    return development_identity(keys, clock)


def _workshop(settings: Settings, rooms: Rooms) -> Workshop:
    from filters.frames import sampled
    from provenance.seal import Sealer

    signs = identity(settings, rooms.keys, rooms.clock)
    gates = rooms.gates
    at_the_gates = gates.listen or hearing.at_the_gates(settings, gates.judge_text)
    return Workshop(
        inspection=Inspection(
            database=rooms.database,
            judge_pictures=gates.judge_pictures,
            read_captions=gates.read_captions,
            listen=hearing.in_the_workshop(settings, gates.judge_text, at_the_gates),
            sample=sampled,
            registry=gates.registry,
        ),
        sealer=Sealer(signs.credentials, signs.root_pem, rooms.clock),
        version=VERSION,
    )


def _pipeline(
    rooms: Rooms, owner: str, workshop: Workshop | None, crossing: Crossing | None
) -> Pipeline:
    if crossing is None:
        return Pipeline(rooms, owner, workshop)
    return Pipeline(rooms, owner, workshop, crossing)


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as broken:
        raise SettingsRefused(
            f"IMPRIMATUR_HOME={folder}: {broken.strerror}; choose a folder you may write"
        ) from broken


def _migrate(database: Database) -> None:
    from service.migrations import bring_up_to_date

    bring_up_to_date(database)
