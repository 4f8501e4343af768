"""The entries that have a term, chunk by chunk: as bits, or as numbers where there are few.

A chunk is 8,192 entries. Bits are kept so short that a whole chunk of a common term is one small
row, and combining terms over a million entries is arithmetic on some hundred of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHUNK = 8192
CHUNK_BYTES = CHUNK // 8
# As many numbers take as many bytes as the bits do; the length says which of the two it is.
_FEW = CHUNK_BYTES // 2
Bits = NDArray[np.uint8]
"""One bit for each entry of one or more chunks, the first entry in the lowest bit."""


def joined(stored: bytes, offsets: Sequence[int]) -> bytes:
    """Return what to store for the entries in `stored` and those at `offsets` in their chunk."""
    more = (
        np.array(offsets, "<u2").tobytes() if len(offsets) > 1 else offsets[0].to_bytes(2, "little")
    )
    if len(stored) < CHUNK_BYTES and (len(stored) + len(more)) // 2 < _FEW:
        return stored + more
    return bytes(bits_of(stored) | bits_of(more))


def bits_of(stored: bytes) -> Bits:
    """Return the bits of one chunk; what nobody of ours would have stored sets none outside."""
    if len(stored) == CHUNK_BYTES:
        return np.frombuffer(stored, np.uint8)
    flags = np.zeros(CHUNK, np.uint8)
    offsets = np.frombuffer(stored[: len(stored) // 2 * 2], "<u2")
    flags[offsets[offsets < CHUNK]] = 1
    return np.packbits(flags, bitorder="little")


def between(first: int, end: int, length: int) -> Bits:
    """Return `length` bytes of bits, of which those from `first` up to `end` are set."""
    flags = np.zeros(length * 8, np.uint8)
    flags[max(0, first) : max(0, end)] = 1
    return np.packbits(flags, bitorder="little")


def offsets_in(bits: Bits) -> NDArray[np.intp]:
    """Return the places of all set bits, in order."""
    return np.flatnonzero(np.unpackbits(bits, bitorder="little"))


def count_of(bits: Bits) -> int:
    """Return how many bits are set."""
    return int(np.bitwise_count(bits).sum())
