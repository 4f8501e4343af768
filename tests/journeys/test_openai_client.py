"""The unmodified client of OpenAI against a live server."""

import base64
import time

import httpx2
import numpy as np
import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types import ModerationMultiModalInputParam, Video

from service.media.stills import encoded
from tests.journeys.conftest import Served
from tests.service.api.site import PROMPT, SMALL, a_picture
from tests.waiting import until

# The client calls its video methods deprecated; their contract outlives the service.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

EXTRA = {"fps": SMALL["fps"]}


def created(client: OpenAI, prompt: str = PROMPT, **extra: str) -> Video:
    return client.videos.create(
        prompt=prompt,
        size="256x256",  # type: ignore[arg-type]  # the client lists OpenAI's own sizes
        seconds="1",  # type: ignore[arg-type]  # and lengths
        extra_body={**EXTRA, **extra},
    )


def polled(client: OpenAI, video: Video) -> Video:
    return client.videos.poll(video.id, poll_interval_ms=100)


def test_create_poll_download_list_delete(client: OpenAI) -> None:
    video = created(client)
    done = polled(client, video)
    film = client.videos.download_content(done.id).read()
    still = client.videos.download_content(done.id, variant="thumbnail").read()
    listed = [one.id for one in client.videos.list(limit=1)]
    deleted = client.videos.delete(done.id)

    assert video.status in {"queued", "in_progress"}
    assert (done.status, done.progress, done.error) == ("completed", 100, None)
    assert film[4:8] == b"ftyp"
    assert still[:4] == b"RIFF"
    assert done.id in listed
    assert deleted.deleted
    with pytest.raises(NotFoundError) as gone:
        client.videos.retrieve(done.id)
    assert gone.value.request_id
    assert gone.value.code == "not_found"


def test_create_and_poll_with_a_picture(client: OpenAI) -> None:
    done = client.videos.create_and_poll(
        prompt=PROMPT,
        size="256x256",  # type: ignore[arg-type]  # the client lists OpenAI's own sizes
        seconds="1",  # type: ignore[arg-type]  # and lengths
        input_reference=("first.png", a_picture(), "image/png"),
        extra_body=EXTRA,
        poll_interval_ms=100,
    )

    assert done.status == "completed"


def test_a_file_labelled_json_arrives_without_its_prompt_and_the_reply_says_so(
    client: OpenAI,
) -> None:
    # With this header the client sends the file as multipart and drops every text.
    with pytest.raises(BadRequestError) as refused:
        client.videos.create(
            prompt=PROMPT,
            input_reference=("first.png", a_picture(), "image/png"),
            extra_headers={"Content-Type": "application/json"},
        )

    assert (refused.value.param, refused.value.code) == ("prompt", "missing")


def test_a_blocked_prompt_raises_with_words_that_help(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        created(client, PROMPT + " by a nude model")

    assert refused.value.code == "policy_blocked"
    assert refused.value.param == "prompt"
    assert "sexual content" in str(refused.value)
    assert "Leave out nudity" in str(refused.value)
    assert refused.value.request_id


def test_a_held_video_is_in_review_and_completes_after_it_was_cleared(
    served: Served, client: OpenAI
) -> None:
    held = polled(client, created(client, "two men fight over a red ball on a green floor"))
    assert held.error is not None
    assert (held.status, held.error.code) == ("failed", "in_review")

    review = held.model_extra["review_id"] if held.model_extra else ""
    cleared = httpx2.post(
        f"{served.base_url}/v1/reviews/{review}/clear",
        json={"note": "It is a boxing ring."},
        headers={"authorization": f"Bearer {served.site.keys['moderator']}"},
    )
    assert cleared.status_code == 200, cleared.text
    assert polled(client, held).status == "completed"


def test_deleting_a_film_that_is_being_made_stops_the_work(served: Served, client: OpenAI) -> None:
    video = client.videos.create(
        prompt=PROMPT,
        extra_body={"size": "1280x720", "seconds": "20", "fps": "30"},
    )
    until = time.monotonic() + 20
    while client.videos.retrieve(video.id).status != "in_progress" and time.monotonic() < until:
        time.sleep(0.05)

    client.videos.delete(video.id)

    with pytest.raises(NotFoundError):
        client.videos.retrieve(video.id)
    # The worker is free: the next film is made.
    assert polled(client, created(client, seed="12")).status == "completed"


def test_moderation(client: OpenAI) -> None:
    answer = client.moderations.create(input=["a red ball", "a nude model"])

    assert [one.flagged for one in answer.results] == [False, True]
    assert answer.results[1].categories.sexual
    assert answer.results[1].category_scores.self_harm_intent < 0.5


def test_moderation_of_a_picture_with_its_caption(client: OpenAI) -> None:
    red = encoded(np.full((64, 64, 3), (200, 20, 20), np.uint8))
    url = f"data:image/png;base64,{base64.b64encode(red).decode()}"

    parts: list[ModerationMultiModalInputParam] = [
        {"type": "text", "text": "a nude model"},
        {"type": "image_url", "image_url": {"url": url}},
    ]

    answer = client.moderations.create(input=parts)

    (result,) = answer.results
    assert result.flagged
    assert result.category_applied_input_types.sexual == ["image", "text"]
    assert result.category_applied_input_types.hate == ["text"]


def test_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["scenes"]


def test_the_log_of_a_whole_journey_holds_no_prompt_no_handle_and_no_key(
    served: Served, client: OpenAI
) -> None:
    secret = "a red ball named quixotania bounces on a green floor with @nobody_here"

    with pytest.raises(BadRequestError):
        created(client, PROMPT + " by a nude model quixotania")
    polled(client, created(client, secret))
    # That one waits for a person; this one is made.
    polled(client, created(client, PROMPT))
    client.moderations.create(input=secret)
    with pytest.raises(NotFoundError):
        client.videos.retrieve("video_quixotania")

    # A film can be polled as done a moment before the worker says that it stopped.
    until(lambda: '"job.stopped"' in served.site.said.getvalue())
    said = served.site.said.getvalue()
    assert '"request.replied"' in said
    for word in ("quixotania", "nobody_here", "bounces", "impr_live_", "nude"):
        assert word not in said
    for key in served.site.keys.values():
        assert key not in said


@pytest.mark.parametrize("kind", ["announced", "in chunks"])
def test_a_body_that_is_too_large_is_cut_off_on_a_real_connection(
    served: Served, kind: str
) -> None:
    block = b"x" * (1 << 20)
    body = block * 33 if kind == "announced" else (block for _ in range(33))

    reply = httpx2.post(
        f"{served.base_url}/v1/videos",
        content=body,
        headers={"authorization": f"Bearer {served.site.keys['creator']}"},
    )

    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "too_large"
