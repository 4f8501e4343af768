"""Writing as pictures: on a sign, as a caption, and cut into pieces that are shown in turn."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Picture = NDArray[np.uint8]
COLOURS = (
    ((240, 240, 240), (30, 60, 90)),
    ((20, 20, 20), (230, 220, 190)),
    ((255, 220, 40), (20, 20, 20)),
    ((240, 240, 240), (170, 30, 30)),
    ((30, 70, 40), (235, 240, 235)),
)


@dataclass(frozen=True, slots=True)
class Look:
    """How writing looks: its size in pixels, its colours and where it begins."""

    size: int
    colours: tuple[tuple[int, int, int], tuple[int, int, int]]
    at: tuple[int, int]


def a_look(rng: np.random.Generator, width: int, height: int) -> Look:
    """Return a look that leaves room for a line of forty letters."""
    return Look(
        int(rng.integers(height // 22, height // 14)),
        COLOURS[rng.integers(len(COLOURS))],
        (int(rng.integers(4, width // 16)), int(rng.integers(height // 8, height - height // 5))),
    )


def drawn(text: str, look: Look, width: int = 640, height: int = 360) -> Picture:
    """Return a picture with `text` on a board, before a sky: (height, width, 3), uint8, RGB.

    A text that is too long for one line is broken.
    """
    sky = np.linspace((90, 140, 200), (210, 220, 230), height).astype(np.uint8)
    picture = Image.fromarray(np.repeat(sky[:, None], width, axis=1))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(look.size)
    lines = _broken(text, font, width - look.at[0] - 12)
    ink, board = look.colours
    left, top = look.at
    top = min(top, height - len(lines) * look.size * 5 // 4 - 8)
    if text:
        long = max(font.getlength(line) for line in lines)
        box = (left - 4, top - 4, left + long + 8, top + len(lines) * look.size * 5 / 4 + 4)
        pen.rectangle(box, fill=board)
    for number, line in enumerate(lines):
        pen.text((left, top + number * look.size * 5 // 4), line, fill=ink, font=font)
    return np.asarray(picture)


def _broken(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class Spoilt(StrEnum):
    """What keeps a reader from a word and not always a person."""

    STRUCK = "struck through"
    BLURRED = "blurred"
    NOISY = "noisy"
    COARSE = "in coarse pixels"


def spoilt(text: str, look: Look, how: Spoilt, rng: np.random.Generator) -> Picture:
    """Return `drawn`, spoilt: (360, 640, 3), uint8, RGB."""
    picture = Image.fromarray(drawn(text, look))
    match how:
        case Spoilt.STRUCK:
            long = ImageFont.load_default(look.size).getlength(text)
            left, top = look.at
            for share in (0.35, 0.6, 0.85):
                at = top + look.size * share
                ends = (left, at, left + long, at)
                ImageDraw.Draw(picture).line(ends, fill=look.colours[0], width=2)
        case Spoilt.BLURRED:
            picture = picture.filter(ImageFilter.GaussianBlur(look.size * 0.12))
        case Spoilt.NOISY:
            noise = rng.normal(0, 70, (*reversed(picture.size), 3))
            return (np.asarray(picture) + noise).clip(0, 255).astype(np.uint8)
        case Spoilt.COARSE:
            side = max(2, look.size // 6)
            small = picture.reduce(side)
            picture = small.resize(picture.size, Image.Resampling.NEAREST)
        case _:
            assert_never(how)
    return np.asarray(picture)


def cut(text: str, pieces: int, rng: np.random.Generator) -> list[str]:
    """Return `text` in so many pieces, cut anywhere, so also within words."""
    inner = np.arange(3, len(text) - 3)
    cuts = sorted(rng.choice(inner, pieces - 1, replace=False).tolist())
    edges = [0, *cuts, len(text)]
    return [text[start:end].strip() for start, end in pairwise(edges)]
