"""A guard's folder: found, hashed, and not used if anything in it is not what was pinned."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from filters.finding import ModelUnavailable

# What decides an answer: tensors, configuration, vocabulary and template. Pickles never count,
# since they are never opened.
_SUFFIXES = frozenset({".safetensors", ".json", ".jinja", ".model", ".txt"})
_INDEX = "model.safetensors.index.json"
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class Pinned:
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
                "a model's files changed while they were loaded", str(self.folder), _AGAIN
            )


_AGAIN = "Let nothing write there, and start again."


def located(model: str, *, offline: bool) -> Path:
    """Return the folder of `model`: a folder as it is, a hub id from the hub's cache or the hub.

    Args:
        offline: never ask the hub; an id must be in its cache already.

    Raises:
        ModelUnavailable: neither has it.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or model.startswith("."):
        raise ModelUnavailable(
            "a model's folder is missing", model, "Correct the setting that names it."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = [f"*{suffix}" for suffix in sorted(_SUFFIXES)]
    try:
        return Path(snapshot_download(model, allow_patterns=patterns, local_files_only=offline))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as missing:
        remedy = (
            "Download it, or name its folder; IMPRIMATUR_OFFLINE=false asks the hub."
            if offline
            else "Look at the id, your token and the network."
        )
        raise ModelUnavailable("a model is not here", model, remedy) from missing


def digest(folder: Path) -> str:
    """Return the SHA-256 over the names and SHA-256 of all files that decide an answer.

    Raises:
        ModelUnavailable: there are no tensors, or an index names some that are missing.
    """
    names = [path.name for path in _files(folder)]
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelUnavailable(
            "a model has no .safetensors weights", str(folder), "Download all its files."
        )
    for shard in _shards(folder):
        if shard not in names:
            raise ModelUnavailable(
                f"a model lacks the weight file {shard}", str(folder), "Download all its files."
            )
    whole = hashlib.sha256()
    for path in _files(folder):
        whole.update(f"{path.name}\0{_sha256(path)}\n".encode())
    return whole.hexdigest()


def pinned(folder: Path, sha256: str) -> Pinned:
    """Return the folder, if its digest is `sha256`.

    Raises:
        ModelUnavailable: a file is missing, cut short, swapped or added.
    """
    states = _states(folder)
    found = digest(folder)
    if found != sha256:
        raise ModelUnavailable(
            f"a model's files are not those that were pinned: they are {found}",
            str(folder),
            "Download them again, or, if you know these to be right, pin their hash.",
        )
    return Pinned(folder, found, states)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())


def _states(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    try:
        found = [(path.name, path.stat()) for path in _files(folder)]
    except OSError as broken:
        raise ModelUnavailable("a model's folder cannot be read", str(folder), _AGAIN) from broken
    return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in found)


def _shards(folder: Path) -> set[str]:
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        return set(index["weight_map"].values())
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
        raise ModelUnavailable(
            "a model's index of weights is damaged", str(folder), "Download all its files."
        ) from broken


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    try:
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                found.update(chunk)
    except OSError as broken:
        raise ModelUnavailable("a model's file cannot be read", str(path), _AGAIN) from broken
    return found.hexdigest()
