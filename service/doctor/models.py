"""Checks of what decides, makes and writes films: every model opened, one second encoded."""

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from sqlalchemy import inspect

from service import wiring
from service.database import Database
from service.doctor.said import Level, Said
from service.media.reading import walls
from service.media.writing import write_mp4
from service.policy_book import store
from service.policy_book.book import Book
from service.policy_book.states import BookBroken, Document, Origin, sha256_of, short
from service.settings import Settings


def encoder(settings: Settings) -> Said:
    """Return whether the text encoder is exported and the pinned one."""
    from filters.minilm import GRAPH, GRAPH_SHA256, MiniLM

    folder = settings.cache / "minilm"
    if not (folder / GRAPH).exists():
        return Said(Level.WARN, "not exported yet", "imprimatur models prepare")
    MiniLM(folder)
    return Said(Level.OK, f"MiniLM {GRAPH_SHA256[:12]} in {folder}")


def prompt_filter(_settings: Settings) -> Said:
    """Return whether its weights are those of their card."""
    from filters.weights import load_weights

    return Said(Level.OK, f"weights {load_weights().version}")


def guards(settings: Settings) -> Said:
    """Return whether the guard models are those that were pinned; they are hashed, not loaded."""
    from filters.guards.weights import located, pinned

    for choice in settings.guards:
        pinned(located(choice.model, offline=True), choice.sha256)
    if not settings.guards:
        return Said(Level.OK, "none; the prompt filter reads English, the rest is held")
    names = ", ".join(f"{choice.family} {choice.sha256[:12]}" for choice in settings.guards)
    return Said(Level.OK, names)


def faces(_settings: Settings) -> Said:
    """Return whether the face model is the calibrated one."""
    from likeness.dlib_faces import DlibFaces
    from likeness.thresholds import load_calibration

    model = DlibFaces()
    load_calibration()
    return Said(Level.OK, f"dlib {model.sha256[:12]}, calibrated")


def pictures(settings: Settings) -> Said:
    """Return whether what looks at pictures, and reads what is written there, is as pinned.

    The text reader looks at an empty picture; image classifiers are hashed, not loaded.
    """
    from filters.captions.reader import TextReader
    from filters.guards.weights import located, pinned
    from filters.nudity import NudityDetector

    NudityDetector()
    TextReader().read(np.zeros((64, 64, 3), np.uint8))
    for choice in settings.image_models:
        pinned(located(choice.model, offline=True), choice.sha256)
    more = [f"{choice.family} {choice.sha256[:12]}" for choice in settings.image_models]
    return Said(Level.OK, ", ".join(["NudeNet", "RapidOCR", *more]))


def speech(settings: Settings) -> Said:
    """Return whether the voice detector opens, and the reader of speech is the pinned one.

    A Whisper is hashed and not loaded.
    """
    from filters.speech import VoiceActivity
    from filters.sphinx import Sphinx
    from filters.whisper_files import pinned

    VoiceActivity()
    if settings.whisper is not None:
        found = pinned(settings.whisper.model, settings.whisper.sha256)
        return Said(Level.OK, f"voice activity; Whisper {found.sha256[:12]} reads")
    if not settings.sphinx_s:
        return Said(Level.OK, "voice activity; nothing reads, so speech is held")
    Sphinx(seconds=settings.sphinx_s)
    return Said(Level.OK, "voice activity; pocketsphinx gives hints, and speech is held")


def words(_settings: Settings) -> Said:
    """Return whether the word list opens."""
    from rightsholders.words import load_words

    load_words()
    return Said(Level.OK, "word list")


def policy(settings: Settings) -> Said:
    """Return which policy is live, that it is whole, and whether it is the one that is wished."""
    try:
        live = _live(settings)
    except BookBroken as broken:
        return Said(Level.FAIL, str(broken), "imprimatur policy list")
    if live is None:
        return _first_policy(settings)
    said = f"{short(live.ref)} is live"
    if settings.policy is not None:
        if sha256_of(settings.policy.read_bytes()) == live.ref.sha256:
            return Said(Level.OK, said)
        return Said(
            Level.WARN, f"{said}, and {settings.policy} is not",
            f"imprimatur policy draft {settings.policy}  # then approve, and promote --to live",
        )  # fmt: skip
    packaged = sha256_of(wiring.DEFAULT_POLICY.read_bytes())
    if live.origin is Origin.PACKAGED and packaged != live.ref.sha256:
        return Said(
            Level.WARN, f"{said}, the default of another version",
            f"imprimatur policy draft {wiring.DEFAULT_POLICY}  # then approve, and promote it",
        )  # fmt: skip
    return Said(Level.OK, said)


def _live(settings: Settings) -> Document | None:
    """Return the live document, sure to be whole; None where the book was never begun."""
    if not settings.database_url and not (settings.home / "imprimatur.sqlite3").exists():
        return None
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        with database.reading() as conn:
            if not inspect(conn).has_table("policy_document") or not store.count(conn):
                return None
            ref = Book(database, wiring.policy).standing(conn).live.ref
            return store.document(conn, ref.sha256)
    finally:
        database.close()


def _first_policy(settings: Settings) -> Said:
    from service.policy_book import PolicyRefused

    try:
        policy = wiring.policy((settings.policy or wiring.DEFAULT_POLICY).read_bytes())
    except PolicyRefused as refused:
        return Said(Level.FAIL, str(refused), "unset IMPRIMATUR_POLICY")
    return Said(
        Level.OK, f"{policy.ref.id} {policy.ref.version}, {len(policy.rules)} rules; not live yet"
    )


def generator(settings: Settings) -> Said:
    """Return which one makes films, and what it lacks."""
    from importlib.util import find_spec

    wiring.model(settings)
    if settings.generator == "scenes":
        return Said(Level.OK, "scenes: draws by rule, no trained model")
    if find_spec("diffusers") is None:
        return Said(Level.FAIL, "diffusers is not installed", "make demo")
    folder = Path(settings.ltx2_model)
    if folder.is_dir():
        from generator.weights import check_folder

        check_folder(folder, frozenset())
        return Said(Level.OK, f"ltx2 in {folder}, on {settings.ltx2_device}")
    return Said(
        Level.WARN, f"ltx2: {folder} is no folder, and an id is looked up at the first film",
        "export IMPRIMATUR_LTX2_MODEL=/a/folder/of/weights",
    )  # fmt: skip


def decoder(_settings: Settings) -> Said:
    """Return what stands between a stranger's picture and this machine."""
    stand = walls()
    if {"files", "calls"} <= stand:
        return Said(Level.OK, f"decodes in a child behind {', '.join(sorted(stand))}")
    missing = ", ".join(sorted({"files", "calls"} - stand))
    return Said(
        Level.WARN,
        f"this kernel or container does not wall off {missing} for the process that decodes",
        "uname -r  # Landlock needs 5.13; a container must allow landlock and seccomp",
    )


def codecs(_settings: Settings) -> Said:
    """Return whether a second of film can be written."""
    from generator.shots import Size

    frames = np.zeros((8, 128, 128, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        write_mp4(
            Path(folder) / "codecs.mp4",
            [frames],
            size=Size(128, 128),
            fps=Fraction(8),
            samples=np.zeros((48_000, 2), np.float32),
        )
    return Said(Level.OK, "H.264 and AAC, one second written")
