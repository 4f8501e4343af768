import json

import pytest

from service.accounts import Principal
from service.api.asked import request_from
from service.api.fields import read
from service.jobs import Step
from service.steps.run import Side
from tests.service.api.site import PROMPT, SMALL, Site, a_picture

REQUIRED = {
    "id", "object", "created_at", "completed_at", "expires_at", "status", "progress", "model",
    "prompt", "seconds", "size", "remixed_from_video_id", "error",
}  # fmt: skip


def test_a_new_video_is_openais_object_with_a_receipt(site: Site) -> None:
    made = site.call("POST", "/v1/videos", json={"prompt": PROMPT, **SMALL})

    video = made.json()
    assert made.status_code == 200
    assert set(video) >= REQUIRED
    assert (video["object"], video["status"], video["progress"]) == ("video", "queued", 0)
    assert (video["seconds"], video["size"], video["model"]) == ("1", "256x256", "scenes")
    assert video["prompt"] == PROMPT
    assert video["verdict"] == "allow"
    assert video["receipt"]["checkpoint"].startswith("test.local/log\n")
    assert int(made.headers["openai-poll-after-ms"]) >= 1000
    assert made.headers["x-request-id"] == video["request_id"]


def test_a_worker_releases_it_and_the_film_can_be_downloaded_in_parts(
    site: Site, released: str
) -> None:
    video = site.call("GET", f"/v1/videos/{released}").json()
    content = f"/v1/videos/{released}/content"

    whole = site.call("GET", content)
    part = site.call("GET", content, headers={"range": "bytes=4-7"})
    tail = site.call("GET", content, headers={"range": "bytes=-3"})
    beyond = site.call("GET", content, headers={"range": "bytes=999999999-"})
    again = site.call("GET", content, headers={"if-none-match": whole.headers["etag"]})

    assert (video["status"], video["progress"], video["error"]) == ("completed", 100, None)
    assert whole.content[4:8] == b"ftyp"
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    assert (tail.status_code, tail.content) == (206, whole.content[-3:])
    assert beyond.status_code == 416
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("variant", "kind", "begins"),
    [("thumbnail", "image/webp", b"RIFF"), ("spritesheet", "image/jpeg", b"\xff\xd8\xff")],
)
def test_pictures_are_made_from_the_released_film(
    site: Site, released: str, variant: str, kind: str, begins: bytes
) -> None:
    reply = site.call("GET", f"/v1/videos/{released}/content", params={"variant": variant})

    assert reply.status_code == 200
    assert reply.headers["content-type"] == kind
    assert reply.content.startswith(begins)


def test_there_is_no_film_before_the_release(site: Site) -> None:
    video = site.film()

    reply = site.call("GET", f"/v1/videos/{video}/content")

    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "not_ready"
    assert reply.headers["x-should-retry"] == "false"


def test_a_blocked_request_is_a_400_with_the_whole_decision(site: Site) -> None:
    reply = site.call("POST", "/v1/videos", json={"prompt": PROMPT + " by a nude model", **SMALL})

    body = reply.json()
    assert reply.status_code == 400
    assert reply.headers["x-should-retry"] == "false"
    assert reply.headers["content-type"] == "application/problem+json"
    assert body["error"]["code"] == "policy_blocked"
    assert "sexual" in body["error"]["message"]
    assert body["decision"]["verdict"] == "block"
    assert body["decision"]["reasons"][0]["remedy"]
    assert body["decision"]["receipt"]["index"] >= 0
    refused = site.call("GET", f"/v1/videos/{body['video']}").json()
    assert (refused["status"], refused["error"]["code"]) == ("failed", "filters.sexual")


def test_a_held_request_reads_failed_in_review_until_it_is_cleared(site: Site) -> None:
    video = site.film("two men fight beside a red ball on a green floor")
    held = site.call("GET", f"/v1/videos/{video}").json()

    cleared = site.call("POST", f"/v1/reviews/{held['review_id']}/clear", "moderator", json={})
    site.work()

    assert (held["status"], held["error"]["code"]) == ("failed", "in_review")
    assert cleared.status_code == 200, cleared.text
    assert site.call("GET", f"/v1/videos/{video}").json()["status"] == "completed"


def test_multipart_is_taken_as_it_comes(site: Site) -> None:
    reply = site.call(
        "POST",
        "/v1/videos",
        data={"prompt": PROMPT, **SMALL},
        files={"input_reference": a_picture()},
    )

    assert reply.status_code == 200, reply.text


def test_multipart_that_says_it_is_json_is_taken_as_multipart(site: Site) -> None:
    body = b"".join(
        f'--edge\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"prompt": PROMPT, **SMALL}.items()
    )

    reply = site.call(
        "POST",
        "/v1/videos",
        content=body + b"--edge--\r\n",
        headers={"content-type": "application/json"},
    )

    assert reply.status_code == 200, reply.text


def test_an_address_is_never_fetched(site: Site) -> None:
    sent = {"prompt": PROMPT, "input_reference": {"image_url": "https://example.com/a.png"}}

    reply = site.call("POST", "/v1/videos", json=sent)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input_reference"


WRONG = [
    ({"prompt": "x" * 32_001}, "prompt", "too_long"),
    ({"prompt": "a\u0007b"}, "prompt", "control_character"),
    ({"prompt": "  "}, "prompt", "empty"),
    ({}, "prompt", "missing"),
    ({"prompt": "a", "size": "1x1"}, "size", "unknown_size"),
    ({"prompt": "a", "seconds": 99}, "seconds", "unknown_seconds"),
    ({"prompt": "a", "fps": 1}, "fps", "unknown_fps"),
    ({"prompt": "a", "seed": -1}, "seed", "unknown_seed"),
    ({"prompt": "a", "sise": "1"}, "sise", "unknown_field"),
    ({"prompt": "a", "model": "sora-2"}, "model", "unknown_model"),
    ({"prompt": "a", "likenesses": ["No!"]}, "likenesses", "not_a_handle"),
    ({"prompt": "a", "metadata": {"a": {"b": 1}}}, "metadata[a][b]", "unknown_field"),
]


