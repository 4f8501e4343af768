"""A folder with a Whisper model: whole, and the one that was pinned.

Nothing here loads it: `imprimatur models digest` and `doctor` hash it without ctranslate2.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from filters.finding import ModelUnavailable

WEIGHTS = "model.bin"
# Without tokenizer.json faster-whisper silently fetches one from the hub, and without
# preprocessor_config.json it takes 80 mel bands, where large-v3 was trained on 128.
NEEDED = ("config.json", WEIGHTS, "preprocessor_config.json", "tokenizer.json")
# ctranslate2 reads the first of these that is there.
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_CHUNK = 1 << 22
_WHOLE = "Convert it again with ct2-transformers-converter (docs/speech.md)."
_AGAIN = "Let nothing write there, and start again."


@dataclass(frozen=True, slots=True)
class PinnedFolder:
    """A folder whose files are those of `sha256`.

    Attributes:
        states: size, time and inode of each file when it was hashed.
    """

    folder: Path
    sha256: str
    states: tuple[tuple[str, int, int, int], ...]

    def check(self) -> None:
        """Make sure that nothing was swapped between hashing and loading.

        Raises:
            ModelUnavailable: something was.
        """
        if _states(self.folder) != self.states:
            raise ModelUnavailable(
                "a Whisper model's files changed while they were loaded", str(self.folder), _AGAIN
            )


def is_whisper(folder: Path) -> bool:
    """Whether a folder holds such weights at all."""
    return (folder / WEIGHTS).is_file()


def digest(folder: Path) -> str:
    """Return the SHA-256 over the names and SHA-256 of all files that decide what is read.

    Raises:
        ModelUnavailable: one that is needed is missing, or cannot be read.
    """
    whole = hashlib.sha256()
    for path in _files(folder):
        whole.update(f"{path.name}\0{_sha256(path)}\n".encode())
    return whole.hexdigest()


def pinned(folder: Path, sha256: str) -> PinnedFolder:
    """Return the folder, if its digest is `sha256`.

    Raises:
        ModelUnavailable: a file is missing, cut short, swapped or added.
    """
    states = _states(folder)
    found = digest(folder)
    if found != sha256:
        raise ModelUnavailable(
            f"a Whisper model's files are not those that were pinned: they are {found}",
            str(folder),
            "Fetch them again, or, if you know these to be right, pin their hash.",
        )
    return PinnedFolder(folder, found, states)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ModelUnavailable(
            "a Whisper model is no folder here", str(folder), "Correct IMPRIMATUR_WHISPER."
        )
    for name in NEEDED:
        if not (folder / name).is_file():
            raise ModelUnavailable(f"a Whisper model lacks {name}", str(folder), _WHOLE)
    vocabularies = [name for name in VOCABULARIES if (folder / name).is_file()]
    if not vocabularies:
        raise ModelUnavailable("a Whisper model lacks its vocabulary", str(folder), _WHOLE)
    return [folder / name for name in sorted((*NEEDED, *vocabularies))]


def _states(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    try:
        found = [(path.name, path.stat()) for path in _files(folder)]
    except OSError as broken:
        raise ModelUnavailable("a Whisper model cannot be read", str(folder), _AGAIN) from broken
    return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in found)


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    try:
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                found.update(chunk)
    except OSError as broken:
        raise ModelUnavailable("a Whisper file cannot be read", str(path), _AGAIN) from broken
    return found.hexdigest()
