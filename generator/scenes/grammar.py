"""A prompt is read as a scene: word by word, in any order, saying which characters it used."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np

from generator.scenes.scene import (
    MAX_THINGS,
    Ambience,
    Camera,
    Colour,
    Material,
    Motion,
    Scale,
    Scene,
    Setting,
    Shape,
    Thing,
)
from generator.scenes.vocabulary import EXAMPLE, WORDS, Count, Heaven, Meaning, Noun, Plain, Surface
from generator.shots import ShotNotPossible

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[.;!?\n]")
_Choice = TypeVar("_Choice", bound=StrEnum)
_ADJECTIVES = (Colour, Material, Scale, Count)
# The first motion is what the thing does when nothing is said.
_CAN: dict[Shape, tuple[Motion, ...]] = {
    Shape.BALL: (Motion.BOUNCE, Motion.ROLL, Motion.FALL, Motion.ORBIT, Motion.SWING),
    Shape.BOX: (Motion.FALL, Motion.BOUNCE, Motion.ROLL, Motion.ORBIT),
    Shape.PENDULUM: (Motion.SWING,),
    Shape.LEAF: (Motion.FALL,),
    Shape.DROP: (Motion.DRIP, Motion.FALL),
}
_DOES: dict[Motion, Shape] = {Motion.SWING: Shape.PENDULUM, Motion.DRIP: Shape.DROP}


@dataclass(frozen=True, slots=True)
class _Word:
    means: Meaning
    start: int
    end: int


@dataclass(slots=True)
class _Holder:
    """A noun or surface while its adjectives and verb are being gathered."""

    word: _Word
    adjectives: list[_Word] = field(default_factory=list)
    motion: _Word | None = None

    def all(self, kind: type[_Choice]) -> list[_Choice]:
        return [word.means for word in self.adjectives if isinstance(word.means, kind)]


def read(prompt: str, seed: int) -> Scene:
    """Return the scene `prompt` describes; `seed` decides what the prompt leaves open.

    Not asked for, the camera is static and nothing but the things is heard.

    Raises:
        ShotNotPossible: nothing it knows to draw, more than `MAX_THINGS` things, or a thing that
            cannot move as asked; the message says what is possible.
    """
    words = list(_without_negated(_words(prompt)))
    holders = _holders(words)
    open_choice = _Open(seed)
    things = _things(holders, open_choice)
    raining = any(word.means is Ambience.RAIN for word in words)
    if not things and not raining:
        raise ShotNotPossible(f"prompt: it names nothing this renderer can draw. {EXAMPLE}")
    floor, wall = (
        _paint(holders, *kinds)
        for kinds in ((Surface.FLOOR, Surface.LAWN), (Surface.WALL, Surface.SKY))
    )
    setting = _setting(words, things)
    return Scene(
        things=things,
        setting=setting,
        floor=floor or open_choice.of(_GROUND[setting]),
        wall=wall or open_choice.of(_BEHIND[setting]),
        camera=_said(words, Camera, Camera.STATIC),
        ambience=_said(words, Ambience, Ambience.SILENCE),
        understood=_understood(words, holders, setting),
    )


def named(text: str) -> frozenset[str]:
    """Return what `text` names that can be drawn or heard: shapes and ambiences, as words."""
    means = [word.means for word in _words(text)]
    shapes = {meaning.shape.value for meaning in means if isinstance(meaning, Noun)}
    return frozenset(shapes | {meaning.value for meaning in means if isinstance(meaning, Ambience)})


_GROUND = {
    Setting.ROOM: (Colour.BROWN, Colour.GREY, Colour.GREEN, Colour.BLUE, Colour.TURQUOISE),
    Setting.OUTDOORS: (Colour.GREEN, Colour.GREEN, Colour.BROWN, Colour.YELLOW),
    Setting.SPACE: (Colour.BLACK,),
}
_BEHIND = {
    Setting.ROOM: (
        Colour.WHITE,
        Colour.YELLOW,
        Colour.BLUE,
        Colour.PINK,
        Colour.TURQUOISE,
        Colour.GREY,
    ),
    Setting.OUTDOORS: (Colour.BLUE, Colour.BLUE, Colour.TURQUOISE, Colour.ORANGE),
    Setting.SPACE: (Colour.BLACK, Colour.PURPLE, Colour.BLUE),
}
_LIVELY = tuple(
    colour for colour in Colour if colour not in {Colour.WHITE, Colour.GREY, Colour.BLACK}
)


class _Open:
    """Decides what was left open, from the seed alone and always in the same order."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng((seed, 1))

    def of(self, choices: tuple[_Choice, ...]) -> _Choice:
        return choices[int(self._rng.integers(len(choices)))]


def _words(prompt: str) -> list[_Word]:
    words: list[_Word] = []
    for token in _TOKEN.finditer(prompt):
        text = token.group().casefold()
        means: Meaning | None = WORDS.get(text)
        if text in ".;!?\n":
            means = Plain.BREAK
        elif text.isdigit() and means is None:
            means = Count(MAX_THINGS + 1)
        if isinstance(means, Noun) and text.startswith("drop") and words:
            means = _drop(means, words)
        if means is not None:
            words.append(_Word(means, token.start(), token.end()))
    return words


