"""What a scene consists of, with nothing left open."""

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What moves."""

    BALL = "ball"
    BOX = "box"
    PENDULUM = "pendulum"
    LEAF = "leaf"
    DROP = "drop"


class Motion(StrEnum):
    """How it moves."""

    BOUNCE = "bounce"
    ROLL = "roll"
    SWING = "swing"
    FALL = "fall"
    DRIP = "drip"
    ORBIT = "orbit"


class Colour(StrEnum):
    """The paints there are."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    TURQUOISE = "turquoise"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    BROWN = "brown"
    WHITE = "white"
    GREY = "grey"
    BLACK = "black"


class Material(StrEnum):
    """Decides restitution, gloss and the sound of an impact."""

    RUBBER = "rubber"
    WOOD = "wood"
    METAL = "metal"
    GLASS = "glass"


class Scale(StrEnum):
    """How large a thing is."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Setting(StrEnum):
    """What is behind the things."""

    ROOM = "room"
    OUTDOORS = "outdoors"
    SPACE = "space"


class Camera(StrEnum):
    """How the view moves."""

    STATIC = "static"
    PAN = "pan"
    ZOOM = "zoom"


class Ambience(StrEnum):
    """What is heard beside the things."""

    SILENCE = "silence"
    WIND = "wind"
    RAIN = "rain"
    HUM = "hum"
    BIRDS = "birds"


MAX_THINGS = 3


@dataclass(frozen=True, slots=True)
class Thing:
    """One object and what it does."""

    shape: Shape
    motion: Motion
    colour: Colour
    scale: Scale
    material: Material


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is drawn and heard.

    Attributes:
        things: one to `MAX_THINGS`, or none when only rain falls.
        floor: colour of the floor or ground.
        wall: colour of the wall, or of the sky outdoors.
        understood: characters of the prompt that decided something, as (start, end), in order
            and without overlap; everything else in the prompt was not used.
    """

    things: tuple[Thing, ...]
    setting: Setting
    floor: Colour
    wall: Colour
    camera: Camera
    ambience: Ambience
    understood: tuple[tuple[int, int], ...]

    @property
    def raining(self) -> bool:
        """Whether drops are drawn."""
        return self.ambience is Ambience.RAIN and self.setting is not Setting.SPACE