@pytest.mark.parametrize(("sent", "param", "code"), WRONG, ids=lambda one: str(one)[:24])
def test_a_wrong_field_is_named_with_the_way_out(
    site: Site, sent: dict[str, object], param: str, code: str
) -> None:
    reply = site.call("POST", "/v1/videos", json=sent)

    error = reply.json()["error"]
    assert reply.status_code == 400
    assert (error["param"], error["code"]) == (param, code)
    assert reply.json()["detail"] == error["message"]


BROKEN = [
    (b'{"prompt": "\xff"}', "application/json", "prompt"),
    (b'{"prompt": "\\ud800"}', "application/json", "prompt"),
    (b'{"prompt": "a", "prompt": "b"}', "application/json", "body"),
    (b"[" * 100_000, "application/json", "body"),
    (b"[]", "application/json", "body"),
    (b"nonsense", "application/json", "body"),
    (b'{"prompt": NaN}', "application/json", "body"),
    (
        b'--e\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n\xff\r\n--e--\r\n',
        "multipart/form-data; boundary=e",
        "prompt",
    ),
    (
        b'--e\r\ncontent-disposition: form-data; name="prompt"\r\n\r\ncut',
        "multipart/form-data; boundary=e",
        "body",
    ),
]


@pytest.mark.parametrize(("body", "kind", "param"), BROKEN, ids=lambda one: str(one)[:24])
def test_a_broken_body_is_a_400(site: Site, body: bytes, kind: str, param: str) -> None:
    reply = site.call("POST", "/v1/videos", content=body, headers={"content-type": kind})

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["param"] == param


def test_a_body_that_is_too_large_is_not_read(site: Site) -> None:
    reply = site.call(
        "POST",
        "/v1/videos",
        content=b"x" * (33 << 20),
        headers={"content-type": "application/json"},
    )

    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "too_large"


def test_a_file_over_its_limit_is_named(site: Site) -> None:
    reply = site.call(
        "POST",
        "/v1/videos",
        data={"prompt": PROMPT},
        files={"input_reference": b"x" * ((20 << 20) + 1)},
    )

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input_reference"


def test_a_clients_own_retry_gives_the_first_video_back(site: Site) -> None:
    sent = {"prompt": PROMPT, "seed": "41", **SMALL}
    first = site.call("POST", "/v1/videos", data=sent, files={"input_reference": a_picture()})

    again = site.call(
        "POST",
        "/v1/videos",
        data=sent,
        files={"input_reference": a_picture()},
        headers={"x-stainless-retry-count": "1"},
    )

    assert again.json()["id"] == first.json()["id"]


def test_an_idempotency_key_stands_for_one_request(site: Site) -> None:
    key = {"idempotency-key": "one-of-a-kind"}
    first = site.call("POST", "/v1/videos", json={"prompt": PROMPT, **SMALL}, headers=key)

    same = site.call("POST", "/v1/videos", json={"prompt": PROMPT, **SMALL}, headers=key)
    other = site.call("POST", "/v1/videos", json={"prompt": "a blue cube", **SMALL}, headers=key)

    assert same.json()["id"] == first.json()["id"]
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"


def test_a_request_that_is_being_decided_answers_409_and_can_be_retried(site: Site) -> None:
    class Died(Exception):
        pass

    def dies(step: Step, side: Side) -> None:
        if (step, side) == (Step.ADMIT, Side.AFTER):
            raise Died

    body = json.dumps({"prompt": PROMPT, **SMALL}).encode()
    asker = Principal(site.actors["creator"], site.projects["ours"], frozenset(), "key_x")
    request = request_from(
        read(body, "application/json"), site.house.rooms, asker, "req_x", "in-progress"
    )
    with pytest.raises(Died):
        site.house.pipeline("front:0", dies).submit(request)

    reply = site.call(
        "POST", "/v1/videos", content=body, headers={"idempotency-key": "in-progress"}
    )

    assert reply.status_code == 409
    assert reply.headers["x-should-retry"] == "true"
    assert reply.headers["retry-after-ms"]


def test_lists_are_pages(site: Site) -> None:
    videos = [site.film(seed=str(seed)) for seed in range(3)]

    newest = site.call("GET", "/v1/videos", params={"limit": 2}).json()
    rest = site.call("GET", "/v1/videos", params={"limit": 1, "after": newest["last_id"]}).json()

    assert [video["id"] for video in newest["data"]] == [videos[2], videos[1]]
    assert newest["has_more"] is True
    assert newest["first_id"] == videos[2]
    assert rest["data"][0]["id"] == videos[0]


def test_deleting_cancels_and_the_film_is_gone(site: Site) -> None:
    waiting, done = site.film(), site.film(seed="9")
    site.call("DELETE", f"/v1/videos/{waiting}")
    site.work()
    assert site.call("GET", f"/v1/videos/{done}").json()["status"] == "completed"

    deleted = site.call("DELETE", f"/v1/videos/{done}").json()

    assert (deleted["id"], deleted["deleted"], deleted["object"]) == (done, True, "video.deleted")
    assert deleted["receipt"]["index"] > 0
    assert site.call("GET", f"/v1/videos/{done}").status_code == 404
    assert site.call("GET", f"/v1/videos/{done}/content").status_code == 404
    assert site.call("GET", f"/v1/videos/{waiting}").status_code == 404