def _drop(noun: Noun, before: list[_Word]) -> Meaning:
    """Tell the drop from the verb (a ball drops) and from rain (rain drops)."""
    last = before[-1].means
    if last is Ambience.RAIN:
        return Ambience.RAIN
    if isinstance(last, Noun) and last.shape in {Shape.BALL, Shape.BOX, Shape.LEAF}:
        return Motion.FALL
    return noun


def _without_negated(words: list[_Word]) -> Iterator[_Word]:
    """Leave out `no`, and whatever it denies: up to and with the next noun, or one word."""
    denying = False
    for word in words:
        if word.means is Plain.NEGATION:
            denying = True
        elif denying and not isinstance(word.means, (*_ADJECTIVES, Plain)):
            denying = False
        elif not denying:
            yield word
        if word.means is Plain.BREAK:
            denying = False


def _holders(words: list[_Word]) -> list[_Holder]:
    """Return nouns and surfaces in order, each with its own adjectives and verb."""
    holders = {
        id(word): _Holder(word) for word in words if isinstance(word.means, (Noun, Surface, Heaven))
    }
    if not holders and any(isinstance(word.means, Motion) for word in words):
        return [_implied(words)]
    after = _adjectives_follow(words)
    for place, word in enumerate(words):
        if isinstance(word.means, _ADJECTIVES):
            owner = _owner(words, place, holders, prefer_before=after)
            if owner is not None:
                owner.adjectives.append(word)
    for place, word in enumerate(words):
        if isinstance(word.means, Motion):
            mover = _mover(words, place, holders)
            if mover is not None:
                mover.motion = word
    return list(holders.values())


def _implied(words: list[_Word]) -> _Holder:
    """Return the thing that a motion alone stands for: something bouncing is a ball."""
    motion = next(word for word in words if isinstance(word.means, Motion))
    shape = _DOES.get(motion.means, Shape.BALL) if isinstance(motion.means, Motion) else Shape.BALL
    word = _Word(Noun(shape), motion.start, motion.end)
    adjectives = [each for each in words if isinstance(each.means, (Colour, Material, Scale))]
    return _Holder(word, adjectives, motion)


def _adjectives_follow(words: list[_Word]) -> bool:
    """Whether colours stand behind their nouns throughout: ball red, floor green."""
    order = "".join(
        "c" if isinstance(word.means, Colour) else "n"
        for word in words
        if isinstance(word.means, (Colour, Noun, Surface))
    )
    return re.fullmatch(r"(nc){2,}", order) is not None


def _owner(
    words: list[_Word], place: int, holders: dict[int, _Holder], *, prefer_before: bool
) -> _Holder | None:
    """Return whom the adjective at `place` describes: the next noun, or the last one."""
    copula = place > 0 and words[place - 1].means is Plain.COPULA
    if isinstance(words[place].means, Count):
        return _neighbour(words[place + 1 :], holders, lambda means: isinstance(means, _ADJECTIVES))
    ahead = _neighbour(words[place + 1 :], holders, lambda means: means is not Plain.BREAK)
    behind = _neighbour(words[place - 1 :: -1] if place else [], holders, lambda _: True)
    return (behind or ahead) if prefer_before or copula else (ahead or behind)


def _neighbour(
    words: list[_Word], holders: dict[int, _Holder], passes: Callable[[Meaning], bool]
) -> _Holder | None:
    for word in words:
        if id(word) in holders:
            return holders[id(word)]
        if not passes(word.means):
            return None
    return None


def _mover(words: list[_Word], place: int, holders: dict[int, _Holder]) -> _Holder | None:
    """Return who does the motion at `place`: the noun it leads (a rolling ball), or the last."""
    ahead = _neighbour(words[place + 1 :], holders, lambda means: isinstance(means, _ADJECTIVES))
    if ahead is not None and isinstance(ahead.word.means, Noun) and ahead.motion is None:
        return ahead
    things = [holder for holder in holders.values() if isinstance(holder.word.means, Noun)]
    idle = [thing for thing in things if thing.motion is None]
    before = [thing for thing in idle if thing.word.start < words[place].start]
    return before[-1] if before else next(iter(idle), None)


def _things(holders: list[_Holder], open_choice: _Open) -> tuple[Thing, ...]:
    nouns = [holder for holder in holders if isinstance(holder.word.means, Noun)]
    verbs = [each.motion for each in nouns if each.motion and each.motion.start > each.word.start]
    things: list[Thing] = []
    for holder in nouns:
        noun = holder.word.means
        assert isinstance(noun, Noun)  # noqa: S101 - narrowed by the line above
        said = holder.motion.means if holder.motion else noun.motion
        motion = said if isinstance(said, Motion) else _shared(verbs, noun.shape)
        shape, motion = _able(noun.shape, motion)
        counts = [word.means.number for word in holder.adjectives if isinstance(word.means, Count)]
        number = counts[-1] if counts else noun.number
        colours = holder.all(Colour)
        if noun.number > 1 and not counts:
            number = max(number, len(colours))
        things += [
            _thing(holder, shape, motion, colours, index, open_choice) for index in range(number)
        ]
    if len(things) > MAX_THINGS:
        raise ShotNotPossible(f"prompt: at most {MAX_THINGS} things in one scene. {EXAMPLE}")
    if any(thing.motion is Motion.ORBIT for thing in things) and any(
        thing.motion is not Motion.ORBIT for thing in things
    ):
        raise ShotNotPossible(f"prompt: what orbits has no floor to share with the rest. {EXAMPLE}")
    return tuple(things)


