"""A folder of weights, looked at before anything is loaded: complete, uncut, and known by its hash.

Reads only headers and bytes; imports no model library.
"""

import hashlib
import json
from pathlib import Path

from generator.model import GeneratorUnavailable

_INDEX = "model_index.json"
# diffusers loads these by class from a config or vocabulary alone; everything else has weights.
_WITHOUT_WEIGHTS = frozenset({"scheduler", "tokenizer", "processor", "audio_scheduler"})
_BLOCK = 1 << 22


def check_folder(folder: Path, needed: frozenset[str]) -> None:
    """Return if `folder` holds every component that its index names, and every one of `needed`.

    Raises:
        GeneratorUnavailable: names the file or component that is missing, cut short or unreadable.
    """
    if not folder.is_dir():
        raise GeneratorUnavailable(f"no folder {folder}")
    index = _json(folder / _INDEX)
    components = {
        name for name, kind in index.items()
        if not name.startswith("_") and isinstance(kind, list) and kind[:1] != [None]
    }  # fmt: skip
    missing = sorted(needed - components)
    if missing:
        raise GeneratorUnavailable(f"{folder / _INDEX} names no {', '.join(missing)}")
    for name in sorted(components):
        _check_component(folder / name, has_weights=name not in _WITHOUT_WEIGHTS)


def digest(folder: Path) -> str:
    """Return the SHA-256, hex, over names and contents of all weight files below `folder`.

    Raises:
        GeneratorUnavailable: there are none, or one cannot be read.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise GeneratorUnavailable(f"no *.safetensors below {folder}")
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.relative_to(folder).as_posix().encode() + b"\0")
        whole.update(_file_digest(file))
    return whole.hexdigest()


def _check_component(folder: Path, *, has_weights: bool) -> None:
    if not folder.is_dir():
        raise GeneratorUnavailable(f"component missing: {folder}")
    if not has_weights:
        if not any(folder.iterdir()):
            raise GeneratorUnavailable(f"component empty: {folder}")
        return
    _json(folder / "config.json")
    for shard in sorted(_shards(folder)):
        if not (folder / shard).is_file():
            raise GeneratorUnavailable(f"weights missing: {folder / shard}")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise GeneratorUnavailable(f"weights missing: {folder} has no *.safetensors")
    for file in files:
        _check_uncut(file)


def _shards(folder: Path) -> set[str]:
    """Return the files that the indexes of split weights name."""
    maps = [_json(index).get("weight_map") for index in folder.glob("*.safetensors.index.json")]
    return {str(shard) for part in maps if isinstance(part, dict) for shard in part.values()}


def _check_uncut(file: Path) -> None:
    """Compare the size of `file` with what its header promises: length, JSON, then data."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if size < 8 or length > size - 8:
            raise GeneratorUnavailable(f"cut short: {file}")
        try:
            header = json.loads(opened.read(length))
            ends = [
                entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"
            ]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as broken:
            raise GeneratorUnavailable(f"not a safetensors file: {file}") from broken
    promised = 8 + length + max(ends, default=0)
    if size != promised:
        raise GeneratorUnavailable(f"cut short: {file} has {size} bytes of {promised}")


def _json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise GeneratorUnavailable(f"missing or unreadable: {file}") from broken
    if not isinstance(content, dict):
        raise GeneratorUnavailable(f"missing or unreadable: {file}")
    return content


def _file_digest(file: Path) -> bytes:
    content = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                content.update(block)
    except OSError as broken:
        raise GeneratorUnavailable(f"unreadable: {file}") from broken
    return content.digest()
