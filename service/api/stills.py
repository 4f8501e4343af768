"""Thumbnail and sprite sheet of a released film, made from the file that was released."""

import shutil
import tempfile
import threading
from collections import OrderedDict
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from service.media import stills
from service.media.headers import PictureKind
from service.media.reading import read_clip
from service.vault import Vault

THUMBNAIL_SIDE = 512
SHEET_SIDE = 4
CELL_SIDE = 240
_KEPT = 128


class Still(StrEnum):
    """A picture of a film, by its name in OpenAI's `variant`."""

    THUMBNAIL = "thumbnail"
    SPRITESHEET = "spritesheet"

    @property
    def media_type(self) -> str:
        """`image/webp` or `image/jpeg`."""
        return "image/webp" if self is Still.THUMBNAIL else "image/jpeg"


class Stills:
    """Makes each picture once, one at a time: a film is decoded whole, on the disk."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Still], bytes] = OrderedDict()
        self._decoding = threading.Lock()

    def of(self, vault: Vault, sha256: str, still: Still) -> bytes:
        """Return a picture of the released film `sha256`.

        Raises:
            VaultError: there is no such film, or it was changed.
            MediaError: it cannot be decoded.
        """
        with self._decoding:
            kept = self._kept.get((sha256, still))
            if kept is None:
                self._make(vault, sha256)
                kept = self._kept[sha256, still]
            return kept

    def _make(self, vault: Vault, sha256: str) -> None:
        with tempfile.TemporaryDirectory(prefix="stills-") as folder:
            film = Path(folder) / "film.mp4"
            with vault.open(sha256) as blob, film.open("wb") as copy:
                shutil.copyfileobj(blob, copy)
            frames = read_clip(film, Path(folder) / "frames").frames
            for still in Still:
                self._kept[sha256, still] = _drawn(frames, still)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _drawn(frames: NDArray[np.uint8], still: Still) -> bytes:
    match still:
        case Still.THUMBNAIL:
            return stills.thumbnail(np.asarray(frames[len(frames) // 2]), THUMBNAIL_SIDE)
        case Still.SPRITESHEET:
            return stills.encoded(_sheet(frames), PictureKind.JPEG)
        case _:
            assert_never(still)


def _sheet(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return evenly spaced frames in reading order, each reduced by whole pixels."""
    step = max(1, -(-max(frames.shape[1:3]) // CELL_SIDE))
    places = np.linspace(0, len(frames) - 1, SHEET_SIDE * SHEET_SIDE).round().astype(int)
    cells = [np.asarray(frames[place][::step, ::step]) for place in places]
    rows = [
        np.concatenate(cells[start : start + SHEET_SIDE], axis=1)
        for start in range(0, len(cells), SHEET_SIDE)
    ]
    return np.ascontiguousarray(np.concatenate(rows, axis=0))
