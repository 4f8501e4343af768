"""What is said is drawn, what is not said is seeded, and what cannot be drawn is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.scenes.grammar import named, read
from generator.scenes.scene import (
    MAX_THINGS,
    Ambience,
    Camera,
    Colour,
    Material,
    Motion,
    Scale,
    Setting,
    Shape,
)
from generator.scenes.vocabulary import WORDS
from generator.shots import ShotNotPossible

_RED_ON_GREEN = [
    "A red ball bouncing on a green floor, wind",
    "wind; on a GREEN Floor a Red BALL bounces",
    "ball red floor green bounce wind",
    "the ball is red and the floor is green. it bounces in the wind",
    "scarlet sphere hopping on an emerald ground, breezy",
    "Green floor! A bouncing ball, which is red. Windy.",
]


@pytest.mark.parametrize("prompt", _RED_ON_GREEN)
def test_order_case_and_synonyms_do_not_change_the_scene(prompt: str) -> None:
    scene = read(prompt, seed=3)

    (ball,) = scene.things
    assert (ball.shape, ball.motion, ball.colour) == (Shape.BALL, Motion.BOUNCE, Colour.RED)
    assert scene.floor is Colour.GREEN
    assert scene.ambience is Ambience.WIND
    assert scene.setting is Setting.OUTDOORS


@pytest.mark.parametrize(
    ("prompt", "things"),
    [
        ("a red ball and a blue box", [("ball", "bounce", "red"), ("box", "fall", "blue")]),
        (
            "a red ball bounces while a blue box slides",
            [("ball", "bounce", "red"), ("box", "roll", "blue")],
        ),
        (
            "a red ball and a rolling blue ball",
            [("ball", "bounce", "red"), ("ball", "roll", "blue")],
        ),
        ("red and blue balls", [("ball", "bounce", "red"), ("ball", "bounce", "blue")]),
        ("three green balls roll", [("ball", "roll", "green")] * 3),
        ("a golden ball swings from a string", [("pendulum", "swing", "yellow")]),
        ("a white ball drops", [("ball", "fall", "white")]),
        ("two blue drops", [("drop", "drip", "blue")] * 2),
        ("an orange leaf", [("leaf", "fall", "orange")]),
        ("a blue planet orbiting a yellow sun", [("ball", "orbit", "blue")]),
        ("something purple bouncing", [("ball", "bounce", "purple")]),
        ("rain drops", []),
    ],
)
def test_each_thing_gets_its_own_colour_number_and_motion(
    prompt: str, things: list[tuple[str, str, str]]
) -> None:
    scene = read(prompt, seed=1)

    assert [
        (thing.shape.value, thing.motion.value, thing.colour.value) for thing in scene.things
    ] == things


def test_material_size_camera_and_setting_are_heeded() -> None:
    scene = read(
        "inside, the camera zooms on a huge steel ball before a pink wall, humming", seed=1
    )

    (ball,) = scene.things
    assert (ball.scale, ball.material) == (Scale.LARGE, Material.METAL)
    assert (scene.camera, scene.setting) == (Camera.ZOOM, Setting.ROOM)
    assert (scene.wall, scene.ambience) == (Colour.PINK, Ambience.HUM)


def test_what_is_denied_is_not_drawn() -> None:
    scene = read("a red ball, no wind and without a blue box", seed=1)

    assert scene.ambience is Ambience.SILENCE
    assert [thing.shape for thing in scene.things] == [Shape.BALL]


@pytest.mark.parametrize(
    "prompt",
    [
        "", "   ", "a president gives a speech", "no ball", "green", "4 seconds in 1080p",
        "four balls", "17 balls", "a hundred balls", "two balls and two boxes",
        "a leaf bouncing", "a pendulum rolling", "a planet orbiting above a bouncing box",
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_an_example(prompt: str) -> None:
    with pytest.raises(ShotNotPossible, match="Try: "):
        read(prompt, seed=1)


def test_a_scene_says_which_words_it_used() -> None:
    prompt = "Please, a red ball bouncing near Napoleon's horse, wind"

    understood = read(prompt, seed=1).understood

    assert [prompt[start:end] for start, end in understood] == ["red", "ball", "bouncing", "wind"]


def test_the_seed_fills_only_what_was_left_open() -> None:
    scenes = [read("a red ball on a green floor", seed=seed) for seed in range(40)]

    assert {scene.things[0].colour for scene in scenes} == {Colour.RED}
    assert {scene.floor for scene in scenes} == {Colour.GREEN}
    assert len({scene.wall for scene in scenes}) > 2
    assert len({scene.things[0].scale for scene in scenes}) == 3


def test_naming_a_colour_changes_nothing_else() -> None:
    open_scene, said = read("a ball", seed=9), read("a pink ball", seed=9)

    assert said.things[0].material is open_scene.things[0].material
    assert (said.floor, said.wall) == (open_scene.floor, open_scene.wall)


@given(st.text(max_size=300), st.integers(0, 2**63 - 1))
@example("0 ball", 0)
@example("drop", 0)
@example("ﬁve ßalls İ\u0130 ²", 1)
def test_any_text_is_read_or_refused(prompt: str, seed: int) -> None:
    try:
        scene = read(prompt, seed)
    except ShotNotPossible:
        return

    assert len(scene.things) <= MAX_THINGS


@given(
    st.lists(st.sampled_from(sorted({*WORDS, "not", ".", "zebra", "7"})), max_size=14),
    st.integers(0, 99),
)
def test_any_sequence_of_known_words_is_read_or_refused(words: list[str], seed: int) -> None:
    prompt = " ".join(words)
    try:
        scene = read(prompt, seed)
    except ShotNotPossible:
        return

    assert scene == read(prompt, seed)
    ends = [0, *(end for _, end in scene.understood)]
    assert all(
        end <= start < stop for end, (start, stop) in zip(ends, scene.understood, strict=False)
    )
    assert all(prompt[start:stop] in WORDS for start, stop in scene.understood)


def test_what_a_text_names_is_told_for_negatives() -> None:
    assert named("no balls, rain or a person") == {"ball", "rain"}
