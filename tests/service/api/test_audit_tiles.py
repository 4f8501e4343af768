"""The log over HTTP as somebody outside reads it, with no key and none of our code."""

import base64
import hashlib
from typing import Any

import pytest

from service.audit import cosign
from service.audit.cosigned import Outside, witnesses
from service.audit.witness import WitnessClient
from tests.service.api.site import PROMPT, SMALL, Site
from tests.service.audit.witness_server import Witness, is_consistent, serving


def tree_head(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_head(hashes[:half]) + tree_head(hashes[half:])).digest()


def outside(site: Site, path: str) -> Any:  # noqa: ANN401 - httpx's response
    return site.client.get(f"/v1/audit/log/{path}")


def stated(note: str) -> tuple[int, bytes]:
    lines = note.split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def grown(site: Site, decisions: int = 3) -> tuple[int, bytes]:
    for _ in range(decisions):
        site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT, **SMALL})
    return stated(outside(site, "checkpoint").text)


def all_hashes(site: Site, size: int) -> list[bytes]:
    found = b""
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        part = "" if width == 256 else f".p/{width}"
        found += outside(site, f"tile/0/{number:03}{part}").content
    return [found[at : at + 32] for at in range(0, len(found), 32)]


def test_a_monitor_without_a_key_derives_the_root_from_tiles(site: Site) -> None:
    size, root = grown(site)

    hashes = all_hashes(site, size)

    assert len(hashes) == size
    assert tree_head(hashes) == root
    reply = outside(site, "checkpoint")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"


def test_a_full_tile_may_be_kept_for_ever_and_a_partial_one_not_at_all(site: Site) -> None:
    while grown(site, 60)[0] < 256:
        pass

    full, partial = outside(site, "tile/0/000"), outside(site, "tile/1/000.p/1")

    assert len(full.content) == 8192
    assert full.headers["content-type"] == "application/octet-stream"
    assert "immutable" in full.headers["cache-control"]
    hashes = [full.content[at : at + 32] for at in range(0, 8192, 32)]
    assert partial.content == tree_head(hashes)
    assert partial.headers["cache-control"] == "no-store"
    # Wider than it was when somebody asked first: cut to what the name says.
    assert outside(site, "tile/0/000.p/17").content == full.content[: 17 * 32]


@pytest.mark.parametrize(
    "path",
    ["0/x999/999", "0/x001/000.p/1", "9/000.p/1", "63/000", "0/0", "0/000.p/0", "0/000.p/256",
     "0/000/", "x/000", "-1/000", "0/..%2f000", "", "0/%00", "0/٠٠٠",
     "0/x999/x999/x999/x999/999", "0/x999/x999/x999/x999/x999/x999/999"],
)  # fmt: skip
def test_what_is_no_tile_or_not_there_yet_is_a_404(site: Site, path: str) -> None:
    reply = outside(site, f"tile/{path}")

    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_entries_of_every_project_are_for_the_operator_alone(site: Site) -> None:
    size, _ = grown(site)
    width = min(size, 256)
    path = "entries/000" if width == 256 else f"entries/000.p/{width}"

    bundle = site.call("GET", f"/v1/audit/log/tile/{path}", "operator")

    assert outside(site, f"tile/{path}").status_code == 401
    assert site.call("GET", f"/v1/audit/log/tile/{path}", "auditor").status_code == 403
    assert bundle.headers["cache-control"] == "no-store"
    left, hashes = bundle.content, []
    while left:
        length = int.from_bytes(left[:2], "big")
        hashes.append(hashlib.sha256(b"\0" + left[2 : 2 + length]).digest())
        left = left[2 + length :]
    assert hashes == all_hashes(site, size)[:width]
    beyond = site.call("GET", "/v1/audit/log/tile/entries/x999/000", "operator")
    assert beyond.status_code == 404


def test_no_other_spelling_of_an_address_opens_entries(site: Site) -> None:
    grown(site)
    for path in ("%65ntries/000.p/1", "Entries/000.p/1", "/entries/000.p/1", "./entries/000.p/1",
                 "0/../entries/000.p/1", "entries%2f000.p%2f1"):  # fmt: skip
        assert outside(site, f"tile/{path}").status_code in {401, 404}, path


def test_the_log_grows_and_each_checkpoint_continues_the_one_before(site: Site) -> None:
    old_size, old_root = grown(site, 2)
    new_size, new_root = grown(site, 3)
    path = f"/v1/audit/consistency?old={old_size}&new={new_size}"

    found = site.call("GET", path).json()
    as_text = site.call("GET", f"{path}&format=text")

    proof = [base64.b64decode(one) for one in found["hashes"]]
    assert (found["old"], found["new"]) == (old_size, new_size)
    assert is_consistent((old_size, old_root), (new_size, new_root), proof)
    assert as_text.text.split("\n") == [*found["hashes"], ""]
    newest = site.call("GET", f"/v1/audit/consistency?old={old_size}").json()
    assert newest["new"] >= new_size


@pytest.mark.parametrize(
    ("query", "param"),
    [("", "old"), ("old=-1", "old"), ("old=x", "old"), ("old=1&new=-1", "new"),
     ("old=1&new=99999999999", "new"), ("old=99999999999", "old"), ("old=2&new=1", "old"),
     ("old=9007199254740993", "old"), ("old=0&format=xml", "format"), ("old=0&more=1", "more")],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_told_where(site: Site, query: str, param: str) -> None:
    grown(site, 1)

    reply = site.call("GET", f"/v1/audit/consistency?{query}")

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["param"] == param


def test_readiness_and_metrics_say_how_far_a_witness_is(site: Site) -> None:
    size, _ = grown(site)
    log = site.house.rooms.log
    with serving(Witness()) as witness:
        witness.know(log.verifier_keys()[0])
        key = cosign.cosigner(witness.vkey)
        log.outside = Outside(witnesses(witness.setting, loopback=True))
        try:
            client = WitnessClient(site.house.rooms.database, log, site.house.clock)
            (before,) = site.client.get("/readyz").json()["witnesses"]
            client.push()
            at = log.head()[1].size
            grown(site)
            ready = site.client.get("/readyz")
            metrics = site.call("GET", "/metrics", "operator").text
            published = outside(site, "checkpoint").text
            index = at - 1
            proof = log.proof_text(index)
        finally:
            log.outside = Outside()

    assert (before["witness"], before["size"], before["lag"] >= size) == (key.id, 0, True)
    assert ready.status_code == 200
    (after,) = ready.json()["witnesses"]
    assert after["size"] == at
    assert after["lag"] > 0
    assert after["problem"] is None
    assert f'imprimatur_audit_witness_lag{{witness="{key.id}"}}' in metrics
    assert cosign.read(published, log.origin, key).size == at
    assert witness.name in proof
