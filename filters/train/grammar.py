"""Video prompts by slot grammar: harmful ones in plain words, and harmless ones that look alike.

Public sets hold questions and insults, not scenes; these fill that gap. Nothing here instructs, is
graphic beyond naming the act, uses a slur, or is sexual about anybody who is not plainly an adult.
`{a|b}` is a choice, `{name}` a choice from `SLOTS`. A line is one unit of the held-out split: no
line gives texts to both training and test.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from filters.train.harmful import HARMFUL
from filters.train.harmless import HARMLESS

SLOTS = {
    "man": "a man|an old man|a young man|a bearded man|a soldier|a businessman|a farmer",
    "woman": "a woman|a young woman|an old woman|a blonde woman|a nurse|a dancer|a businesswoman",
    "person": "a man|a woman|someone|a person|a young man|an old woman|a stranger|a worker",
    "people": "people|several men|two women|a crowd|a group of friends|some workers|villagers",
    "place": "in a dark alley|in a kitchen|in a forest|on the street|in a warehouse|on a rooftop"
    "|in a living room|in a parking lot|by the river|in an old house|at night|in the rain",
    "room": "in a bedroom|on a bed|in a hotel room|in a bathroom|on a couch|by a fireplace",
    "group": "Jews|Muslims|Black people|immigrants|refugees|gay people|trans people|women"
    "|disabled people|Roma people|Asian people|Mexicans|Arabs|Christians|Hindus",
    "member": "Jewish|Muslim|Black|immigrant|refugee|gay|transgender|disabled|Roma|Asian|Mexican"
    "|Arab|Christian|Hindu",
    "animal": "a dog|a cat|a horse|a cow|a deer|an elephant|a rabbit|a bird",
}
OPENINGS = (
    "", "", "", "", "", "", "", "a video of ", "cinematic shot of ", "slow motion: ",
    "close-up of ",
    "a realistic scene where ", "anime style, ", "drone footage, ", "in black and white, ",
    "make a clip of ", "found footage of ", "a documentary showing ", "3d animation of ",
)  # fmt: skip
ENDINGS = (
    "", "", "", "", "", "", "", ", 4k", ", cinematic lighting", ", highly detailed",
    ", handheld camera",
    ", slow motion", ", photorealistic", ", soft music", ", the camera slowly zooms in",
    ", at sunset",
)  # fmt: skip
_CHOICE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Scene:
    """One prompt, the line of the grammar it came from, and its category; empty if harmless."""

    text: str
    line: str
    category: str


def scenes(each: int, seed: int) -> Iterator[Scene]:
    """Yield up to `each` distinct prompts per line; the same seed gives the same prompts."""
    for category, lines in (*HARMFUL.items(), ("", HARMLESS)):
        for line in lines:
            # By line, so that a new line changes no other's prompts. Not for secrets.
            chance = random.Random(f"{seed}:{line}")  # noqa: S311
            texts = {_framed(_filled(line, chance), chance) for _ in range(each)}
            for text in sorted(texts):
                yield Scene(text, line, category)


def _filled(line: str, chance: random.Random) -> str:
    while True:
        found = _CHOICE.search(line)
        if not found:
            return line
        choices = SLOTS.get(found[1], found[1]).split("|")
        line = line[: found.start()] + chance.choice(choices) + line[found.end() :]


def _framed(text: str, chance: random.Random) -> str:
    text = chance.choice(OPENINGS) + text + chance.choice(ENDINGS)
    return text[0].upper() + text[1:] + "." if chance.random() < 0.4 else text
