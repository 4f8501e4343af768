"""Postings: whatever was joined comes back as the same places, few or many."""

from hypothesis import given
from hypothesis import strategies as st

from service.audit.search.postings import (
    CHUNK,
    CHUNK_BYTES,
    between,
    bits_of,
    count_of,
    joined,
    offsets_in,
)

OFFSETS = st.one_of(
    st.sets(st.integers(0, CHUNK - 1), min_size=1, max_size=30),
    st.tuples(st.integers(0, CHUNK - 2), st.integers(1, 7)).map(
        lambda one: set(range(one[0], CHUNK, one[1]))
    ),
)


@given(st.lists(OFFSETS, min_size=1, max_size=5))
def test_what_is_joined_is_found_again(parts: list[set[int]]) -> None:
    stored, known = b"", set[int]()
    for part in parts:
        new = sorted(part - known)
        if new:
            stored = joined(stored, new)
            known |= part

    assert set(offsets_in(bits_of(stored)).tolist()) == known
    assert count_of(bits_of(stored)) == len(known)
    assert len(stored) <= CHUNK_BYTES


@given(st.binary(max_size=2 * CHUNK_BYTES))
def test_no_bytes_are_too_strange_to_be_read(stored: bytes) -> None:
    assert len(bits_of(stored)) == CHUNK_BYTES


@given(st.integers(-5, 100), st.integers(-5, 100))
def test_a_stretch_has_the_bits_between(first: int, end: int) -> None:
    wanted = [one for one in range(80) if first <= one < end]

    assert offsets_in(between(first, end, 10)).tolist() == wanted
