"""A program of somebody's own: what it may generate, and what gets out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filters.finding import Category, FilterError
from generator.clip import Clip
from generator.model import DigitalSource, Origin
from provenance.examine import Anchors, examine
from provenance.examine import Origin as Found
from provenance.seal import Sealed, Sealer
from service.audit.reading import EntryFilter
from service.guard import (
    Closed,
    GuardError,
    NotAFilm,
    NotPermitted,
    Refused,
    Unavailable,
)
from service.notices import list_for
from service.request import BadRequest
from service.worker import Worker
from tests.service.api.site import a_picture
from tests.service.guard.conftest import MARA, PROMPT, Studio, a_film


def test_five_lines_make_a_sealed_film_with_a_release_in_the_log(studio: Studio) -> None:
    with studio.guard() as g:
        published = g.publish(a_film(), to=studio.to)

    log = studio.house.rooms.log
    release = log.entry(published.receipt["index"])
    assert studio.left == ["film.mp4"]
    assert release.type == "release.sealed"
    assert release.facts["content_sha256"] == published.sha256
    assert release.facts["allowed_by"] == g.decision["id"]
    assert release.facts["decision"] == published.decision["id"]
    assert (g.prompt, published.decision["stage"]) == (PROMPT, "output")
    assert studio.logged() == ["allow", "allow", "release.sealed", "allow"]


def test_the_manifest_says_who_made_it_and_who_decided(studio: Studio) -> None:
    origin = Origin("their/pipe", "2.1", DigitalSource.TRAINED, "ab" * 32)

    with studio.guard() as g:
        published = g.publish(a_film(), to=studio.to, made_by=origin)

    anchors = Anchors(development_pem=studio.house.workshop.sealer._root_pem)
    found = examine(studio.to, anchors)
    assert found.origin is Found.VALID_UNKNOWN_SIGNER
    assert found.report is not None
    assert found.report.facts is not None
    assert found.report.facts.maker.name == "their/pipe"
    assert found.report.facts.decision_id == published.decision["id"]
    assert found.report.facts.request_id == g.decision["request_id"]


@pytest.mark.parametrize(
    ("prompt", "verdict"), [("a nude model", "block"), ("two men fight", "hold")]
)
def test_what_is_not_allowed_is_never_generated(studio: Studio, prompt: str, verdict: str) -> None:
    with pytest.raises(Refused) as refused, studio.guard(prompt):
        pytest.fail("generated")

    told = str(refused.value)
    assert refused.value.verdict == verdict
    assert refused.value.decision["receipt"]["index"] > 0
    assert refused.value.decision["reasons"][0]["remedy"] in told
    assert refused.value.decision["id"] in told
    assert prompt not in told
    assert prompt not in repr(refused.value)
    assert studio.logged() == [verdict]


def test_a_filter_that_breaks_is_a_hold_and_not_an_allow(studio: Studio) -> None:
    studio.words.broken = FilterError("gone")

    with pytest.raises(Refused) as refused, studio.guard():
        pytest.fail("generated")

    assert refused.value.verdict == "hold"


def test_a_log_that_is_gone_is_no_decision(studio: Studio) -> None:
    studio.house.rooms.log.close()

    with pytest.raises(Unavailable), studio.guard():
        pytest.fail("generated")


def test_a_field_that_is_wrong_is_named(studio: Studio) -> None:
    wrongs: dict[str, dict[str, object]] = {
        "size": {"size": "255x256"},
        "seconds": {"seconds": 0},
        "likenesses": {"handles": ["No Handle"]},
        "model": {"model": "a sentence about somebody"},
        "nonsense": {"nonsense": "1"},
    }
    for field, more in wrongs.items():
        with pytest.raises(BadRequest) as wrong, studio.guard(PROMPT, **more):
            pytest.fail("generated")
        assert wrong.value.param == field
    assert studio.logged() == []


def test_a_block_that_publishes_nothing_leaves_its_decision_alone(studio: Studio) -> None:
    with studio.guard():
        pass

    assert studio.logged() == ["allow"]
    assert studio.left == []


def test_what_came_out_is_judged_too(studio: Studio) -> None:
    studio.house.filters.scores[Category.GORE] = 0.99

    with pytest.raises(Refused) as refused, studio.guard() as g:
        g.publish(a_film(), to=studio.to)

    assert refused.value.decision["stage"] == "output"
    assert "not published" in str(refused.value)
    assert studio.left == []
    assert studio.logged("release.sealed") == []


def test_speech_that_comes_out_is_held(studio: Studio) -> None:
    studio.house.filters.scores[Category.SPEECH] = 0.99
    loud = np.full((48_000, 2), 0.5, np.float32)

    with pytest.raises(Refused) as refused, studio.guard() as g:
        g.publish(a_film(), samples=loud, to=studio.to)

    assert refused.value.verdict == "hold"
    assert studio.left == []


@pytest.mark.parametrize(
    ("film", "said"),
    [
        (lambda: a_film(side=128), "size: 256x256"),
        (lambda: a_film(10), "seconds: 1 were"),
        (lambda: Clip(a_film(), 9, np.zeros((42_667, 2), np.float32)), "fps: 8 were"),  # type: ignore[arg-type]
    ],
)
def test_another_film_than_was_permitted_is_not_published(
    studio: Studio, film: Callable[[], Any], said: str
) -> None:
    with studio.guard() as g, pytest.raises(NotPermitted, match=said):
        g.publish(film(), to=studio.to)

    assert studio.left == []
    assert studio.logged() == ["allow"]


def test_one_frame_more_than_the_seconds_is_what_models_make(studio: Studio) -> None:
    with studio.guard() as g:
        g.publish(a_film(9), to=studio.to)

    assert studio.left == ["film.mp4"]


def test_pictures_of_pil_are_frames_and_what_was_no_film_may_be_sent_again(
    studio: Studio,
) -> None:
    with studio.guard() as g:
        for wrong in ([], a_film().astype(np.float32) / 255, a_film()[0], ["no picture"]):
            with pytest.raises(NotAFilm):
                g.publish(wrong, to=studio.to)  # type: ignore[arg-type]
        with pytest.raises(NotAFilm, match="48 kHz"):
            g.publish(a_film(), samples=np.zeros(10, np.float32), to=studio.to)
        g.publish([Image.fromarray(frame) for frame in a_film()], to=studio.to)

    assert studio.left == ["film.mp4"]


def test_a_block_publishes_once_and_not_when_it_is_over(studio: Studio) -> None:
    with studio.guard() as g:
        g.publish(a_film(), to=studio.to)
        with pytest.raises(Closed):
            g.publish(a_film(), to=studio.folder / "second.mp4")
    with studio.guard() as later:
        pass

    with pytest.raises(Closed):
        later.publish(a_film(), to=studio.folder / "third.mp4")

    assert studio.left == ["film.mp4"]


def test_a_guard_is_entered_once(studio: Studio) -> None:
    g = studio.guard()
    with g:
        pass

    with pytest.raises(Closed), g:
        pytest.fail("entered twice")


def test_a_file_that_is_there_is_not_replaced(studio: Studio) -> None:
    studio.to.write_text("somebody's")

    with studio.guard() as g, pytest.raises(FileExistsError):
        g.publish(a_film(), to=studio.to)

    assert studio.to.read_text() == "somebody's"


def test_an_error_in_the_block_comes_through_and_nothing_is_published(studio: Studio) -> None:
    with pytest.raises(ZeroDivisionError), studio.guard() as g:
        g.publish(a_film() // np.uint8(1), to=studio.folder / f"{1 // 0}.mp4")

    assert studio.left == []
    assert studio.logged() == ["allow"]


def test_a_ticket_that_ran_out_meanwhile_publishes_nothing(studio: Studio) -> None:
    with studio.guard() as g:
        studio.house.clock.forward(hours=2)
        with pytest.raises(Unavailable, match="ended"):
            g.publish(a_film(), to=studio.to)

    assert studio.left == []


@dataclass(slots=True)
class Watched:
    """A sealer beside which something else happens."""

    sealer: Sealer
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None

    def seal(self, *given: Any, **named: Any) -> Sealed:  # noqa: ANN401 - the sealer's own
        self.before()
        sealed = self.sealer.seal(*given, **named)
        self.after()
        return sealed


def watch(studio: Studio, **hooks: Callable[[], object]) -> None:
    sealer: Any = Watched(studio.house.workshop.sealer, **hooks)
    studio.house.workshop = replace(studio.house.workshop, sealer=sealer)


@pytest.mark.parametrize("at", ["inspect", "before", "after"])
def test_a_log_that_goes_in_the_middle_leaves_no_file(studio: Studio, at: str) -> None:
    close = studio.house.rooms.log.close
    if at != "inspect":
        watch(studio, **{at: close})

    with studio.guard() as g:
        if at == "inspect":
            close()
        with pytest.raises(Unavailable):
            g.publish(a_film(), to=studio.to)

    assert studio.left == []


def test_a_failure_in_the_middle_may_be_tried_again(studio: Studio) -> None:
    def broken() -> None:
        raise OSError(28, "no space left")

    sealer = studio.house.workshop
    with studio.guard() as g:
        watch(studio, before=broken)
        with pytest.raises(OSError, match="no space"):
            g.publish(a_film(), to=studio.to)
        assert studio.left == []
        studio.house.workshop = sealer

        g.publish(a_film(), to=studio.to)

    assert studio.left == ["film.mp4"]


def test_a_block_that_ends_while_it_publishes_publishes_nothing(studio: Studio) -> None:
    g = studio.guard()
    watch(studio, after=lambda: g.__exit__(None, None, None))

    with g as inside, pytest.raises(Closed):
        inside.publish(a_film(), to=studio.to)

    assert studio.left == []


def mara_in_it() -> np.ndarray[Any, np.dtype[np.uint8]]:
    film = a_film()
    film[:, 0, 0] = MARA
    return film


def test_a_film_of_somebody_who_granted_it_is_out_and_she_hears_of_it(
    studio: Studio,
) -> None:
    mara, actor, _ = studio.grant()
    asked = studio.guard(f"{PROMPT} with @mara", images=[a_picture(MARA)], actor=actor)

    with asked as g:
        g.publish(mara_in_it(), to=studio.to)

    Worker(studio.house.pipeline()).deliver()
    with studio.house.rooms.database.reading() as conn:
        (told,) = list_for(conn, mara.actor)
    assert studio.left == ["film.mp4"]
    assert told.about["job"] == g.decision["request_id"]


@pytest.mark.parametrize("when", ["between", "while it is sealed"])
def test_a_grant_that_is_revoked_on_the_way_keeps_the_film_in(studio: Studio, when: str) -> None:
    mara, actor, grant = studio.grant()
    asked = studio.guard(f"{PROMPT} with @mara", images=[a_picture(MARA)], actor=actor)

    with pytest.raises(Refused) as refused, asked as g:
        if when == "between":
            mara.revoke_grant(grant)
        watch(studio, after=lambda: when != "between" and mara.revoke_grant(grant))
        g.publish(mara_in_it(), to=studio.to)

    stage = refused.value.decision["stage"]
    assert stage == ("output" if when == "between" else "release")
    assert any(one["gate"] == "likeness" for one in refused.value.decision["reasons"])
    assert studio.left == []


def test_nobody_unknown_may_ask(studio: Studio) -> None:
    with pytest.raises(Unavailable, match="act_nobody"), studio.guard(actor="act_nobody"):
        pytest.fail("generated")


def test_nothing_of_the_request_is_in_what_is_printed_or_logged(studio: Studio) -> None:
    secret = "two men fight over the zeppelin of Aunt Agatha"

    with pytest.raises(Refused) as refused, studio.guard(secret):
        pytest.fail("generated")

    entries = studio.house.rooms.log.entries(EntryFilter())
    said = [str(refused.value), repr(refused.value), *(str(one) for one in entries)]
    assert not [each for each in said if "zeppelin" in each]


def test_every_way_to_fail_is_one_error_to_catch() -> None:
    for leaf in (Closed, NotAFilm, NotPermitted, Refused, Unavailable):
        assert issubclass(leaf, GuardError)
