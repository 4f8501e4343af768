"""OCSF 1.6: every entry as an API Activity (6003) with the profile `security_control`.

A decision is something that was asked through an API and that a control allowed or denied, which
is what the class and the profile are for. Requests have no address here, since addresses are not
logged: `src_endpoint` names the service that took them. docs/exports.md has the whole mapping.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from service.audit.reading import LoggedEntry
from service.exports.flat import member, members, text
from service.exports.jsonl import line
from service.exports.opening import Opened, closing
from service.wire import JSON

VERSION = "1.6.0"
_CATEGORY, _CLASS = 6, 6003
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES = {
    _CREATE: ("Create", "made issued enrolled granted in_force opened filed drafted placed sealed"),
    _READ: ("Read", "read exported disclosed listed"),
    _UPDATE: (
        "Update",
        "live canary shadow approved cleared refused upheld rejected withdrawn retired released",
    ),
    _DELETE: ("Delete", "deleted revoked grant_revoked erased pruned swept dropped destroyed"),
}
_BY_WORD = {word: number for number, (_, words) in _ACTIVITIES.items() for word in words.split()}
# What a control did (`action_id`), what came of it (`disposition_id`), and how serious that is.
_OUTCOMES = {
    "allow": ((1, "Allowed"), (1, "Allowed"), (1, "Informational")),
    # Kept apart until a person has looked: denied for now.
    "hold": ((2, "Denied"), (3, "Quarantined"), (2, "Low")),
    "block": ((2, "Denied"), (2, "Blocked"), (3, "Medium")),
}
_WATCHED = ((3, "Observed"), (17, "Logged"), (1, "Informational"))
_RESOURCES = ("decision", "job", "review", "appeal", "likeness", "grant", "claim", "case", "key")


def lines(opened: Opened) -> Iterator[str]:
    """Yield the export line by line, each an event; the first and the last are about itself."""
    first = event(opened.exported, opened.books.log.origin)
    first["unmapped"]["export"] = opened.envelope()
    yield line(first)
    for row in opened.rows():
        yield line(event(row.entry, opened.books.log.origin))
    last = event(opened.exported, opened.books.log.origin)
    last["metadata"]["uid"] += "#end"
    last["api"]["operation"] = "audit.export.end"
    last["unmapped"]["export"] = closing(opened.count)
    yield line(last)


def event(entry: LoggedEntry, origin: str) -> JSON:
    """Return one entry as an event."""
    activity = _BY_WORD.get(entry.type.rpartition(".")[2], _OTHER)
    name = _ACTIVITIES[activity][0] if activity in _ACTIVITIES else entry.type
    verdict = text(entry.facts.get("verdict"))
    event: JSON = {
        "category_uid": _CATEGORY, "category_name": "Application Activity",
        "class_uid": _CLASS, "class_name": "API Activity",
        "activity_id": activity, "activity_name": name,
        "type_uid": _CLASS * 100 + activity, "type_name": f"API Activity: {name}",
        "time": _ms(entry.at),
        "severity_id": 1, "severity": "Informational",
        "status_id": 1, "status": "Success",
        "message": f"{entry.type} {verdict}".rstrip(),
        "metadata": _metadata(entry, origin),
        "actor": {"user": {"uid": entry.actor}} if entry.actor else {"app_name": "imprimatur"},
        "api": _api(entry),
        "src_endpoint": {"svc_name": origin},
        "resources": [
            {"type": kind, "uid": uid}
            for kind in _RESOURCES
            if (uid := text(entry.facts.get(kind)))
        ],
        "unmapped": {"facts": dict(entry.facts), "commitments": dict(entry.commitments)},
    }  # fmt: skip
    return event | _control(entry, verdict) if verdict in _OUTCOMES else event


def _control(entry: LoggedEntry, verdict: str) -> JSON:
    """Return what the profile `security_control` adds to a decision."""
    decides = text(entry.facts.get("mode")) == "enforce"
    action, disposition, severity = _OUTCOMES[verdict] if decides else _WATCHED
    policy = member(entry.facts.get("policy"))
    codes = [text(one.get("code")) for one in members(entry.facts.get("reasons"))]
    return {
        "action_id": action[0],
        "action": action[1],
        "disposition_id": disposition[0],
        "disposition": disposition[1],
        "severity_id": severity[0],
        "severity": severity[1],
        "is_alert": decides and verdict == "block",
        "policy": {
            "name": text(policy.get("id")),
            "uid": text(policy.get("sha256")),
            "version": text(policy.get("version")),
            "is_applied": decides,
        },
        "status_detail": " ".join(dict.fromkeys(codes)),
    }


def _metadata(entry: LoggedEntry, origin: str) -> JSON:
    product = {"name": "Imprimatur", "vendor_name": "Imprimatur", "version": _product_version()}
    return {
        "version": VERSION,
        "product": product,
        "profiles": ["security_control"],
        "uid": entry.key,
        "event_code": entry.type,
        "log_name": origin,
        "sequence": entry.index,
        "original_time": entry.at,
        "logged_time": _ms(entry.logged_at),
        **({"tenant_uid": entry.project} if entry.project else {}),
        **({"correlation_uid": entry.request} if entry.request else {}),
    }


def _api(entry: LoggedEntry) -> JSON:
    asked = {"request": {"uid": entry.request}} if entry.request else {}
    return {"operation": entry.type, "service": {"name": "imprimatur"}, **asked}


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


@cache
def _product_version() -> str:
    try:
        return version("imprimatur")
    except PackageNotFoundError:
        return "unknown"
