"""`/v1/audit/exports`: sent while it is read, within the asker's project, logged first."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.audit.verify_file import verify_export
from tests.service.api.site import PROMPT, Site

EXPORTS = "/v1/audit/exports"


@pytest.fixture(scope="module", autouse=True)
def decided(site: Site) -> None:
    for who, words in (("creator", PROMPT), ("creator", "a nude model"), ("other", PROMPT)):
        site.call("POST", "/v1/policy/decisions", who, json={"prompt": words})


def exported(site: Site, who: str = "auditor", **asked: str) -> bytes:
    reply = site.call("GET", EXPORTS, who, params=asked)
    assert reply.status_code == 200, reply.text
    return reply.content


def entries(content: bytes) -> list[dict[str, object]]:
    return [json.loads(json.loads(line)["leaf"]) for line in content.splitlines()[1:-1]]


def test_an_export_is_proved_offline(site: Site) -> None:
    (key,) = site.house.rooms.log.verifier_keys()

    content = exported(site, q="type:decision.made")

    found = verify_export(content.splitlines(keepends=True), key)
    assert found.entries == len(entries(content)) > 1
    assert found.query == "type:decision.made"


def test_an_auditor_gets_their_project_and_what_concerns_everybody(site: Site) -> None:
    projects = {entry["project"] for entry in entries(exported(site))}

    assert projects <= {site.projects["ours"], ""}
    assert site.projects["ours"] in projects


def test_an_operator_may_ask_for_all(site: Site) -> None:
    found = {entry["project"] for entry in entries(exported(site, "operator", project="all"))}

    assert {site.projects["ours"], site.projects["theirs"]} <= found


def test_an_auditor_may_not(site: Site) -> None:
    for project in ("all", site.projects["theirs"]):
        reply = site.call("GET", EXPORTS, "auditor", params={"project": project})
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "role_missing")
    assert site.call("GET", EXPORTS, "creator").status_code == 403


def test_who_exports_is_in_the_log_before_the_answer(site: Site) -> None:
    size = site.house.rooms.log.head()[1].size

    exported(site, q=f"actor:{site.actors['creator']}")

    entry = site.house.rooms.log.entry(size)
    assert (entry.type, entry.actor) == ("audit.exported", site.actors["auditor"])
    assert entry.facts["by"] == ["actor"]
    assert site.actors["creator"].encode() not in entry.leaf


@pytest.mark.parametrize("kind", ["jsonl", "csv", "ocsf", "dsa-sor", "sqlite", "parquet"])
def test_every_format_is_an_attachment(site: Site, kind: str) -> None:
    reply = site.call("GET", EXPORTS, "auditor", params={"format": kind})

    assert reply.status_code == 200
    assert 'attachment; filename="imprimatur-' in reply.headers["content-disposition"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.content


def test_an_sqlite_file_comes_whole(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    path.write_bytes(exported(site, format="sqlite", q="verdict:block"))

    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT DISTINCT verdict FROM entry").fetchall() == [("block",)]


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"format": "xml"}, "format", "invalid"),
        ({"proofs": "some"}, "proofs", "invalid"),
        ({"fromat": "csv"}, "fromat", "unknown_field"),
        ({"q": "verdict:"}, "q", "query_invalid"),
        ({"q": "x" * 2001}, "q", "invalid"),
        ({"since": "yesterday"}, "since", "query_invalid"),
        ({"until": "2026-13-01"}, "until", "query_invalid"),
        ({"since": "\0"}, "since", "invalid"),
    ],
)
def test_what_cannot_be_asked_is_named(
    site: Site, asked: dict[str, str], param: str, code: str
) -> None:
    size = site.house.rooms.log.head()[1].size

    reply = site.call("GET", EXPORTS, "auditor", params=asked)

    assert reply.status_code == 400
    assert (reply.json()["error"]["param"], reply.json()["error"]["code"]) == (param, code)
    assert site.house.rooms.log.head()[1].size == size


def test_times_bound_it(site: Site) -> None:
    assert entries(exported(site, since="2100-01-01")) == []
    assert entries(exported(site, until="2000-01-01", q="verdict:allow")) == []
    assert entries(exported(site, since="2000-01-01", until="2100-01-01"))
