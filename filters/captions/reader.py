"""Text in one picture: RapidOCR's detector and reader (PP-OCRv6) on our own sessions.

The wheel's own pipeline fetches what it misses from the network, opens files that nobody hashed on
as many threads as there are cores, sorts boxes and leaves their scores behind, and drops what it is
not sure of. So its parts are used one by one.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filters.finding import Box, FilterError, ModelUnavailable
from filters.frames import checked_frame
from filters.pinned import opened, pinned, wheel_file

if TYPE_CHECKING:
    from filters.captions.tiles import Found, Tile

# Changes whenever the same picture may be read another way: models, sizes, order of lines.
DETECTOR = "filters.captions@2"
SHA256 = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx": (
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
    ),
}
# Pixels of the picture that the detector sees: larger ones are made smaller, much larger ones are
# also looked at in parts (filters/captions/tiles.py), and those with fewer than the second larger,
# to twice their width at most. Letters of 10 pixels are found in a picture of 640 x 360 as it is,
# and no more of them in one twice as large, which takes three times as long.
MOST_PIXELS, FEWEST_PIXELS, MOST_ENLARGED, LEAST_SIDE = 1280 * 720, 480 * 270, 2.0, 64
# Read of one picture, largest first; a page of a newspaper has more, and is not read in a second.
MOST_LINES = 32
_REMEDY = "Install `imprimatur[gate]` with constraints.txt (rapidocr 3.10.0)."


class ReadingFailed(FilterError):
    """The reader failed on a picture, so nobody knows what is written in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a picture.

    Attributes:
        text: as read, perhaps empty.
        confidence: that it says so, 0..1: the mean over its characters.
        drawn: that there is text at all, 0..1.
    """

    text: str = field(repr=False)
    confidence: float
    drawn: float
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """What is written in one picture.

    Attributes:
        lines: in the order in which they are read.
        unread: lines over `MOST_LINES`.
        is_too_large: whether small letters in it would not have been found.
    """

    lines: tuple[Line, ...]
    unread: int = 0
    is_too_large: bool = False


class TextReader:
    """Reads what is written in pictures: Latin, Chinese and Japanese letters, also upside down.

    Raises:
        ModelUnavailable: the weights are missing or not those we pinned.
    """

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._engine: _Engine | None = None
        for name in SHA256:
            _weights(name)

    def read(self, frame: NDArray[np.uint8], number: int = 0) -> Page:
        """Return what is written in `frame`, with boxes in its pixels.

        The sessions are opened for the first picture: most processes are never shown one.

        Args:
            frame: (height, width, 3), uint8, RGB, any size; not changed.
            number: of the frame, for the boxes.

        Raises:
            ModelUnavailable: as the constructor; the files are hashed again.
            NotAFrame, ReadingFailed: it cannot be read.
        """
        picture = checked_frame(frame)
        with self._opening:
            if self._engine is None:
                try:
                    self._engine = _Engine()
                except ImportError as missing:
                    name = str(missing.name)
                    raise ModelUnavailable("a package is missing", name, _REMEDY) from missing
        return self._engine.page(picture, number)


class _Engine:
    """The parts of RapidOCR, imported and opened: under a second and 150 MB, 600 MB when used."""

    def __init__(self) -> None:
        import cv2
        import pyclipper
        import shapely
        from omegaconf import OmegaConf
        from rapidocr.ch_ppocr_cls import TextClassifier
        from rapidocr.ch_ppocr_det import TextDetector
        from rapidocr.ch_ppocr_rec import TextRecInput, TextRecognizer
        from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError
        from rapidocr.main import DEFAULT_CFG_PATH
        from rapidocr.utils.parse_parameters import ParseParams
        from rapidocr.utils.process_img import get_rotate_crop_image

        from filters.captions import tiles

        # It writes to the terminal what it opens.
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        chosen = ParseParams.load(DEFAULT_CFG_PATH)
        parts: list[Any] = []
        for part, kind, name in zip(
            ("Det", "Rec", "Cls"), (TextDetector, TextRecognizer, TextClassifier), SHA256,
            strict=True,
        ):  # fmt: skip
            settings = OmegaConf.create(dict(chosen[part]), flags={"allow_objects": True})
            settings.session = opened(_weights(name))
            settings.font_path = None  # it names one even where nothing is drawn
            parts.append(kind(settings))
        self._detector, self._recogniser, self._turner = parts
        self._cv2, self._crop, self._input = cv2, get_rotate_crop_image, TextRecInput
        # With the parts of RapidOCR, because it needs OpenCV.
        self._tiles = tiles
        self._faults = (
            cv2.error, pyclipper.ClipperException, shapely.errors.ShapelyError, ONNXRuntimeError,
            ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError,
            RuntimeError, ArithmeticError, MemoryError,
        )  # fmt: skip

    def page(self, frame: NDArray[np.uint8], number: int) -> Page:
        try:
            return self._page(frame, number)
        except self._faults as broken:
            raise ReadingFailed(f"text could not be read: {type(broken).__name__}") from broken

    def _page(self, frame: NDArray[np.uint8], number: int) -> Page:
        # OpenCV's order of colours, as the models were trained.
        picture = np.ascontiguousarray(frame[:, :, ::-1])
        height, width = picture.shape[:2]
        found = self._found(picture)
        is_too_large = False
        if height * width * self._tiles.LEAST_SCALE**2 > MOST_PIXELS:
            parts = self._tiles.tiles(width, height, MOST_PIXELS)
            is_too_large = not parts
            found = self._tiles.together(found, self._in_parts(picture, parts))
        kept = sorted(found, key=lambda one: -one.area)[:MOST_LINES]
        if not kept:
            return Page((), is_too_large=is_too_large)
        crops = [self._crop(picture, one.corners.copy()) for one in kept]
        crops = self._turner(crops).img_list
        read = self._recogniser(self._input(img=crops))
        if len(read.txts) != len(kept) or not np.isfinite(read.scores).all():
            raise ReadingFailed("the text reader did not read every line")
        lines = [
            Line(text.strip(), _share(sure), _share(one.drawn), _box(number, one.corners))
            for one, text, sure in zip(kept, read.txts, read.scores, strict=True)
        ]
        return Page(tuple(_in_order(lines)), len(found) - len(kept), is_too_large)

    def _in_parts(self, picture: NDArray[np.uint8], parts: "Sequence[Tile]") -> "list[Found]":
        height, width = picture.shape[:2]
        return [
            self._tiles.placed(one, part, width, height)
            for part in parts
            for one in self._found(
                picture[part.y : part.y + part.height, part.x : part.x + part.width]
            )
        ]

    def _found(self, picture: NDArray[np.uint8]) -> "list[Found]":
        """Return where each line stands, and how sure the detector is that there is one."""
        height, width = picture.shape[:2]
        small, large = ((most / (height * width)) ** 0.5 for most in (FEWEST_PIXELS, MOST_PIXELS))
        scale = min(large, max(1.0, min(small, MOST_ENLARGED)))
        size = [max(LEAST_SIDE, round(side * scale / 32) * 32) for side in (width, height)]
        seen = self._cv2.resize(
            picture, size,
            interpolation=self._cv2.INTER_AREA if scale < 1 else self._cv2.INTER_CUBIC,
        )  # fmt: skip
        shown = (seen.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        likely = self._detector.session(np.ascontiguousarray(shown))
        if not np.isfinite(likely).all():
            raise ReadingFailed("the text detector gave something that is no number")
        corners, drawn = self._detector.postprocess_op(likely, (height, width))
        if not np.isfinite(drawn).all():
            raise ReadingFailed("the text detector gave something that is no number")
        return [
            self._tiles.Found(np.asarray(one, np.float32), float(sure))
            for one, sure in zip(corners, drawn, strict=True)
        ]


def _weights(name: str) -> bytes:
    path = wheel_file("rapidocr", f"models/{name}", remedy=_REMEDY)
    return pinned(path, SHA256[name], remedy=_REMEDY)


def _share(score: float) -> float:
    return min(1.0, max(0.0, float(score)))


def _box(number: int, corners: NDArray[np.float32]) -> Box:
    left, top = np.floor(corners.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return Box(number, left, top, right - left, bottom - top)


def _in_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines row by row, each from the left: what overlaps by half its height is one row."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: one.box.y + one.box.height / 2):
        middle = line.box.y + line.box.height / 2
        if rows:
            first = rows[-1][0].box
            if first.y <= middle <= first.y + first.height and line.box.height < 3 * first.height:
                rows[-1].append(line)
                continue
        rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda one: one.box.x)]
