"""Moderation of pictures, of texts with pictures, and of what cannot be looked at."""

import base64
import dataclasses
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from httpx2 import Response
from PIL import Image

from filters.finding import Category, FilterError, Finding, Surface
from service.api.moderations import NAMES
from service.gates import Gates
from service.media.stills import encoded
from service.wiring import House
from tests.service.api.site import Site

RED = encoded(np.full((64, 64, 3), (200, 20, 20), np.uint8))


def pictured(content: bytes, kind: str = "png") -> dict[str, Any]:
    url = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def moderated(site: Site, given: object) -> Response:
    return site.call("POST", "/v1/moderations", json={"input": given})


@contextmanager
def with_gates(site: Site, **changed: object) -> Iterator[Gates]:
    state = site.app.state.state
    whole: House = state.house
    gates = dataclasses.replace(whole.rooms.gates, **changed)  # type: ignore[arg-type]
    rooms = dataclasses.replace(whole.rooms, gates=gates)
    state.house = House(whole.settings, rooms, whole.owner)
    try:
        yield gates
    finally:
        state.house = whole


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def claiming(width: int, height: int) -> bytes:
    """Return a PNG whose header promises more than it holds, with a good checksum."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + RED[33:]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        RED[:60],
        RED[:-40],
        claiming(40_000, 40_000),
        animated("PNG"),
        animated("WEBP"),
        animated("GIF"),
    ],
    ids=["empty", "text", "head", "cut", "huge", "apng", "webp", "gif"],
)
def test_a_picture_that_cannot_be_looked_at_is_refused_and_not_called_harmless(
    site: Site, content: bytes
) -> None:
    reply = moderated(site, [said("a red ball"), pictured(content)])

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input[1].image_url"
    assert "flagged" not in reply.text


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a.png", "http://169.254.169.254/", "file:///etc/passwd", "data:,x",
     "data:video/mp4;base64,AAAA", "data:image/png;base64,%%%", ""],
)  # fmt: skip
def test_no_address_is_fetched(site: Site, url: str) -> None:
    reply = moderated(site, [{"type": "image_url", "image_url": {"url": url}}])

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input[0].image_url"
    assert reply.json()["error"]["code"] in {"not_a_data_url", "not_base64"}


def test_a_film_of_pictures_is_too_many(site: Site) -> None:
    assert moderated(site, [pictured(RED)] * 5).status_code == 400


def test_a_detector_of_pictures_that_fails_or_is_silent_is_no_answer(site: Site) -> None:
    def broken(_frames: object, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    def silent(_frames: object, _surface: Surface) -> list[Finding]:
        return []

    for look in (broken, silent):
        with with_gates(site, judge_pictures=look):
            reply = moderated(site, [pictured(RED)])

        assert reply.status_code == 503
        assert "flagged" not in reply.text


def test_a_filter_of_texts_that_fails_is_no_answer_whatever_the_picture_shows(site: Site) -> None:
    def broken(_text: str, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    with with_gates(site, judge_text=broken):
        reply = moderated(site, [said("a red ball"), pictured(RED)])

    assert reply.status_code == 503


def test_a_picture_alone_has_thirteen_scores_and_says_which_it_was_looked_at_for(
    site: Site,
) -> None:
    (result,) = moderated(site, [pictured(RED)]).json()["results"]

    assert set(result["category_scores"]) == set(NAMES)
    assert len(NAMES) == 13
    applied = result["category_applied_input_types"]
    assert applied["sexual"] == ["image"]
    assert applied["hate"] == []
    assert (result["flagged"], result["verdict"]) == (False, "allow")


def test_text_and_picture_are_one_item_and_flagged_by_either(site: Site) -> None:
    def shown(_frames: object, surface: Surface) -> list[Finding]:
        return [Finding(Category.SEXUAL, 0.95, surface, "filters.nudity@test")]

    by_words = moderated(site, [said("a nude model"), pictured(RED)]).json()["results"]
    with with_gates(site, judge_pictures=shown):
        by_picture = moderated(site, [said("a red ball"), pictured(RED)]).json()["results"]

    for results in (by_words, by_picture):
        (result,) = results
        assert result["flagged"]
        assert result["categories"]["sexual"]
        assert result["category_applied_input_types"]["sexual"] == ["image", "text"]
        assert result["category_applied_input_types"]["hate"] == ["text"]


def test_texts_of_one_item_are_also_judged_joined(site: Site) -> None:
    def split(text: str, surface: Surface) -> list[Finding]:
        score = 0.99 if "two men\nfight" in text else 0.001
        return [Finding(one, score, surface, "filters.text@test") for one in Category]

    with with_gates(site, judge_text=split):
        apart = moderated(site, ["two men", "fight"]).json()["results"]
        together = moderated(site, [said("two men"), said("fight")]).json()["results"]

    assert [one["flagged"] for one in apart] == [False, False]
    assert [one["flagged"] for one in together] == [True]


def test_a_line_that_somebody_is_to_speak_is_judged_by_itself(site: Site) -> None:
    def heard(text: str, surface: Surface) -> list[Finding]:
        score = 0.99 if surface is Surface.SPEECH and text == "go away" else 0.001
        return [Finding(one, score, surface, "filters.text@test") for one in Category]

    with with_gates(site, judge_text=heard):
        (result,) = moderated(site, 'a man in a park says "go away"').json()["results"]

    assert result["flagged"]


def written(score: float, *, unread: float = 0.0) -> object:
    def read(_frames: object, surface: Surface) -> list[Finding]:
        words = [
            Finding(
                one, score if one is Category.HATE else 0.001, Surface.CAPTIONS, "filters.text@t"
            )
            for one in Category
            if one is not Category.UNREADABLE
        ]
        return [*words, Finding(Category.UNREADABLE, unread, surface, "filters.captions@test")]

    return read


def test_text_in_a_picture_counts_in_every_category_as_part_of_the_picture(site: Site) -> None:
    with with_gates(site, read_captions=written(0.95)):
        (result,) = moderated(site, [pictured(RED)]).json()["results"]

    assert (result["flagged"], result["categories"]["hate"]) == (True, True)
    assert result["category_scores"]["hate"] == 0.95
    assert all(kinds == ["image"] for kinds in result["category_applied_input_types"].values())


def test_a_quote_in_a_text_is_no_picture(site: Site) -> None:
    (result,) = moderated(site, 'a sign reads "tea at four"').json()["results"]

    assert all(kinds == ["text"] for kinds in result["category_applied_input_types"].values())


def test_writing_that_could_not_be_read_is_flagged(site: Site) -> None:
    with with_gates(site, read_captions=written(0.01, unread=0.9)):
        (result,) = moderated(site, [pictured(RED)]).json()["results"]

    assert (result["flagged"], result["verdict"]) == (True, "hold")
    assert result["findings"]["unreadable"] == 0.9


def test_a_reader_of_pictures_that_fails_or_leaves_something_out_is_no_answer(site: Site) -> None:
    def broken(_frames: object, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    def silent(_frames: object, _surface: Surface) -> list[Finding]:
        return []

    def half(_frames: object, surface: Surface) -> list[Finding]:
        return [
            Finding(Category.HATE, 0.01, Surface.CAPTIONS, "filters.text@test"),
            Finding(Category.UNREADABLE, 0.0, surface, "filters.captions@test"),
        ]

    for read in (broken, silent, half):
        with with_gates(site, read_captions=read):
            reply = moderated(site, [pictured(RED)])

        assert reply.status_code == 503
        assert "flagged" not in reply.text
