"""How a request ended, or where it stands, and what its story lacks."""

from dataclasses import dataclass
from typing import assert_never

from service.audit.reading import LoggedEntry
from service.jobs import Job, State
from service.story.gathering import Gathered
from service.story.wording import DECISION

_AT = {
    "request": "before anything was made",
    "half_way": "half way",
    "output": "at output",
    "release": "at the release",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a story.

    Attributes:
        state: `released`, `held`, `refused`, `failed`, `cancelled`, `waiting` or `decided`.
        said: one sentence.
        missing: what one might look for here, and why it is not there.
    """

    state: str
    said: str
    missing: tuple[str, ...]


def outcome(found: Gathered) -> Outcome:
    """Return how the request ended, as far as the log and the job's row say."""
    missing = list(_missing(found))
    if found.job is not None:
        state, said = _of_job(found, found.job)
    else:
        state, said = _of_log(found)
    if state != "released":
        missing.insert(0, f"no release: {said[:1].lower()}{said[1:]}")
    return Outcome(state, said, tuple(missing))


def _of_job(found: Gathered, job: Job) -> tuple[str, str]:
    match job.state:
        case State.RELEASED:
            return "released", f"Released on {_at(job.ended_at)}"
        case State.HELD:
            stage = job.held_stage.value if job.held_stage else ""
            last = _last(found.entries, "hold")
            since = f" since {last.logged_at[:19].replace('T', ' ')} UTC" if last else ""
            waits = f"; {', '.join(found.waits)} waits for a person" if found.waits else ""
            return "held", f"Held {_AT.get(stage, stage)}{since}{waits}"
        case State.REFUSED:
            return "refused", f"Refused on {_at(job.ended_at)}: {job.error_code}"
        case State.FAILED:
            return "failed", f"Failed on {_at(job.ended_at)}: {job.error_code}"
        case State.CANCELLED:
            return "cancelled", f"Cancelled on {_at(job.ended_at)}"
        case State.ADMITTED | State.QUEUED:
            return "waiting", "Waiting for a worker"
        case State.RUNNING:
            return "waiting", f"A worker is at it, {job.percent} %"
        case _:
            assert_never(job.state)


def _of_log(found: Gathered) -> tuple[str, str]:
    decisions = [one for one in found.entries if one.type == DECISION]
    binding = [one for one in decisions if one.facts.get("mode") == "enforce"]
    if not binding:
        return "decided", "Nothing was decided that binds anybody"
    last = binding[-1]
    stage = _AT.get(str(last.facts.get("stage")), "at an unknown stage")
    verdict = last.facts.get("verdict")
    if verdict == "block":
        return "refused", f"Blocked {stage}"
    if verdict == "hold":
        return "held", f"Held {stage}"
    sealed = any(one.type == "release.sealed" for one in found.entries)
    if sealed and last.facts.get("stage") == "release":
        return "released", f"Released on {last.logged_at[:19].replace('T', ' ')} UTC"
    if sealed:
        return "decided", "Sealed, and not released as far as the log knows"
    return "decided", "Allowed, and nothing was made of it here"


def _missing(found: Gathered) -> list[str]:
    missing = []
    decisions = [one for one in found.entries if one.type == DECISION]
    if not decisions:
        missing.append("no decision: the log has none under these ids")
    if found.job is None and any(one.type == "release.sealed" for one in found.entries):
        missing.append("no job: another program made the film, or its row is gone")
    if found.erasures:
        missing.append("private values: they were erased, and only their commitments are left")
    if found.is_cut:
        missing.append("further entries: there are more than a story holds")
    return missing


def _last(entries: tuple[LoggedEntry, ...], verdict: str) -> LoggedEntry | None:
    for one in reversed(entries):
        if one.type == DECISION and one.facts.get("verdict") == verdict:
            return one
    return None


def _at(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "an unknown day"
