"""The words the renderer knows, and what each means. One line per meaning."""

from dataclasses import dataclass
from enum import StrEnum

from generator.scenes.scene import Ambience, Camera, Colour, Material, Motion, Scale, Setting, Shape


class Surface(StrEnum):
    """What a colour can belong to besides a thing."""

    FLOOR = "floor"
    LAWN = "lawn"
    WALL = "wall"
    SKY = "sky"


class Plain(StrEnum):
    """Words that steer the reading and draw nothing."""

    COPULA = "copula"
    NEGATION = "negation"
    ARTICLE = "article"
    BREAK = "break"


class Heaven(StrEnum):
    """A body in the middle that others go around; drawn by the setting `space`."""

    SUN = "sun"


@dataclass(frozen=True, slots=True)
class Count:
    """How many of the next noun; 4 stands for any number that is too many."""

    number: int


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing by name: how many when no number is said, and what the word itself implies."""

    shape: Shape
    number: int = 1
    motion: Motion | None = None
    material: Material | None = None


Meaning = (
    Noun
    | Surface
    | Heaven
    | Motion
    | Colour
    | Material
    | Scale
    | Setting
    | Camera
    | Ambience
    | Count
    | Plain
)

_NOUNS: dict[Noun, str] = {
    Noun(Shape.BALL): "ball sphere orb globe marble",
    Noun(Shape.BALL, 2): "balls spheres orbs globes marbles",
    Noun(Shape.BALL, motion=Motion.ORBIT): "planet moon satellite comet",
    Noun(Shape.BALL, 2, Motion.ORBIT): "planets moons satellites comets",
    Noun(Shape.BOX): "box cube block crate brick package",
    Noun(Shape.BOX, 2): "boxes cubes blocks crates bricks packages",
    Noun(Shape.PENDULUM, motion=Motion.SWING): "pendulum bob metronome",
    Noun(Shape.PENDULUM, 2, Motion.SWING): "pendulums bobs metronomes",
    Noun(Shape.LEAF, motion=Motion.FALL): "leaf feather petal",
    Noun(Shape.LEAF, 3, Motion.FALL): "leaves feathers petals foliage",
    Noun(Shape.DROP, motion=Motion.DRIP): "drop droplet waterdrop teardrop",
    Noun(Shape.DROP, 2, Motion.DRIP): "drops droplets waterdrops teardrops",
}
_REST: dict[Meaning, str] = {
    Surface.FLOOR: "floor ground table tabletop surface carpet",
    Surface.LAWN: "meadow field park garden grass lawn",
    Surface.WALL: "wall walls background backdrop",
    Surface.SKY: "sky",
    Heaven.SUN: "sun star",
    Motion.BOUNCE: "bounce bounces bouncing bounced bouncy hop hops hopping jump jumps jumping "
    "rebound rebounds rebounding",
    Motion.ROLL: "roll rolls rolling rolled slide slides sliding slid glide glides gliding",
    Motion.SWING: "swing swings swinging swung sway sways swaying oscillate oscillates oscillating "
    "dangle dangles dangling",
    Motion.FALL: "fall falls falling fell drops dropping dropped tumble tumbles tumbling plummet "
    "plummets plummeting flutter flutters fluttering float floats floating",
    Motion.DRIP: "drip drips dripping trickle trickles trickling",
    Motion.ORBIT: "orbit orbits orbiting circle circles circling revolve revolves revolving",
    Colour.RED: "red scarlet crimson ruby vermilion maroon",
    Colour.ORANGE: "orange tangerine amber apricot",
    Colour.YELLOW: "yellow golden lemon mustard",
    Colour.GREEN: "green emerald lime olive",
    Colour.TURQUOISE: "turquoise teal cyan aqua",
    Colour.BLUE: "blue navy azure cobalt sapphire indigo",
    Colour.PURPLE: "purple violet lilac lavender mauve",
    Colour.PINK: "pink magenta rose fuchsia salmon",
    Colour.BROWN: "brown tan chestnut beige",
    Colour.WHITE: "white ivory cream snowy",
    Colour.GREY: "grey gray silver ash",
    Colour.BLACK: "black ebony jet",
    Material.RUBBER: "rubber rubbery elastic plastic",
    Material.WOOD: "wood wooden oak pine bamboo",
    Material.METAL: "metal metallic steel iron brass copper chrome",
    Material.GLASS: "glass glassy crystal transparent",
    Scale.SMALL: "small little tiny mini",
    Scale.MEDIUM: "medium normal",
    Scale.LARGE: "large big huge giant",
    Setting.ROOM: "room indoors indoor inside studio hall kitchen",
    Setting.OUTDOORS: "outdoors outdoor outside",
    Setting.SPACE: "space cosmos galaxy universe",
    Camera.STATIC: "static still fixed",
    Camera.PAN: "pan pans panning",
    Camera.ZOOM: "zoom zooms zooming closer",
    Ambience.SILENCE: "silence silent silently quiet quietly mute soundless",
    Ambience.WIND: "wind windy breeze breezy gust gusts storm stormy",
    Ambience.RAIN: "rain rains raining rainy rainfall raindrop raindrops drizzle drizzling "
    "shower downpour",
    Ambience.HUM: "hum hums humming drone buzz buzzing",
    Ambience.BIRDS: "bird birds birdsong chirp chirps chirping tweeting",
    Count(1): "one single 1",
    Count(2): "two pair couple both 2",
    Count(3): "three trio 3",
    Count(
        4
    ): "four five six seven eight nine ten eleven twelve dozen dozens hundred hundreds thousand "
    "thousands many several countless",
    Plain.ARTICLE: "a an the of on in at with and",
    Plain.COPULA: "is are was coloured colored painted looks",
    Plain.NEGATION: "no not without never isn aren nothing",
}

WORDS: dict[str, Meaning] = {
    word: meaning
    for table in (_NOUNS, _REST)
    for meaning, words in table.items()
    for word in words.split()
    # "drops" is a noun here, and a verb only where a thing stands before it: see `grammar`.
    if not (meaning is Motion.FALL and word == "drops")
}
VERB_OR_NOUN = "drops"
EXAMPLE = (
    "Try: a red rubber ball bouncing on a green floor, wind. It can draw balls, boxes, pendulums, "
    "leaves, drops, planets and rain that bounce, roll, swing, fall, drip or orbit."
)
