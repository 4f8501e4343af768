"""The whole index against what the entries say: what it hides, and what it invents."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from service.audit import store
from service.audit.search.finding import Finder
from service.audit.search.index import Pair
from service.audit.search.postings import (
    CHUNK,
    Bits,
    bits_of,
    joined,
    offsets_in,
)
from service.audit.search.terms import terms_of

_MOST_NAMED = 1000


class Fault(StrEnum):
    """What is wrong with the index."""

    HIDDEN = "hidden"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that is not found by one of its terms, or by one that it does not have."""

    fault: Fault
    place: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What holding the index against the entries found.

    Attributes:
        differences: the first 1,000; none if the index is sound.
    """

    size: int
    differences: tuple[Difference, ...]

    @property
    def sound(self) -> bool:
        """Whether every entry is found by its terms, and by no other."""
        return not self.differences


def checked(finder: Finder) -> IndexCheck:
    """Compare every posting of the entries that `finder` answers about."""
    run = _Run(finder)
    for chunk in range(-(-finder.size // CHUNK)):
        run.compare(chunk)
    return IndexCheck(finder.size, tuple(run.differences))


class _Run:
    def __init__(self, finder: Finder) -> None:
        self._conn: Connection = finder.conn
        self._size = finder.size
        self.differences: list[Difference] = []

    def compare(self, chunk: int) -> None:
        """Compare what one chunk's entries say with what can be found of it."""
        said, present = self._said(chunk)
        indexed = self._indexed(chunk)
        for pair in sorted(said.keys() | indexed.keys()):
            ours, theirs = said.get(pair, b""), indexed.get(pair, b"")
            if ours == theirs:
                continue
            # An entry that is gone says nothing; whether it may be gone, the tree knows.
            wanted, found = bits_of(ours), bits_of(theirs) & present
            self._name(Fault.HIDDEN, chunk, pair, wanted & ~found)
            self._name(Fault.INVENTED, chunk, pair, found & ~wanted)

    def _said(self, chunk: int) -> tuple[dict[Pair, bytes], Bits]:
        """Return the postings that the entries of a chunk call for, and which entries there are."""
        places: dict[Pair, list[int]] = {}
        first = chunk * CHUNK
        rows = min(CHUNK, self._size - first)
        present: list[int] = []
        for place, _, leaf in store.leaves(self._conn, first, rows):
            if place >= first + rows:
                break
            present.append(place - first)
            for pair in terms_of(leaf):
                places.setdefault(pair, []).append(place - first)
        said = {pair: joined(b"", offsets) for pair, offsets in places.items()}
        return said, bits_of(joined(b"", present)) if present else bits_of(b"")

    def _indexed(self, chunk: int) -> dict[Pair, bytes]:
        # A term that is said to lie elsewhere is not looked for here.
        query = (
            "SELECT t.name, t.value, p.places FROM log_posting p JOIN log_term t ON t.id = p.term"
            " WHERE p.chunk = ? AND t.first <= ? AND t.last >= ?"
        )
        rows = store.rows(self._conn, query, (chunk, chunk, chunk))
        return {(str(row[0]), str(row[1])): store.content(row[2]) for row in rows}

    def _name(self, fault: Fault, chunk: int, pair: Pair, bits: Bits) -> None:
        for offset in offsets_in(bits):
            if len(self.differences) >= _MOST_NAMED:
                return
            place = chunk * CHUNK + int(offset)
            self.differences.append(Difference(fault, place, *pair))
