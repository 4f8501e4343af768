"""A transformers model's folder: found, and which of its files decide an answer."""

import json
from pathlib import Path

from filters import folders
from filters.finding import ModelUnavailable
from filters.folders import PinnedFolder

# What decides an answer: tensors, configuration, vocabulary and template. Pickles never count,
# since they are never opened.
_SUFFIXES = frozenset({".safetensors", ".json", ".jinja", ".model", ".txt"})
_INDEX = "model.safetensors.index.json"
_WHOLE = "Download all its files."


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
    """Return the digest of a folder; see `folders.digest`.

    Raises:
        ModelUnavailable: there are no tensors, or an index names some that are missing.
    """
    return folders.digest(deciding(folder))


def pinned(folder: Path, sha256: str) -> PinnedFolder:
    """Return the folder, if its digest is `sha256`.

    Raises:
        ModelUnavailable: a file is missing, cut short, swapped or added.
    """
    return folders.pinned(folder, sha256, deciding)


def deciding(folder: Path) -> list[Path]:
    """Return the files that decide an answer; see `folders.Deciding`."""
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file()
        )
    except OSError as broken:
        raise ModelUnavailable("a model's folder cannot be read", str(folder), _WHOLE) from broken
    names = [path.name for path in files]
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelUnavailable("a model has no .safetensors weights", str(folder), _WHOLE)
    for shard in sorted(_shards(folder)):
        if shard not in names:
            raise ModelUnavailable(f"a model lacks the weight file {shard}", str(folder), _WHOLE)
    return files


def _shards(folder: Path) -> set[str]:
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        return set(index["weight_map"].values())
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
        raise ModelUnavailable(
            "a model's index of weights is damaged", str(folder), _WHOLE
        ) from broken
