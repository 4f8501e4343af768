"""What the log says about a request: its decisions, in the words of the policy, with receipts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service import appeals, reviews
from service.appeals import Appeal
from service.audit.entries import Json
from service.audit.errors import LogTampered, NoEntry
from service.audit.reading import EntryFilter, LoggedEntry
from service.decision import Circumstances, Mode, Purpose, Verdict
from service.explaining import Judged, explained
from service.policy_book import Join, Policy, Rule
from service.reviews import Review, Ruling
from service.rooms import Rooms
from service.steps.verdicts import PLACES, entry_key
from service.subjects import SubjectErased
from service.wire import JSON, appeal_json, receipt_json

_EARLIER = "This rule stood in a policy that cannot be read any more."


def decision_by_id(rooms: Rooms, project: str, decision_id: str) -> JSON:
    """Return a decision of this project.

    Raises:
        NoEntry: there is none, or it is another project's; both alike.
    """
    return _decision(rooms, _entry(rooms, project, decision_id))


def explanation(rooms: Rooms, project: str, decision_id: str) -> JSON:
    """Return a decision of this project in plain words.

    Raises:
        NoEntry: as `decision_by_id`.
    """
    entry = _entry(rooms, project, decision_id)
    decision = _decision(rooms, entry)
    said = {name: str(entry.facts.get(name, "")) for name in ("plan", "territory")}
    purpose = Purpose(str(entry.facts.get("purpose", Purpose.UNSTATED.value)))
    asked = Circumstances(project, said["plan"], said["territory"], purpose)
    policy = rooms.book.policy(str(decision["policy"]["sha256"]))
    return explained(Judged(decision, policy, asked))


def proof(rooms: Rooms, project: str, decision_id: str) -> str:
    """Return a decision of this project as the log has it, with its proof.

    Raises:
        NoEntry: as `decision_by_id`.
    """
    return rooms.log.proof_text(_entry(rooms, project, decision_id).index)


def _entry(rooms: Rooms, project: str, decision_id: str) -> LoggedEntry:
    entry = rooms.log.entry_by_key(entry_key(decision_id))
    if entry.project != project:
        raise NoEntry("no such decision")
    return entry


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
    judged_by = rooms.book.policy(str(policy.get("sha256")))
    recourse = _recourse(rooms, entry)
    facts["id"] = facts.pop("decision")
    return {
        **facts,
        "object": "policy.decision",
        "request_id": entry.request,
        "created_at": int(datetime.fromisoformat(entry.at).timestamp()),
        "reasons": [
            {
                **_reason(reason, judged_by),
                **_span(spans, reason),
                **appeal_json(str(reason["code"]), recourse.appeals),
            }
            for reason in _objects(facts["reasons"])
        ],
        "shadow": facts.get("shadow", []),
        "review": review_json(recourse.review),
        "appeal": _appeal_json(recourse.appeal),
        "ticket": None,
        "receipt": receipt_json(rooms.log.receipt(entry.index)),
    }


def review_json(review: Review | None) -> JSON | None:
    """Return what a held decision waits for, or waited for."""
    return {"id": review.id, "ruling": review.ruling.value} if review else None


def _appeal_json(appeal: Appeal | None) -> JSON | None:
    return {"id": appeal.id, "status": appeal.state.value} if appeal else None


@dataclass(frozen=True, slots=True)
class _Recourse:
    """What became of a refusal, and where one can appeal against it now."""

    review: Review | None = None
    appeal: Appeal | None = None
    appeals: str = ""


def _recourse(rooms: Rooms, entry: LoggedEntry) -> _Recourse:
    facts = entry.facts
    if facts.get("verdict") == Verdict.ALLOW.word or facts.get("mode") != Mode.ENFORCE.value:
        return _Recourse()
    with rooms.database.reading() as conn:
        review = reviews.of_entry(conn, facts)
        appeal = appeals.of_decision(conn, str(facts["decision"]))
    stands = review is None or review.ruling is Ruling.REFUSED
    is_late = rooms.clock() >= datetime.fromisoformat(entry.at) + appeals.TERM
    is_open = appeal is None and stands and not is_late
    return _Recourse(review, appeal, rooms.appeals if is_open else "")


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


def _reason(reason: Mapping[str, Json], judged_by: Policy | None) -> JSON:
    code = str(reason["code"])
    rule: Rule | Join | None = None
    if judged_by is not None:
        joins = (one for one in judged_by.joins if one.code == code)
        rule = judged_by.rules.get(code) or next(joins, None)
    return {
        **reason,
        "message": rule.message if rule else _EARLIER,
        "remedy": rule.remedy if rule else "Send the request again to hear what holds now.",
    }


def _objects(value: object) -> Sequence[Mapping[str, Json]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise LogTampered("a decision holds something else than a list of reasons")
    return value
