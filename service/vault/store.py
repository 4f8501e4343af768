"""Where films lie. See `service.vault` for the folders."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Container, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path

from service.ids import is_id
from service.vault.errors import (
    BadName,
    BlobDamaged,
    NoSuchBlob,
    Unmarked,
    VaultFull,
    VaultUnavailable,
)
from service.vault.files import alone, copy, is_older, opened, remove, sync_folder

_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERIFIED_BLOBS = 4096
# EFBIG is a limit on the process rather than the disk; the way out is as plain.
_FULL = {
    errno.ENOSPC: "free space on the disk of {root}",
    errno.EDQUOT: "raise the quota of the service's user on {root}",
    errno.EFBIG: "raise the file size limit (ulimit -f) of the service",
}

Shown = Callable[[Collection[str]], Container[str]]
"""Says which of some released files, by SHA-256, a job shows."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A released file: SHA-256 in hex, and bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _Identity:
    """What the file system says about an open file; changes when its content does."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class Vault:
    """Keeps films under `root`, which it creates; one disk, so that a link is possible.

    Args:
        root: belongs to this service alone.
        reserve_bytes: what must stay free on the disk; the database is there as well.

    Raises:
        VaultFull, VaultUnavailable: the folders cannot be made.
    """

    def __init__(self, root: Path, *, reserve_bytes: int = 64 << 20) -> None:
        # Links above the root are the operator's business and are resolved once, here.
        self._root = root.resolve()
        self._quarantine = self._root / "quarantine"
        self._workbench = self._root / "workbench"
        self._incoming = self._root / "released" / "incoming"
        self._blobs = self._root / "released" / "sha256"
        self._naming = self._root / "naming.lock"
        self._reserve_bytes = reserve_bytes
        self._verified: dict[str, _Identity] = {}
        with self._mapped():
            for folder in (self._quarantine, self._workbench, self._incoming, self._blobs):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.chmod(0o700)

    def quarantine(self, job: str) -> Path:
        """Return the folder for the unmarked frames of `job`; the same each time.

        Raises:
            BadName: not an id.
            VaultFull, VaultUnavailable: it cannot be made.
        """
        return self._private(self._quarantine, job)

    def workbench(self, job: str) -> Path:
        """Return the folder where the sealed file of `job` is made; the same each time.

        Raises:
            BadName: not an id.
            VaultFull, VaultUnavailable: it cannot be made.
        """
        return self._private(self._workbench, job)

    def drop(self, job: str) -> None:
        """Remove everything of `job` that is not released; again changes nothing.

        Raises:
            BadName: not an id.
            VaultUnavailable: something would not go.
        """
        with self._mapped():
            for parent in (self._quarantine, self._workbench):
                remove(parent / _checked_job(job))

    def sweep(self, alive: Container[str], now: datetime, older_than: timedelta) -> tuple[str, ...]:
        """Remove what dead processes left behind, and return the ids of the jobs it was of.

        Args:
            alive: jobs whose folders stay. Ask for it before, not after: a folder younger than
                `older_than` stays as well, since its job may be newer than the answer.

        Raises:
            VaultUnavailable: something would not go.
        """
        before = (now - older_than).timestamp()
        swept = set()
        with self._mapped():
            for parent in (self._quarantine, self._workbench):
                for folder in parent.iterdir():
                    if folder.name not in alive and is_older(folder, before):
                        # Whoever ended the job may be removing it as well.
                        with suppress(FileNotFoundError):
                            remove(folder)
                        swept.add(folder.name)
            for leftover in self._incoming.iterdir():
                if is_older(leftover, before):
                    leftover.unlink(missing_ok=True)
        return tuple(sorted(swept))

    def sweep_released(self, shown: Shown, now: datetime, older_than: timedelta) -> tuple[str, ...]:
        """Remove the files that were published and then not released, and return their digests.

        Args:
            shown: asked about the files of one folder at a time. What it raises is passed on, and
                nothing it was asked about is removed.
            older_than: a file published since then stays: its release may commit any moment.

        Raises:
            VaultUnavailable: something would not go.
        """
        before = (now - older_than).timestamp()
        swept: list[str] = []
        with self._mapped():
            for folder in self._blobs.iterdir():
                old = {path.name: path for path in folder.glob("*/*") if is_older(path, before)}
                digests = [name for name in old if _DIGEST.fullmatch(name)]
                stays = shown(digests) if digests else ()
                swept += [
                    name
                    for name in digests
                    if name not in stays and self._discard(old[name], before)
                ]
        return tuple(sorted(swept))

    def publish(self, path: Path, expected_sha256: str) -> Blob:
        """Copy a sealed file to its place for ever; the same content again changes nothing.

        It is on the disk, name and all, when this returns.

        Raises:
            BadName: `expected_sha256` is not one.
            Unmarked: the file lies in quarantine, or has a second name that may.
            NotWhatWasSealed: other content, or not a plain file.
            BlobDamaged: this name is taken by other content.
            VaultFull, VaultUnavailable: nothing was published.
        """
        final = self._place(expected_sha256)
        if path.resolve().is_relative_to(self._quarantine):
            raise Unmarked("a file in quarantine has no marks and is never published")
        with self._mapped(), opened(path) as source:
            sealed = os.fstat(source.fileno())
            # A second name may lie in quarantine, which a path cannot show.
            if sealed.st_nlink != 1:
                raise Unmarked("a file with a second name is never published")
            self._refuse_if_full(sealed.st_size)
            incoming = self._incoming / secrets.token_hex(16)
            try:
                size = copy(source, incoming, expected_sha256)
                self._name(incoming, final)
            finally:
                incoming.unlink(missing_ok=True)
        with self.open(expected_sha256):
            return Blob(expected_sha256, size)

    def open(self, sha256: str) -> BufferedReader:
        """Return the released file, open for reading, its content checked against its name.

        It is hashed once, and again whenever the file system says that it was touched.

        Raises:
            BadName: not a SHA-256.
            NoSuchBlob: there is none.
            BlobDamaged: it was changed on the disk.
        """
        place = self._place(sha256)
        with self._mapped():
            try:
                blob = opened(place)
            except FileNotFoundError:
                raise NoSuchBlob(sha256) from None
            with ExitStack() as unless_whole:
                unless_whole.callback(blob.close)
                self._verify(blob, sha256)
                unless_whole.pop_all()
        return blob

    def delete(self, sha256: str) -> None:
        """Take a released file away; one that is gone already is no error.

        Raises:
            BadName: not a SHA-256.
            VaultUnavailable: it would not go.
        """
        place = self._place(sha256)
        self._verified.pop(sha256, None)
        with self._mapped():
            place.unlink(missing_ok=True)
            if place.parent.is_dir():
                sync_folder(place.parent)

    def _place(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise BadName("a blob is named by 64 lower-case hex digits")
        return self._blobs / sha256[:2] / sha256[2:4] / sha256

    def _private(self, parent: Path, job: str) -> Path:
        folder = parent / _checked_job(job)
        with self._mapped():
            folder.mkdir(mode=0o700, exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise VaultUnavailable(f"{folder.name} is a link, not a folder of ours")
            folder.chmod(0o700)
        return folder

    def _refuse_if_full(self, size: int) -> None:
        free = shutil.disk_usage(self._root).free
        if free < size + self._reserve_bytes:
            raise VaultFull(_FULL[errno.ENOSPC].format(root=self._root))

    def _name(self, incoming: Path, final: Path) -> None:
        """Give a finished copy its name, unless that exists: a link never overwrites."""
        for folder in (final.parent.parent, final.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder.parent)
        with alone(self._naming):
            try:
                os.link(incoming, final, follow_symlinks=False)
            except FileExistsError:
                # Published again, so that its age counts from now on.
                os.utime(final, follow_symlinks=False)
        # Also where it existed: whoever made it may not have come as far as this.
        sync_folder(final.parent)

    def _discard(self, blob: Path, before: float) -> bool:
        """Remove a released file unless it was published again since `before`."""
        with alone(self._naming):
            if not is_older(blob, before):
                return False
            blob.unlink()
        self._verified.pop(blob.name, None)
        return True

    def _verify(self, blob: BufferedReader, sha256: str) -> None:
        status = os.fstat(blob.fileno())
        identity = _Identity(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self._verified.get(sha256) == identity:
            return
        if hashlib.file_digest(blob, "sha256").hexdigest() != sha256:
            raise BlobDamaged(f"{sha256} has other content on the disk")
        blob.seek(0)
        if len(self._verified) >= _VERIFIED_BLOBS:
            self._verified.clear()
        self._verified[sha256] = identity

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as broken:
            if broken.errno in _FULL:
                raise VaultFull(_FULL[broken.errno].format(root=self._root)) from broken
            raise VaultUnavailable(f"{broken.strerror}: {broken.filename}") from broken


def _checked_job(job: str) -> str:
    if not is_id(job):
        raise BadName("a folder is named by the id of a job")
    return job
