"""A Whisper model's folder: which of its files decide what is read, and whether all are there.

Nothing here loads it: `imprimatur models digest` and `doctor` hash it without ctranslate2.
"""

from pathlib import Path

from filters import folders
from filters.finding import ModelUnavailable
from filters.folders import PinnedFolder

WEIGHTS = "model.bin"
# Without tokenizer.json faster-whisper silently fetches one from the hub, and without
# preprocessor_config.json it takes 80 mel bands, where large-v3 was trained on 128.
NEEDED = ("config.json", WEIGHTS, "preprocessor_config.json", "tokenizer.json")
# ctranslate2 reads the first of these that is there.
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_WHOLE = "Convert it again with ct2-transformers-converter (docs/speech.md)."


def is_whisper(folder: Path) -> bool:
    """Whether a folder holds such weights at all."""
    return (folder / WEIGHTS).is_file()


def digest(folder: Path) -> str:
    """Return the digest of a folder; see `folders.digest`.

    Raises:
        ModelUnavailable: a file that is needed is missing, or cannot be read.
    """
    return folders.digest(deciding(folder))


def pinned(folder: Path, sha256: str) -> PinnedFolder:
    """Return the folder, if its digest is `sha256`.

    Raises:
        ModelUnavailable: a file is missing, cut short, swapped or added.
    """
    return folders.pinned(folder, sha256, deciding)


def deciding(folder: Path) -> list[Path]:
    """Return the files that decide what is read; see `folders.Deciding`."""
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
