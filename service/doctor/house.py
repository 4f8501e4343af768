"""Checks of what an installation has written down: home, keys, database, log, certificate, port."""

import shutil
import socket
import stat
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from sqlalchemy import Connection, inspect, text

from provenance.signing import checked
from service import wiring
from service.audit import checkpoint as notes
from service.audit import cosigned, merkle, reading, store
from service.audit.errors import AuditError
from service.certificates import identity_from_files
from service.database import Database
from service.doctor.said import START, Level, Said
from service.keys import KeyMissing, KeyRing, Purpose
from service.migrations import HEAD
from service.settings import Settings

_LITTLE_BYTES, _TOO_LITTLE_BYTES = 2 << 30, 256 << 20
_SOON = timedelta(days=30)
# How many of the newest entries the quick look at the log hashes again.
_NEWEST = 100


def environment(settings: Settings) -> Said:
    """Return whether unsafe stand-ins are accepted."""
    if settings.environment == "production":
        return Said(Level.OK, "production")
    return Said(
        Level.WARN, "development: unsafe stand-ins are accepted",
        "export IMPRIMATUR_ENVIRONMENT=production",
    )  # fmt: skip


def home(settings: Settings) -> Said:
    """Return whether the home is there, private and writable."""
    home = settings.home
    if not home.exists():
        return Said(Level.WARN, f"{home} is not made yet", START)
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        return Said(Level.FAIL, f"others can look into {home} ({mode:o})", f"chmod 700 {home}")
    if not _is_writable(home):
        return Said(Level.FAIL, f"{home} cannot be written", f"chown $(id -u) {home}")
    return Said(Level.OK, str(home))


def _is_writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def disk(settings: Settings) -> Said:
    """Return how much is free."""
    there = next(one for one in (settings.home, *settings.home.parents) if one.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:.1f} GiB free at {there}"
    if free < _TOO_LITTLE_BYTES:
        return Said(Level.FAIL, said, f"df -h {there}")
    return Said(Level.WARN if free < _LITTLE_BYTES else Level.OK, said)


def keys(settings: Settings) -> Said:
    """Return whether every key is private and can be read; none is made."""
    folder = settings.home / "keys"
    if not folder.is_dir():
        return Said(Level.WARN, "none yet", START)
    for path in (folder, *sorted(folder.glob("*.key"))):
        mode, wanted = stat.S_IMODE(path.lstat().st_mode), "700" if path == folder else "600"
        if mode & 0o077:
            return Said(Level.FAIL, f"others can open {path} ({mode:o})", f"chmod {wanted} {path}")
    ring, kinds = KeyRing(folder, wiring.now), []
    for purpose in Purpose:
        if any(folder.glob(f"{purpose}-*.key")):
            kinds.append(purpose.value)
            _opened(ring, purpose)
    return Said(Level.OK, f"{', '.join(kinds)} in {folder}")


def _opened(ring: KeyRing, purpose: Purpose) -> None:
    """Read the key; it exists, so nothing is made."""
    if purpose is Purpose.MANIFEST:
        ring.load_bundle()
    elif purpose is Purpose.LOG_COSIGN:
        ring.cosigning()
    elif purpose in {Purpose.TICKET, Purpose.LOG}:
        ring.verifying(purpose)
    else:
        ring.secrets(purpose)


def _is_unmade(settings: Settings) -> bool:
    return not settings.database_url and not (settings.home / "imprimatur.sqlite3").exists()


def database(settings: Settings) -> Said:
    """Return whether it answers, is durable and migrated."""
    if _is_unmade(settings):
        return Said(Level.WARN, "none yet", START)
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        # On SQLite this takes the write lock, so a read-only file or disk fails here.
        with database.transaction() as conn:
            promise, version = database.durability(conn), _version(conn)
    finally:
        database.close()
    said = ", ".join(f"{name} {value}" for name, value in promise.settings)
    if not promise.holds:
        return Said(Level.FAIL, f"an acknowledged commit may be lost: {said}", START)
    if version != HEAD:
        return Said(Level.WARN, f"at migration {version}, this version wants {HEAD}", START)
    return Said(Level.OK, f"{promise.backend}, {said}, migration {version}")


def _version(conn: Connection) -> str:
    return str(conn.execute(text("SELECT version_num FROM alembic_version")).scalar())


def log(settings: Settings) -> Said:
    """Return whether the newest entries lead to the signed root."""
    if _is_unmade(settings):
        return Said(Level.WARN, "no entries yet", START)
    folder = settings.home / "keys"
    if not any(folder.glob("log-*.key")):
        raise KeyMissing(f"the log's key is not in {folder}: restore it from a backup")
    keys = KeyRing(folder, wiring.now).verifying(Purpose.LOG)
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        with database.reading() as conn:
            head = store.head(conn)
            if head is None:
                return Said(Level.WARN, "no entries yet", START)
            signed = notes.read(head.checkpoint, settings.origin, keys)
            looked = _newest(conn, signed)
    finally:
        database.close()
    return Said(Level.OK, f"{signed.size} entries; the newest {looked} lead to the signed root")


