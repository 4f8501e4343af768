"""Folders of weights: hashed as a whole, and not used if anything in them is not what was pinned.

Which files of a folder decide an answer, each kind of model says for itself: `filters/guards/
weights.py` for transformers, `filters/whisper_files.py` for Whisper.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from filters.finding import ModelUnavailable

Deciding = Callable[[Path], list[Path]]
"""From a folder to the files in it that decide an answer, sorted by name.

Raises `ModelUnavailable` where the folder is not whole."""
_AGAIN = "Let nothing write there, and start again."


@dataclass(frozen=True, slots=True)
class PinnedFolder:
    """A folder whose files are those of `sha256`.

    Attributes:
        deciding: which of its files were hashed.
        states: size in bytes, time in nanoseconds and inode of each when it was hashed.
    """

    folder: Path
    sha256: str
    deciding: Deciding = field(repr=False)
    states: tuple[tuple[str, int, int, int], ...] = field(repr=False)

    def check(self) -> None:
        """Make sure that nothing was swapped between hashing and loading.

        Raises:
            ModelUnavailable: something was.
        """
        if _states(self.deciding(self.folder)) != self.states:
            raise ModelUnavailable(
                "a model's files changed while they were loaded", str(self.folder), _AGAIN
            )


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 over the names and SHA-256 of `files`, as 64 hex digits.

    Raises:
        ModelUnavailable: one cannot be read.
    """
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.name}\0{_sha256(path)}\n".encode())
    return whole.hexdigest()


def pinned(folder: Path, sha256: str, deciding: Deciding) -> PinnedFolder:
    """Return the folder, if the digest of its deciding files is `sha256`.

    Raises:
        ModelUnavailable: a file is missing, cut short, swapped or added.
    """
    files = deciding(folder)
    # Before the hash: what is written while it is made is noticed too.
    states = _states(files)
    found = digest(files)
    if found != sha256:
        raise ModelUnavailable(
            f"a model's files are not those that were pinned: they are {found}",
            str(folder),
            "Fetch them again, or, if you know these to be right, pin their hash.",
        )
    return PinnedFolder(folder, found, deciding, states)


def _states(files: Iterable[Path]) -> tuple[tuple[str, int, int, int], ...]:
    found = []
    for path in files:
        try:
            stat = path.stat()
        except OSError as broken:
            raise ModelUnavailable("a model's file cannot be read", str(path), _AGAIN) from broken
        found.append((path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(found)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as broken:
        raise ModelUnavailable("a model's file cannot be read", str(path), _AGAIN) from broken