def _shared(verbs: list[_Word], shape: Shape) -> Motion | None:
    """Return the motion a thing takes from another's verb: a ball and a box bounce."""
    able = [
        verb.means for verb in verbs if isinstance(verb.means, Motion) and verb.means in _CAN[shape]
    ]
    return able[-1] if able else None


def _able(shape: Shape, motion: Motion | None) -> tuple[Shape, Motion]:
    if motion is None:
        return shape, _CAN[shape][0]
    if motion not in _CAN[shape]:
        raise ShotNotPossible(f"prompt: a {shape} cannot {motion} here. {EXAMPLE}")
    if motion is Motion.SWING:
        return Shape.PENDULUM, motion
    return shape, Motion.DRIP if shape is Shape.DROP else motion


def _thing(
    holder: _Holder,
    shape: Shape,
    motion: Motion,
    colours: list[Colour],
    index: int,
    open_choice: _Open,
) -> Thing:
    # Every choice is drawn, needed or not, so that naming the colour leaves the rest as it was.
    free_colour = open_choice.of(_TINTS.get(shape, _LIVELY))
    free_scale = open_choice.of((Scale.SMALL, Scale.MEDIUM, Scale.MEDIUM, Scale.LARGE))
    free_material = open_choice.of(_SPRINGY if motion is Motion.BOUNCE else _USUAL[shape])
    materials, scales = holder.all(Material), holder.all(Scale)
    return Thing(
        shape,
        motion,
        colours[index % len(colours)] if colours else free_colour,
        scales[-1] if scales else free_scale,
        materials[-1] if materials else free_material,
    )


_TINTS: dict[Shape, tuple[Colour, ...]] = {
    Shape.LEAF: (Colour.ORANGE, Colour.YELLOW, Colour.RED, Colour.BROWN, Colour.GREEN),
    Shape.DROP: (Colour.BLUE, Colour.TURQUOISE),
}
_SPRINGY = (Material.RUBBER, Material.RUBBER, Material.RUBBER, Material.GLASS, Material.METAL)
_USUAL: dict[Shape, tuple[Material, ...]] = {
    Shape.BALL: (Material.RUBBER, Material.RUBBER, Material.WOOD, Material.METAL, Material.GLASS),
    Shape.BOX: (Material.WOOD, Material.WOOD, Material.METAL, Material.RUBBER),
    Shape.PENDULUM: (Material.METAL, Material.WOOD),
    Shape.LEAF: (Material.WOOD,),
    Shape.DROP: (Material.GLASS,),
}


def _paint(holders: list[_Holder], *surfaces: Surface) -> Colour | None:
    for holder in holders:
        if holder.word.means in surfaces:
            if holder.all(Colour):
                return holder.all(Colour)[-1]
            if Material.WOOD in holder.all(Material):
                return Colour.BROWN
            if holder.word.means is Surface.LAWN:
                return Colour.GREEN
    return None


def _said(words: list[_Word], kind: type[_Choice], otherwise: _Choice) -> _Choice:
    return next((word.means for word in words if isinstance(word.means, kind)), otherwise)


def _setting(words: list[_Word], things: tuple[Thing, ...]) -> Setting:
    if things and all(thing.motion is Motion.ORBIT for thing in things):
        return Setting.SPACE
    means = [word.means for word in words]
    if Setting.ROOM in means or Surface.WALL in means:
        return Setting.ROOM
    outdoors = (
        Setting.OUTDOORS,
        Surface.SKY,
        Surface.LAWN,
        Ambience.WIND,
        Ambience.RAIN,
        Ambience.BIRDS,
    )
    if any(meaning in means for meaning in outdoors) or any(
        thing.shape is Shape.LEAF for thing in things
    ):
        return Setting.OUTDOORS
    return Setting.ROOM


def _understood(
    words: list[_Word], holders: list[_Holder], setting: Setting
) -> tuple[tuple[int, int], ...]:
    used = {id(holder.word) for holder in holders if not isinstance(holder.word.means, Heaven)}
    for holder in holders:
        if isinstance(holder.word.means, Noun):
            used |= {id(word) for word in holder.adjectives}
        elif isinstance(holder.word.means, Surface):
            paints = (*Colour, Material.WOOD)
            used |= {id(word) for word in holder.adjectives if word.means in paints}
    used |= {id(word) for word in words if isinstance(word.means, (Motion, Camera, Ambience))}
    used |= {id(word) for word in words if word.means is setting}
    if setting is Setting.SPACE:
        used |= {id(word) for word in words if isinstance(word.means, Heaven)}
    return tuple(sorted({(word.start, word.end) for word in words if id(word) in used}))
