"""Opening, copying and removing files so that neither a link nor a power failure surprises us."""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from service.vault.errors import NotWhatWasSealed

_BLOCK_BYTES = 1 << 20


def opened(path: Path) -> BufferedReader:
    """Return a plain file, open for reading.

    A link put in its place after the path was checked is not followed; a pipe does not block.

    Raises:
        NotWhatWasSealed: a folder, a pipe or a device.
        OSError: as `open` does.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotWhatWasSealed("not a plain file")
    return os.fdopen(descriptor, "rb")


def copy(source: BinaryIO, target: Path, expected_sha256: str) -> int:
    """Write `source` to a new, read-only file and return its bytes, once they are on the disk.

    Raises:
        NotWhatWasSealed: what was written has another digest.
        OSError: no room, or `target` exists.
    """
    size = 0
    digest = hashlib.sha256()
    with target.open("xb", buffering=0) as written:
        while block := source.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            _write_all(written.fileno(), block)
        os.fchmod(written.fileno(), 0o400)
        os.fsync(written.fileno())
    if digest.hexdigest() != expected_sha256:
        raise NotWhatWasSealed(f"the file has the digest {digest.hexdigest()}")
    return size


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other thread or process is in here with the same `lock`, then go on.

    Raises:
        OSError: as `open` does.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_older(path: Path, than: float) -> bool:
    """Whether `path` is there and was modified before `than`, in seconds since 1970."""
    try:
        return path.lstat().st_mtime < than
    except FileNotFoundError:
        return False


def remove(path: Path) -> None:
    """Remove a folder, or the link that stands in its place, and nothing behind a link."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
