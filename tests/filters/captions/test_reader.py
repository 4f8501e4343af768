"""The real reader on drawn text, and what it does when its files are not its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.written.clips import Look, Picture, drawn
from filters.captions import reader as module
from filters.captions.reader import MOST_LINES, ReadingFailed, TextReader
from filters.finding import ModelUnavailable
from filters.frames import NotAFrame
from filters.pinned import wheel_file

LOOK = Look(28, ((240, 240, 240), (30, 60, 90)), (20, 150))
SIGN = "the old cinema opens at eight"


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


def said(reader: TextReader, frame: Picture) -> list[str]:
    return [line.text for line in reader.read(frame).lines]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(320, 180), (640, 360), (1280, 720), (360, 640)])
def test_text_is_read_as_it_is_written_with_its_place(
    reader: TextReader, width: int, height: int
) -> None:
    look = Look(20, LOOK.colours, (12, height // 3))

    (line,) = reader.read(drawn("tea at four", look, width, height), 7).lines

    assert line.text == "tea at four"
    assert line.confidence > 0.9
    assert line.box.frame == 7
    assert abs(line.box.x - 12) < 10
    assert abs(line.box.y - height // 3) < 14


@pytest.mark.slow
def test_lines_are_read_in_the_order_of_reading(reader: TextReader) -> None:
    frame = drawn(f"{SIGN} and the new one opens at nine", LOOK, 480, 360)

    assert " ".join(said(reader, frame)) == f"{SIGN} and the new one opens at nine"


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_text_that_was_turned_is_read(reader: TextReader, turns: int) -> None:
    frame = np.ascontiguousarray(np.rot90(drawn(SIGN, LOOK), turns))

    assert "cinema opens" in " ".join(said(reader, frame))


@pytest.mark.slow
def test_a_plain_picture_has_no_text_and_the_same_one_the_same_text(reader: TextReader) -> None:
    frame = drawn(SIGN, LOOK)

    assert reader.read(np.full((90, 160, 3), 90, np.uint8)).lines == ()
    assert reader.read(frame) == reader.read(frame.copy())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 3, 3), (17, 40, 3)])
def test_a_picture_of_any_shape_is_looked_at(
    reader: TextReader, shape: tuple[int, int, int]
) -> None:
    assert reader.read(np.full(shape, 90, np.uint8)).unread == 0


@pytest.mark.slow
def test_of_a_page_with_many_lines_those_left_out_are_counted(reader: TextReader) -> None:
    words = [f"line {number} of the page" for number in range(MOST_LINES // 2 + 4)]
    half = np.concatenate([drawn(word, Look(20, LOOK.colours, (8, 2)), 320, 32) for word in words])
    page = np.concatenate([half, half], axis=1)

    read = reader.read(page)

    assert len(read.lines) == MOST_LINES
    assert read.unread > 0


def test_what_is_no_frame_is_refused(reader: TextReader) -> None:
    with pytest.raises(NotAFrame):
        reader.read(np.zeros((8, 8), np.uint8))


class Broken:
    """A part of the engine that gives what a test says."""

    def __init__(self, given: object) -> None:
        self.given = given

    def session(self, _shown: object) -> object:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [RuntimeError("x"), ValueError("x"), np.full((1, 1, 64, 64), np.nan, np.float32), "nonsense"],
    ids=["raises", "refuses", "nan", "nonsense"],
)
def test_a_model_that_fails_is_no_picture_without_text(given: object) -> None:
    reader = TextReader()
    reader.read(np.zeros((64, 64, 3), np.uint8))
    assert reader._engine is not None
    reader._engine._detector = Broken(given)

    with pytest.raises(ReadingFailed):
        reader.read(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("name", sorted(module.SHA256))
@pytest.mark.parametrize("fault", ["missing", "cut short", "swapped"])
def test_weights_that_are_not_the_pinned_ones_are_refused(
    name: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(package: str, inner: str, *, remedy: str) -> Path:
        right = wheel_file(package, inner, remedy=remedy)
        path = tmp_path / right.name
        if right.name != name:
            return right
        if fault == "cut short":
            path.write_bytes(right.read_bytes()[:-1])
        if fault == "swapped":
            path.write_bytes(right.read_bytes()[:-1] + b"\0")
        return path

    monkeypatch.setattr(module, "wheel_file", elsewhere)

    with pytest.raises(ModelUnavailable, match=name):
        TextReader()


def test_nothing_is_imported_before_the_first_picture() -> None:
    program = (
        "import sys; from filters.captions.captions import packaged; packaged(None);"
        "print(sorted({'rapidocr', 'cv2', 'torch', 'shapely'} & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert said.stdout.strip() == b"[]"


def test_a_part_of_the_engine_that_is_not_installed_is_named() -> None:
    program = (
        "import sys, numpy as np; sys.modules['pyclipper'] = None\n"
        "from filters.captions.reader import TextReader\n"
        "from filters.finding import ModelUnavailable\n"
        "try: TextReader().read(np.zeros((64, 64, 3), np.uint8))\n"
        "except ModelUnavailable as missing: print(missing.where)\n"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert said.stdout.strip() == b"pyclipper"


@pytest.mark.slow
def test_reading_writes_nothing_to_the_terminal_and_asks_nobody() -> None:
    program = (
        "import socket, numpy as np\n"
        "def no(*_a, **_k): raise SystemExit('network')\n"
        "socket.socket.connect = no\n"
        "from filters.captions.reader import TextReader\n"
        "TextReader().read(np.zeros((64, 64, 3), np.uint8))\n"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert (said.stdout, said.stderr) == (b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("at", [(4400, 3100), (2100, 1990), (6200, 60)], ids=["in", "seam", "edge"])
def test_letters_of_ordinary_size_are_read_in_a_very_large_picture(
    reader: TextReader, at: tuple[int, int]
) -> None:
    frame = drawn(SIGN, Look(40, LOOK.colours, at), 7000, 4000)

    (line,) = reader.read(frame).lines

    assert line.text == SIGN
    assert abs(line.box.x - at[0]) < 90
    assert abs(line.box.y - at[1]) < 50


@pytest.mark.slow
def test_a_frame_of_a_film_is_looked_at_once() -> None:
    reader = TextReader()
    reader.read(np.zeros((64, 64, 3), np.uint8))
    assert reader._engine is not None
    detector = reader._engine._detector
    seen: list[int] = []

    class Counted:
        postprocess_op = detector.postprocess_op

        def session(self, shown: np.ndarray) -> object:
            seen.append(shown.size // 3)
            return detector.session(shown)

    reader._engine._detector = Counted()
    for width, height in ((1280, 720), (1920, 1080), (2560, 1440)):
        reader.read(np.zeros((height, width, 3), np.uint8))

    assert len(seen) == 3
    assert max(seen) <= 1.05 * module.MOST_PIXELS


@pytest.mark.slow
def test_a_picture_of_too_many_parts_says_so(reader: TextReader) -> None:
    page = reader.read(np.zeros((200, 400_000, 3), np.uint8))

    assert page.is_too_large
    assert not reader.read(np.zeros((720, 1280, 3), np.uint8)).is_too_large
