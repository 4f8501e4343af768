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
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import structlog

from generator.model import VideoModel
from service.audit.log import AuditLog
from service.certificates import Identity, development_identity, identity_from_files
from service.database import Database
from service.gates import Gates
from service.inspection import Inspection
from service.keys import KeyRing, Purpose
from service.pipeline import Pipeline
from service.policy_book import Policy, load
from service.reasons import CATEGORIES, SURFACES
from service.rooms import Clock, Rooms, Terms, Workshop
from service.settings import Settings, SettingsRefused
from service.steps.run import Crossing
from service.subjects import SubjectKeys
from service.vault import Vault

if TYPE_CHECKING:
    from filters.minilm import MiniLM

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
        DatabaseUnavailable, KeyRingError, PolicyRefused, ModelUnavailable, LogTampered: it cannot
            be opened; the message says what to do.
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
        ) as audit_log:
            rooms = _rooms(settings, database, audit_log, keys, subjects, executor, clock)
            yield House(settings, rooms, f"{socket.gethostname()}:{os.getpid()}")
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        database.close()


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
    from filters.normalise import normalise
    from service.media.reading import read_picture

    return Rooms(
        database=database,
        log=audit_log,
        keys=keys,
        subjects=subjects,
        policy=_policy(settings),
        gates=_gates(settings, database, keys, executor),
        model=model(settings),
        vault=Vault(settings.home / "vault"),
        normalise=normalise,
        read_picture=read_picture,
        clock=clock,
        terms=Terms(timedelta(seconds=settings.lease_s), timedelta(seconds=settings.ticket_s)),
    )


def _policy(settings: Settings) -> Policy:
    document = (settings.policy or DEFAULT_POLICY).read_bytes()
    return load(document, categories=CATEGORIES, surfaces=SURFACES)


def _gates(
    settings: Settings, database: Database, keys: KeyRing, executor: ThreadPoolExecutor
) -> Gates:
    from filters.normalise import normalise
    from filters.nudity import NudityDetector
    from filters.text import PromptClassifier
    from filters.weights import load_weights
    from likeness.dlib_faces import DlibFaces
    from likeness.registry import Registry
    from likeness.thresholds import load_calibration
    from likeness.vault import Vault as TemplateVault
    from rightsholders.register import Claims
    from rightsholders.tiers import Tiers
    from rightsholders.words import load_words

    words = load_words()
    vault_keys = {key.id: key.secret for key in keys.secrets(Purpose.VAULT)}
    return Gates(
        database=database,
        judge_text=PromptClassifier(load_weights(), encoder(settings)).read,
        judge_pictures=NudityDetector().look,
        registry=Registry(DlibFaces(), TemplateVault(vault_keys), load_calibration()),
        claims=Claims(Tiers(words, lambda text: normalise(text).text), words),
        executor=executor,
        timeout_s=settings.gate_timeout_s,
    )


def encoder(settings: Settings) -> "MiniLM":
    """Return the text encoder; export it first where it never was.

    Raises:
        ModelUnavailable: it is damaged, or cannot be made.
    """
    from filters import minilm

    folder = settings.cache / "minilm"
    if not (folder / minilm.GRAPH).exists():
        log.info("encoder.export", folder=str(folder))
        minilm.export(folder)
    return minilm.MiniLM(folder)


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
    from filters.speech import VoiceActivity
    from provenance.seal import Sealer

    signs = identity(settings, rooms.keys, rooms.clock)
    return Workshop(
        inspection=Inspection(
            database=rooms.database,
            judge_pictures=rooms.gates.judge_pictures,
            listen=VoiceActivity().listen,
            sample=sampled,
            registry=rooms.gates.registry,
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
