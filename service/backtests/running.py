"""A back-test: every decision in a range that is asked for, judged again by another policy."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.audit import reading
from service.audit.log import AuditLog
from service.audit.reading import TileCache
from service.audit.search.query import All, Query, Term
from service.backtests.flips import Flips
from service.backtests.replaying import NotReplayable, Past, past
from service.decision import strictest
from service.policy_book import Policy

_MOST_NAMED = 20
# Looked at every so many decisions.
_CLOCK_EVERY = 500


class BacktestError(Exception):
    """Base of everything this package raises for whoever asked."""


class TooMuch(BacktestError):
    """The range holds more than one answer can wait for: narrow it, or take a sample."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to judge again.

    Attributes:
        query: which entries; only enforced decisions among them count.
        against: the policy to compare with; None for what was decided then.
        sample: which share of the decisions, chosen by hash of `seed` and the decision's id.
        examples: how many to name of each kind of flip.
        most: how many decisions at most; None for any number.
        most_s: how many seconds at most.
    """

    query: Query
    candidate: Policy
    against: Policy | None = None
    sample: float = 1.0
    seed: str = ""
    examples: int = 5
    most: int | None = None
    most_s: float | None = None


@dataclass(slots=True)
class Exact:
    """Decisions that the candidate itself had taken: each has to come out the same, to the bit."""

    checked: int = 0
    differing: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Backtest:
    """What came of it.

    Attributes:
        matched: how many decisions are in the range; without a sample all are judged.
        skipped: why entries could not be judged again, with how many and the first.
        tree_size, checkpoint: the moment of the log that was asked.
    """

    matched: int
    flips: Flips
    exact: Exact
    skipped: dict[str, tuple[int, int]]
    tree_size: int
    checkpoint: str


def run(log: AuditLog, asked: Asked) -> Backtest:
    """Return what `asked.candidate` would have decided. Reads only; no model is asked.

    Raises:
        TooMuch: over `most` decisions, or over `most_s` seconds.
        LogTampered, DatabaseUnavailable: the log cannot be read.
    """
    checkpoint = log.checkpoint()
    wanted = All((Term("type", "decision.made"), Term("mode", "enforce"), asked.query))
    with log.finding() as (finder, _):
        matched = finder.count(wanted)
        if asked.most is not None and matched * asked.sample > asked.most:
            raise TooMuch(f"{matched} decisions are in this range; at most {asked.most} at once")
        test = Backtest(matched, Flips(asked.examples), Exact(), {}, finder.size, checkpoint)
        tiles = TileCache().reading(finder.conn)
        found = reading.leaves(finder.conn, tiles, finder.every_place(wanted))
        for index, leaf in _in_time(found, asked):
            _replay(test, asked, index, leaf)
    return test


def _in_time(found: Iterator[tuple[int, bytes]], asked: Asked) -> Iterator[tuple[int, bytes]]:
    until = None if asked.most_s is None else time.monotonic() + asked.most_s
    for number, one in enumerate(found):
        if until is not None and not number % _CLOCK_EVERY and time.monotonic() > until:
            raise TooMuch(f"it takes over {asked.most_s:g} s; {number} decisions were judged")
        yield one


def _replay(test: Backtest, asked: Asked, index: int, leaf: bytes) -> None:
    try:
        one = past(leaf)
    except NotReplayable as wrong:
        _skip(test, str(wrong), index)
        return
    if asked.sample < 1.0 and not _is_in(one, asked):
        return
    judged = one.judged(asked.candidate)
    after = strictest(judged.reasons)
    before = one.verdict if asked.against is None else strictest(one.judged(asked.against).reasons)
    codes = frozenset([reason.code for reason in judged.reasons]) if judged.reasons else _NONE
    test.flips.add(index, one, before, after, codes)
    if one.policy.sha256 == asked.candidate.ref.sha256:
        test.exact.checked += 1
        if not one.is_exactly(judged) and len(test.exact.differing) < _MOST_NAMED:
            test.exact.differing.append(index)


_NONE = frozenset[str]()


def _skip(test: Backtest, why: str, index: int) -> None:
    many, first = test.skipped.get(why, (0, index))
    test.skipped[why] = (many + 1, first)


def _is_in(one: Past, asked: Asked) -> bool:
    rank = hashlib.sha256(f"{asked.seed}/{one.decision}".encode()).digest()[:8]
    return int.from_bytes(rank, "big") < asked.sample * 2**64
