"""What the log says about a request: its decisions, in the words of the policy, with receipts."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from service.audit.entries import Json
from service.audit.errors import LogTampered, NoEntry
from service.audit.reading import EntryFilter, LoggedEntry
from service.policy_book import Policy
from service.rooms import Rooms
from service.steps.verdicts import PLACES, entry_key
from service.subjects import SubjectErased
from service.wire import JSON, receipt_json

_EARLIER = "This rule stood in an earlier policy."


def decision_by_id(rooms: Rooms, project: str, decision_id: str) -> JSON:
    """Return a decision of this project.

    Raises:
        NoEntry: there is none, or it is another project's; both alike.
    """
    entry = rooms.log.entry_by_key(entry_key(decision_id))
    if entry.project != project:
        raise NoEntry("no such decision")
    return _decision(rooms, entry)


def newest_decision(rooms: Rooms, request_id: str) -> JSON | None:
    """Return the last decision about a request; None before the first."""
    found = rooms.log.entries(EntryFilter(type="decision.made", request=request_id, limit=1))
    return _decision(rooms, found[0]) if found else None


def decisions(
    rooms: Rooms, project: str, *, request: str = "", after: int | None, limit: int
) -> list[JSON]:
    """Return a page of a project's decisions, newest first, each with its `index` in the log."""
    wanted = EntryFilter(
        type="decision.made", project=project, request=request, after=after, limit=limit
    )
    return [_decision(rooms, entry) for entry in rooms.log.entries(wanted)]


def _decision(rooms: Rooms, entry: LoggedEntry) -> JSON:
    facts: JSON = dict(entry.facts)
    policy = facts.get("policy")
    if not isinstance(policy, Mapping) or "verdict" not in facts:
        raise LogTampered(f"entry {entry.index} is no whole decision")
    spans = _spans(rooms, entry)
    live = rooms.policy if policy.get("sha256") == rooms.policy.ref.sha256 else None
    facts["id"] = facts.pop("decision")
    return {
        **facts,
        "object": "policy.decision",
        "request_id": entry.request,
        "created_at": int(datetime.fromisoformat(entry.at).timestamp()),
        "reasons": [
            {**_reason(reason, live), **_span(spans, reason)}
            for reason in _objects(facts["reasons"])
        ],
        "shadow": [],
        "ticket": None,
        "receipt": receipt_json(rooms.log.receipt(entry.index)),
    }


def _spans(rooms: Rooms, entry: LoggedEntry) -> Mapping[str, object]:
    """Return the places in the prompt, by observation; none once the prompt is erased."""
    if PLACES not in entry.commitments:
        return {}
    with rooms.database.reading() as conn:
        try:
            return dict(json.loads(rooms.log.disclose(conn, entry.index, PLACES).text))
        except SubjectErased:
            return {}


def _span(spans: Mapping[str, object], reason: Mapping[str, Json]) -> JSON:
    place = spans.get(str(reason.get("observation")))
    return {} if place is None else {"span": place}


def _reason(reason: Mapping[str, Json], live: Policy | None) -> JSON:
    rule = live.rules.get(str(reason["code"])) if live else None
    return {
        **reason,
        "message": rule.message if rule else _EARLIER,
        "remedy": rule.remedy if rule else "Send the request again to hear what holds now.",
    }


def _objects(value: object) -> Sequence[Mapping[str, Json]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise LogTampered("a decision holds something else than a list of reasons")
    return value
