"""Asking the index: places in order, how many there are, and the time as a place.

Each term is looked up by a bound statement, chunks of the log at a time, and comes as bits; what
a query makes of them is arithmetic. No query is ever a text of SQL.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple, assert_never

import numpy as np
from sqlalchemy import Connection

from service.audit import pruning, store
from service.audit.entries import stamp
from service.audit.search import index
from service.audit.search.index import Known, Pair, Posting, Value
from service.audit.search.postings import (
    CHUNK,
    CHUNK_BYTES,
    Bits,
    between,
    bits_of,
    count_of,
    offsets_in,
)
from service.audit.search.query import (
    All,
    AnyOf,
    Before,
    Not,
    Places,
    Query,
    Since,
    Term,
    leaves_of,
)

# A page is often found in the newest chunks; whatever is rare is looked for in ever longer spans.
_FIRST_SPAN, _LONGEST_SPAN = 2, 128
# Beyond that, reading all terms of a stretch is less work than looking each of them up.
_MOST_SOUGHT = 2000
_LOGGED_AT = b'"logged_at":"'
_STAMP_BYTES = 27


@dataclass(frozen=True, slots=True)
class Facet:
    """The commonest values of a name, each with how many entries have it.

    Attributes:
        others: how many further values there are.
    """

    values: tuple[tuple[str, int], ...]
    others: int


class _Span(NamedTuple):
    """Chunks from `first` up to `end`, with the bits of the entries in them that were found."""

    first: int
    end: int
    found: Bits


class _Reach(NamedTuple):
    """Chunks from `first` up to `end`; no entry outside of them can be meant."""

    first: int
    end: int


class Finder:
    """Answers about the first `size` entries, all of which are indexed, as `conn` sees them."""

    def __init__(self, conn: Connection, size: int) -> None:
        self.conn = conn
        self.size = size
        self._pruned = pruning.missing(conn).below

    def places(
        self, query: Query, *, newest: bool, after: int | None = None, limit: int
    ) -> list[int]:
        """Return the places of up to `limit` entries, from the one behind `after` on."""
        asked = query
        if after is not None:
            asked = All((query, Places(0, after) if newest else Places(after + 1, self.size)))
        return list(islice(self._places(asked, newest=newest), limit))

    def every_place(self, query: Query) -> Iterator[int]:
        """Yield all places, oldest first."""
        return self._places(query, newest=False)

    def count(self, query: Query) -> int:
        """Return how many entries meet the query."""
        return sum(count_of(span.found) for span in self._spans(query, newest=False))

    def facet(self, query: Query, name: str, most: int) -> Facet:
        """Return up to `most` values of `name` among the entries, the commonest first."""
        values = index.values_of(self.conn, name)
        counts: Counter[str] = Counter()
        for span in self._spans(query, newest=False):
            if not span.found.any():
                continue
            for chunk, term, places in self._postings(values, span):
                start = (chunk - span.first) * CHUNK_BYTES
                mine = span.found[start : start + CHUNK_BYTES]
                counts[values[term].value] += count_of(bits_of(places) & mine)
        found = sorted(
            ((value, many) for value, many in counts.items() if many),
            key=lambda one: (-one[1], one[0]),
        )
        return Facet(tuple(found[:most]), max(0, len(found) - most))

    def place_at(self, at: datetime) -> int:
        """Return the place of the first entry logged at `at` or later: `size` if there is none."""
        wanted = stamp(at)
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            leaf = store.leaf(self.conn, middle)
            # What was pruned is older than whatever is left.
            if leaf is None or _logged_at(leaf) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _places(self, query: Query, *, newest: bool) -> Iterator[int]:
        for span in self._spans(query, newest=newest):
            found = offsets_in(span.found)
            for offset in found[::-1] if newest else found:
                yield span.first * CHUNK + int(offset)

    def _spans(self, query: Query, *, newest: bool) -> Iterator[_Span]:
        """Yield what is found span by span, from the newest or the oldest on."""
        asked = self._timeless(query)
        pairs = {(one.name, one.value) for one in leaves_of(asked) if isinstance(one, Term)}
        known = index.terms(self.conn, sorted(pairs))
        whole = _Reach(0, -(-self.size // CHUNK))
        low, high = _both(whole, _reach(asked, known, whole))
        length = _FIRST_SPAN
        while low < high:
            span = (
                _Reach(max(low, high - length), high)
                if newest
                else _Reach(low, min(high, low + length))
            )
            yield _Span(*span, self._found(asked, known, span))
            low, high = (low, span.first) if newest else (span.end, high)
            length = min(length * 2, _LONGEST_SPAN)

    def _found(self, query: Query, known: Mapping[Pair, Known], span: _Reach) -> Bits:
        length = (span.end - span.first) * CHUNK_BYTES
        bits: dict[int, Bits] = {}
        numbers = [
            one.id for one in known.values() if one.first < span.end and one.last >= span.first
        ]
        for chunk, term, places in index.postings(self.conn, span.first, span.end, numbers):
            mine = bits.setdefault(term, np.zeros(length, np.uint8))
            start = (chunk - span.first) * CHUNK_BYTES
            mine[start : start + CHUNK_BYTES] = bits_of(places)
        base = span.first * CHUNK
        found = _Judge(known, bits, base, length).bits(query)
        found = found & between(0, self.size - base, length)
        return found & self._kept(base, length) if base < self._pruned else found

    def _kept(self, base: int, length: int) -> Bits:
        """Return the bits of entries from `base` on that were not pruned."""
        flags = np.zeros(length * 8, np.uint8)
        end = min(self._pruned, base + length * 8)
        flags[[place - base for place in pruning.places(self.conn, base, end)]] = 1
        flags[end - base :] = 1
        return np.packbits(flags, bitorder="little")

    def _timeless(self, query: Query) -> Query:
        """Return the query with places in place of times; the log's time never goes backwards."""
        match query:
            case Since(at):
                return Places(self.place_at(at), self.size)
            case Before(at):
                return Places(0, self.place_at(at))
            case All(parts):
                return All(tuple(self._timeless(part) for part in parts))
            case AnyOf(parts):
                return AnyOf(tuple(self._timeless(part) for part in parts))
            case Not(part):
                return Not(self._timeless(part))
            case Term() | Places():
                return query
            case _:
                assert_never(query)

    def _postings(self, values: Mapping[int, Value], span: _Span) -> Iterator[Posting]:
        """Return where in the span each of the values is."""
        numbers = [
            number
            for number, value in values.items()
            if value.first < span.end and value.last >= span.first
        ]
        if len(numbers) <= _MOST_SOUGHT:
            return index.postings(self.conn, span.first, span.end, numbers)
        every = index.every_posting(self.conn, span.first, span.end)
        return (posting for posting in every if posting[1] in values)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What a query makes of the bits of its terms in one span."""

    known: Mapping[Pair, Known]
    terms: Mapping[int, Bits]
    base: int
    length: int

    def bits(self, query: Query) -> Bits:
        match query:
            case Term(name, value):
                known = self.known.get((name, value))
                found = self.terms.get(known.id) if known else None
                return self._none() if found is None else found
            case All(parts):
                return self._joined(parts, np.bitwise_and, between(0, self.length * 8, self.length))
            case AnyOf(parts):
                return self._joined(parts, np.bitwise_or, self._none())
            case Not(part):
                return ~self.bits(part)
            case Places(first, end):
                return between(first - self.base, end - self.base, self.length)
            case Since() | Before():
                raise AssertionError("times are places by now")
            case _:
                assert_never(query)

    def _joined(self, parts: tuple[Query, ...], by: np.ufunc, start: Bits) -> Bits:
        joined = start
        for part in parts:
            joined = by(joined, self.bits(part))
        return joined

    def _none(self) -> Bits:
        return np.zeros(self.length, np.uint8)


def _reach(query: Query, known: Mapping[Pair, Known], whole: _Reach) -> _Reach:
    """Return the chunks in which all that meets the query lies."""
    match query:
        case Term(name, value):
            term = known.get((name, value))
            return _Reach(term.first, term.last + 1) if term else _Reach(0, 0)
        case Places(first, end):
            return _Reach(first // CHUNK, -(-end // CHUNK)) if first < end else _Reach(0, 0)
        case All(parts):
            reach = whole
            for part in parts:
                reach = _both(reach, _reach(part, known, whole))
            return reach
        case AnyOf(parts):
            some = [one for part in parts if (one := _reach(part, known, whole)).first < one.end]
            if not some:
                return _Reach(0, 0)
            return _Reach(min(one.first for one in some), max(one.end for one in some))
        case Not() | Since() | Before():
            return whole
        case _:
            assert_never(query)


def _both(one: _Reach, other: _Reach) -> _Reach:
    return _Reach(max(one.first, other.first), min(one.end, other.end))


def _logged_at(leaf: bytes) -> str:
    # The last one: it stands behind the facts, and a text in them has its quotes escaped.
    at = leaf.rfind(_LOGGED_AT) + len(_LOGGED_AT)
    return leaf[at : at + _STAMP_BYTES].decode(errors="replace")