def witnesses(settings: Settings) -> Said:
    """Return how far those who cosign the log's checkpoints are."""
    folder = settings.home / "keys"
    if _is_unmade(settings) or not any(folder.glob("log-*.key")):
        return Said(Level.OK, "no entries yet")
    keys = KeyRing(folder, wiring.now)
    outside = wiring.outside(settings, keys)
    if not outside.witnesses:
        return Said(Level.OK, "nobody is asked to cosign the log's checkpoints")
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        with database.reading() as conn:
            head = store.head(conn)
            if head is None or not inspect(conn).has_table(cosigned.log_cosignature.name):
                return Said(Level.WARN, "the database is of an earlier version", START)
            signed = notes.read(head.checkpoint, settings.origin, keys.verifying(Purpose.LOG))
            found = cosigned.standings(conn, outside, signed)
    finally:
        database.close()
    behind = [one for one in found if one.problem or not one.size]
    said = "; ".join(
        f"{one.witness.key.name} saw {one.size} of {signed.size} entries {one.problem}".rstrip()
        for one in found
    )
    if any(one.problem in {"contradicted", "ahead"} for one in behind):
        return Said(Level.FAIL, said, "imprimatur audit verify")
    if behind:
        return Said(Level.WARN, said, "imprimatur witness push")
    return Said(Level.OK, said)


def _newest(conn: Connection, signed: notes.Checkpoint) -> int:
    """Hash the newest entries again and follow the last one's proof; return how many."""
    tiles, first = reading.TileCache().reading(conn), max(0, signed.size - _NEWEST)
    for index in range(first, signed.size):
        leaf = merkle.leaf_hash(reading.entry(conn, index).leaf)
        if index == signed.size - 1:
            proof = merkle.inclusion_proof(index, signed.size, tiles)
            if merkle.root_from_inclusion(leaf, index, signed.size, proof) != signed.root:
                raise AuditError("the newest entry does not lead to the signed root")
    return signed.size - first


def clock(settings: Settings, now: datetime) -> Said:
    """Return the time, and whether the log is ahead of it."""
    if _is_unmade(settings):
        return Said(Level.OK, f"{now:%Y-%m-%d %H:%M} UTC")
    database = Database(settings.url, busy_timeout_s=2.0)
    try:
        with database.reading() as conn:
            last = store.last_place(conn)
            newest = reading.entry(conn, last) if last >= 0 else None
    finally:
        database.close()
    if newest and now < datetime.fromisoformat(newest.logged_at) - timedelta(seconds=2):
        return Said(
            Level.FAIL, f"it is {now:%Y-%m-%d %H:%M} here, before the log's newest entry",
            "timedatectl set-ntp true",
        )  # fmt: skip
    return Said(Level.OK, f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def certificate(settings: Settings, now: datetime) -> Said:
    """Return who signs, and until when."""
    if settings.signer == "files" and settings.signer_chain and settings.signer_key:
        credentials = identity_from_files(settings.signer_chain, settings.signer_key).credentials
        checked(credentials, now)
        return _until(credentials.leaf, now)
    folder = settings.home / "keys"
    if not folder.is_dir() or not any(folder.glob("manifest-*.key")):
        return Said(Level.WARN, "none yet; a development one is made at first", START)
    leaf = load_pem_x509_certificates(KeyRing(folder, wiring.now).load_bundle().pem)[0]
    said = _until(leaf, now)
    return Said(
        max(said.level, Level.WARN), f"development, untrusted everywhere; {said.said}",
        "export IMPRIMATUR_SIGNER=files IMPRIMATUR_SIGNER_CHAIN=… IMPRIMATUR_SIGNER_KEY=…",
    )  # fmt: skip


def _until(leaf: Certificate, now: datetime) -> Said:
    left = leaf.not_valid_after_utc - now
    said = f"valid until {leaf.not_valid_after_utc:%Y-%m-%d}"
    if left < timedelta(0):
        return Said(Level.FAIL, f"expired: {said}", "renew it with its issuer")
    return (
        Said(Level.WARN, said, "renew it with its issuer") if left < _SOON else Said(Level.OK, said)
    )


def port(settings: Settings) -> Said:
    """Return whether it is free."""
    where = f"{settings.host}:{settings.port}"
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            return Said(
                Level.WARN, f"{where}: {taken.strerror}; fine if it is this service",
                "imprimatur serve --port 8001",
            )  # fmt: skip
    return Said(Level.OK, f"{where} is free")
