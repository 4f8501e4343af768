"""Every alias of every claim in force, found in a text. Imports marisa_trie, alone.

The database is the truth; this index only proposes. It never misses an alias that is in force,
may propose one that no longer is, and whoever uses it looks each proposal up. A million aliases
take some megabytes in a trie that is built once; what was filed since lies in a dictionary.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import marisa_trie
from sqlalchemy import Connection

from rightsholders import store
from rightsholders.claims import RightsError
from rightsholders.tokens import Tokens

REBUILD_FROM = 20_000
# A plural or possessive of a shorter name would be found in too many ordinary words.
SHORTEST_INFLECTED = 4


# A prompt that is nothing but names has some 5,000; what has more was made to wear us out.
MOST_PROPOSALS = 50_000


class TooManyNames(RightsError):
    """More aliases stand in the text than can be looked up: no answer."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Aliases whose letters stand in a text from one word to another.

    Attributes:
        numbers: of the aliases, in the database.
        first, last: the words of the text, both included.
        letters: the letters that matched, without gaps: those of the words, less the ending of a
            plural or possessive.
    """

    numbers: tuple[int, ...]
    first: int
    last: int
    letters: str


class NameIndex:
    """The index, as new as the connection that asks. Thread-safe.

    Args:
        rebuild_from: how many aliases may wait in the dictionary before the trie is built anew,
            within the call that notices: 7 s of CPU for a million (benchmarks/names.py).
    """

    def __init__(self, *, rebuild_from: int = REBUILD_FROM) -> None:
        self._rebuild_from = rebuild_from
        self._lock = threading.Lock()
        self._at: store.Change | None = None
        self._forget()

    def search(self, conn: Connection, words: Tokens) -> tuple[list[Proposal], str]:
        """Return what may be claimed in `words`, longest first, and the checkpoint asked.

        Raises:
            TooManyNames: over `MOST_PROPOSALS` of them.
        """
        with self._lock:
            self._refresh(conn)
            proposals = (
                proposal
                for first in range(len(words.words))
                for proposal in self._at_word(words, first)
            )
            found = list(islice(proposals, MOST_PROPOSALS + 1))
            checkpoint = f"claims:{0 if self._at is None else self._at.seq}"
        if len(found) > MOST_PROPOSALS:
            raise TooManyNames(f"over {MOST_PROPOSALS} names may stand in one text")
        return sorted(found, key=lambda met: (-len(met.letters), met.first)), checkpoint

    def refresh(self, conn: Connection) -> None:
        """Bring the index to where `conn` is; `search` does so by itself."""
        with self._lock:
            self._refresh(conn)

    def _forget(self) -> None:
        self._trie = marisa_trie.RecordTrie("<Q", ())
        self._since: dict[str, set[int]] = {}
        self._longest = 0

    def _refresh(self, conn: Connection) -> None:
        newest = store.last_change(conn)
        if newest == self._at:
            return
        here, self._at = self._at, None
        # It is built anew where `conn` does not see the change we came from: that was rolled
        # back, or `conn` reads an older moment than another reader did.
        if here is None or newest is None or store.change_at(conn, here.seq) != here:
            self._build(conn)
        else:
            for named in store.keys_changed_since(conn, here.seq):
                self._add(named)
            if len(self._since) > self._rebuild_from:
                self._build(conn)
        # Whatever changed while it was read has a higher number and comes with the next refresh.
        # What of it is here already only proposes more.
        self._at = newest

    def _build(self, conn: Connection) -> None:
        self._forget()
        self._trie = marisa_trie.RecordTrie(
            "<Q", ((_letters(named.key), (named.number,)) for named in self._measured(conn))
        )

    def _measured(self, conn: Connection) -> Iterator[store.NumberedKey]:
        for named in store.keys_in_force(conn):
            self._longest = max(self._longest, len(named.key))
            yield named

    def _add(self, named: store.NumberedKey) -> None:
        self._longest = max(self._longest, len(named.key))
        self._since.setdefault(_letters(named.key), set()).add(named.number)

    def _at_word(self, words: Tokens, first: int) -> Iterator[Proposal]:
        start = words.starts[first]
        ahead = words.joined[start : start + self._longest]
        keys = set(self._trie.prefixes(ahead))
        if self._since:
            ends = self._possible_ends(words, first)
            keys.update(key for end in ends if (key := words.joined[start:end]) in self._since)
        for key in keys:
            last = _last_word(words, start + len(key))
            if last is not None:
                yield Proposal(tuple(sorted(self._numbers(key))), first, last, key)

    def _possible_ends(self, words: Tokens, first: int) -> Iterator[int]:
        start = words.starts[first]
        for end in words.ends[first:]:
            if end - 2 > start + self._longest:
                return
            yield from (end, end - 1, end - 2)

    def _numbers(self, key: str) -> set[int]:
        numbers = set(self._since.get(key, ()))
        if key in self._trie:
            numbers.update(number for (number,) in self._trie[key])
        return numbers


def _letters(key: str) -> str:
    return key.replace(" ", "")


def _last_word(words: Tokens, end: int) -> int | None:
    """Return the word that ends at `end` of the joined text, or does so but for `s` or `es`."""
    if end in words.ending_at:
        return words.ending_at[end]
    for ending in ("s", "es"):
        number = words.ending_at.get(end + len(ending))
        if number is None or not words.words[number].text.endswith(ending):
            continue
        if end - words.starts[number] >= SHORTEST_INFLECTED:
            return number
    return None
