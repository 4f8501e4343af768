"""The story itself: what happened, in the order of the log, each with its proof."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.audit.log import AuditLog
from service.audit.reading import LoggedEntry
from service.database import Database
from service.story import wording
from service.story.gathering import gathered
from service.story.outcome import Outcome, outcome


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, and what it means.

    Attributes:
        proof_url: where its proof is served.
    """

    entry: LoggedEntry
    title: str
    lines: tuple[str, ...]
    proof_url: str


@dataclass(frozen=True, slots=True)
class Story:
    """A request from end to end.

    Attributes:
        asked_for: the id that was asked for, of the request or of something in it.
        job: id of its job, or empty.
        tree_size: how long the log was.
    """

    asked_for: str
    request: str
    project: str
    actor: str
    job: str
    events: tuple[Event, ...]
    outcome: Outcome
    log: str
    tree_size: int


def told(log: AuditLog, database: Database, wanted: str, *, project: str = "") -> Story:
    """Return the story of a request.

    Args:
        wanted: id of the request, of one of its decisions, of its job, review or appeal, or the
            SHA-256 of what was released.
        project: whose; empty for anybody's.

    Raises:
        NoEntry: nothing is known under this id.
        LogTampered, IndexBroken: an entry is not the one that was logged, or asked for.
    """
    found = gathered(log, database, wanted, project)
    every = {one.index: one for one in (*found.entries, *found.erasures)}
    first = found.entries[0].index
    proofs = log.receipt(first).proof_url.removesuffix(str(first))
    return Story(
        asked_for=wanted,
        request=found.request,
        project=found.project,
        actor=next((one.actor for one in found.entries if one.type == "decision.made"), ""),
        job=found.job.id if found.job else "",
        events=tuple(_events([one for _, one in sorted(every.items())], proofs)),
        outcome=outcome(found),
        log=log.origin,
        tree_size=found.tree_size,
    )


def _events(entries: Sequence[LoggedEntry], proofs: str) -> Iterator[Event]:
    """Yield the entries as events; what stays the same is said once."""
    titles, standing = set[str](), set[str]()
    for entry in entries:
        title = wording.title(entry)
        again = ", asked again" if entry.type == wording.DECISION and title in titles else ""
        titles.add(title)
        lines = tuple(one for one in wording.lines(entry) if one not in standing)
        standing |= {one for one in lines if one.startswith(wording.STANDING)}
        yield Event(entry, title + again, lines, f"{proofs}{entry.index}")
