"""Video prompts by slot grammar: harmful ones in plain words, and harmless ones that look alike.

Public sets hold questions and insults, not scenes; these fill that gap. Nothing here instructs, is
graphic beyond naming the act, uses a rare slur, or is sexual about anybody who is not plainly an
adult. The lines stand in `filters/train/corpus` (format: `filters/train/lines.py`). A line is one
unit of the held-out split: no line gives texts to both training and test.

    scenes(each, seed) -> Iterator[Scene(text, line, categories, unknown, near)]
    Scene.category: the first of `categories`, "" if harmless
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filters.train.lines import FOLDER, SHARED, Line, Slots, lines, slots

MAX_WORDS = 60
# Of the texts of a template; the others get a frame that every category shares.
_UNFRAMED = 0.4
_CHOICE = re.compile(r"\{([^{}]+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|un(?!i)|ug)(?!one\b|one-|eu|Eu)")
_SENTENCES = re.compile(r"[.?!:] ")


class UnknownSlot(Exception):
    """A line names a slot that neither its file nor the shared one has."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One prompt.

    Attributes:
        line: where it came from; texts of one line belong on one side of any split.
        categories: what it shows; empty if it is harmless.
        unknown: what it may also show: neither an example for nor against.
        near: of a harmless one, the category that it could be mistaken for, or "".
    """

    text: str
    line: str
    categories: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    near: str = ""

    @property
    def category(self) -> str:
        """The first category, or "" if harmless."""
        return self.categories[0] if self.categories else ""


def scenes(each: int, seed: int, folder: Path = FOLDER) -> Iterator[Scene]:
    """Yield up to `each` distinct prompts per template, and every whole text once.

    The same seed gives the same prompts, whatever lines come and go beside them.

    Raises:
        BadLine: a file is not in the format.
        UnknownSlot: see there.
    """
    shared = slots(folder / SHARED)
    for line in lines(folder):
        for text in sorted(_texts(line, each, seed, shared)):
            yield Scene(text, line.text, line.categories, line.unknown, line.near)


def _texts(line: Line, each: int, seed: int, shared: Slots) -> set[str]:
    if line.whole:
        return {line.text}
    # By line, so that a new line changes no other's prompts. Not for secrets.
    chance = random.Random(f"{seed}:{line.text}")  # noqa: S311
    found = set()
    for _ in range(each):
        scene = _ARTICLE.sub(r"\1n ", _filled(line.text, line.slots, chance))
        framed = _framed(scene, shared, chance)
        found.add(framed if len(framed.split()) <= MAX_WORDS else scene)
    return found


def _filled(text: str, known: Slots, chance: random.Random) -> str:
    while True:
        found = _CHOICE.search(text)
        if not found:
            return text
        inline = "|" in found[1]
        if not inline and found[1] not in known:
            raise UnknownSlot(f"{{{found[1]}}} in: {text}")
        choice = chance.choice(found[1].split("|") if inline else known[found[1]])
        text = text[: found.start()] + choice + text[found.end() :]


def _framed(scene: str, shared: Slots, chance: random.Random) -> str:
    """Return `scene` in a frame, in a person's way of writing: neat, or all in lower case.

    One of several sentences is a whole prompt by itself and gets no frame.
    """
    if chance.random() >= _UNFRAMED and not _SENTENCES.search(scene):
        frame = _filled(chance.choice(shared["frame"]), shared, chance)
        scene = " ".join(frame.replace("*", scene).split())
    manner = chance.random()
    if manner < 0.5:
        scene = scene[0].upper() + scene[1:]
        return scene if scene[-1] in ".!?\"'" else scene + "."
    return scene.lower() if manner > 0.85 else scene
