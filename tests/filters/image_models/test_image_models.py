"""Real classes of transformers at tiny size: what they say, and what becomes of what goes wrong."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filters.finding import (
    Box,
    Category,
    FilterError,
    Finding,
    ModelUnavailable,
    NothingToLookAt,
    Surface,
)
from filters.frames import NotAFrame
from filters.guards.verdict import GuardNonsense
from filters.guards.weights import digest
from filters.image_models.chosen import Together
from filters.turn import ModelLate
from tests.filters.image_models.builders import (
    FALCON,
    SENTENCES,
    a_choice,
    a_clip,
    a_model,
    a_shieldgemma,
    a_siglip,
    a_vit,
    sick,
)

pytestmark = pytest.mark.slow
NOISE = np.random.default_rng(5).integers(0, 255, (48, 64, 3), np.uint8)
CALM = np.full((48, 64, 3), 90, np.uint8)
Made = tuple[str, Callable[[Path], Path], Mapping[str, str | None], set[str]]
MADE: dict[str, Made] = {
    "vit": ("classifier", a_vit, FALCON, {"sexual"}),
    "siglip": ("zero_shot", a_siglip, SENTENCES, {"gore"}),
    "clip": ("zero_shot", a_clip, SENTENCES, {"gore"}),
    "shieldgemma": ("shieldgemma2", a_shieldgemma, {}, {"illicit", "sexual", "gore"}),
}


@pytest.fixture(params=sorted(MADE))
def made(request: pytest.FixtureRequest) -> Made:
    return MADE[request.param]


def test_each_kind_scores_its_categories_with_the_frame_that_shows_most(
    made: Made, tmp_path: Path
) -> None:
    family, save, labels, categories = made
    model = a_model(family, save(tmp_path), labels)

    found = model.look([(3, CALM), (9, NOISE)])
    alone = {
        number: {one.category: one.score for one in model.look([(number, frame)])}
        for number, frame in ((3, CALM), (9, NOISE))
    }

    assert {one.category.value for one in found} == categories
    assert {one.detector for one in found} == {f"filters.image.{family}@{digest(tmp_path)[:12]}"}
    for one in found:
        assert isinstance(one.place, Box)
        assert one.score == alone[one.place.frame][one.category]
        assert one.score == max(scores[one.category] for scores in alone.values())
        assert (one.place.width, one.place.height) == (64, 48)


def test_a_score_is_the_same_in_any_company(made: Made, tmp_path: Path) -> None:
    family, save, labels, _ = made
    model = a_model(family, save(tmp_path), labels)

    alone = model.look([(0, NOISE)], Surface.PICTURE)

    model.look([(0, CALM), (1, NOISE)])
    assert model.look([(0, NOISE)], Surface.PICTURE) == alone
    assert {one.surface for one in alone} == {Surface.PICTURE}


def test_sentences_of_siglip_are_scored_apart_and_those_of_clip_share_one(tmp_path: Path) -> None:
    both: Mapping[str, str | None] = {"blood": "gore", "a fight": "violence"}

    apart = a_model("zero_shot", a_siglip(tmp_path / "siglip"), both).look([(0, NOISE)])
    shared = a_model("zero_shot", a_clip(tmp_path / "clip"), both).look([(0, NOISE)])

    assert sum(one.score for one in shared) == pytest.approx(1.0, abs=0.001)
    assert sum(one.score for one in apart) != pytest.approx(1.0, abs=0.001)


def test_a_known_model_needs_no_labels_and_several_labels_may_apply(tmp_path: Path) -> None:
    single = a_model("classifier", a_vit(tmp_path / "one"), FALCON).look([(0, NOISE)])
    several = a_model("classifier", a_vit(tmp_path / "two", several=True), FALCON)

    assert single[0].score != several.look([(0, NOISE)])[0].score


def test_what_is_no_number_is_no_score(made: Made, tmp_path: Path) -> None:
    family, save, labels, _ = made
    model = a_model(family, sick(save(tmp_path)), labels)

    with pytest.raises(GuardNonsense):
        model.look([(0, NOISE)])


class Hanging:
    """A model that never answers until a test lets it go."""

    labels = tuple(FALCON)

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = 0

    def scores(self, _frame: np.ndarray) -> dict[str, float]:
        self.asked += 1
        self.let_go.wait(60)
        return {"normal": 1.0, "nsfw": 0.0}


def test_one_that_is_late_is_no_all_clear(tmp_path: Path) -> None:
    late = a_model("classifier", a_vit(tmp_path), FALCON, timeout_s=1e-6)

    with pytest.raises(ModelLate):
        late.look([(0, NOISE)])


def test_one_that_hangs_is_late_in_its_time_for_the_first_picture_of_many(tmp_path: Path) -> None:
    hanging = Hanging()
    model = a_model("classifier", a_vit(tmp_path), FALCON, timeout_s=0.3)
    model = replace(model, model=hanging)

    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(ModelLate, match=re.escape(model.detector)):
            model.look([(number, NOISE) for number in range(40)])
        assert time.monotonic() - started < 0.3 + 2
    hanging.let_go.set()

    assert hanging.asked == 1


def test_one_that_fails_says_so_in_our_words(made: Made, tmp_path: Path) -> None:
    family, save, labels, _ = made
    model = a_model(family, save(tmp_path), labels)

    def broken(**_given: object) -> None:
        raise RuntimeError("out of memory: cinema")

    model.model._model.forward = broken  # type: ignore[attr-defined]

    with pytest.raises(FilterError) as fault:
        model.look([(0, NOISE)])
    assert "cinema" not in str(fault.value)


@pytest.mark.parametrize("fault", ["missing", "cut short", "swapped", "added"])
def test_files_that_are_not_the_pinned_ones_are_refused(fault: str, tmp_path: Path) -> None:
    folder = a_vit(tmp_path)
    choice = a_choice("classifier", folder, FALCON)
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    match fault:
        case "missing":
            weights.unlink()
        case "cut short":
            weights.write_bytes(content[:-4])
        case "swapped":
            weights.write_bytes(content[:-4] + bytes(4))
        case _:
            (folder / "more.json").write_text("{}")

    from filters.image_models.chosen import load

    with pytest.raises(ModelUnavailable):
        load(choice, offline=True)


@pytest.mark.parametrize(
    "labels",
    [
        {"normal": None},
        {"normal": None, "nsfw": "sexuall"},
        {"normal": None, "nsfw": None},
        {**FALCON, "gore": "gore"},
    ],
    ids=["one left out", "no category", "nothing", "one too many"],
)
def test_labels_that_do_not_fit_refuse_to_load(
    labels: Mapping[str, str | None], tmp_path: Path
) -> None:
    with pytest.raises(ModelUnavailable):
        a_model("classifier", a_vit(tmp_path), labels)


def test_a_model_of_another_kind_is_refused_and_not_filled_with_noise(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        a_model("shieldgemma2", a_vit(tmp_path / "vit"))
    folder = a_siglip(tmp_path / "siglip")
    with pytest.raises(ModelUnavailable):
        a_model("classifier", folder, FALCON)


def test_a_file_that_asks_for_code_of_its_own_runs_none(tmp_path: Path) -> None:
    folder = a_vit(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {"auto_map": {"AutoModelForImageClassification": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('ran')")

    assert a_model("classifier", folder, FALCON).look([(0, NOISE)])


def test_beside_the_packaged_detector_all_have_to_answer(tmp_path: Path) -> None:
    def own(_frames: object, surface: Surface) -> list[Finding]:
        return [Finding(Category.SEXUAL, 0.1, surface, "filters.nudity@test")]

    model = a_model("classifier", a_vit(tmp_path), FALCON, surfaces=frozenset({"picture"}))
    spoilt = a_model("classifier", tmp_path, FALCON, timeout_s=1e-6)

    both = Together(own, (model,))
    assert len(both.look(iter([(0, NOISE)]), Surface.PICTURE)) == 2
    assert len(both.look(iter([(0, NOISE)]), Surface.FRAMES)) == 1
    with pytest.raises(FilterError):
        Together(own, (model, spoilt)).look([(0, NOISE)], Surface.PICTURE)


def test_nothing_and_what_is_no_frame_are_errors(tmp_path: Path) -> None:
    model = a_model("classifier", a_vit(tmp_path), FALCON)

    with pytest.raises(NothingToLookAt):
        model.look([])
    with pytest.raises(NotAFrame):
        model.look([(0, np.zeros((8, 8), np.uint8))])
