"""Inclusion proofs in bulk are the ones that the tree gives one by one."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.audit import merkle
from service.audit.errors import LogTampered
from service.exports.paths import Paths

LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(1400)]
_ALL = merkle.Edge().extend(LEAVES)


def tile(level: int, number: int) -> bytes:
    return _ALL[level, number]


@settings(deadline=None)
@given(st.data())
def test_every_path_is_the_trees_own(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1400))
    paths = Paths(size, merkle.root_of(size, tile))

    for index in data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=40)):
        assert tuple(paths.path(index, tile)) == merkle.inclusion_proof(index, size, tile)


@pytest.mark.parametrize("index", [3, 1399])
def test_tiles_that_were_changed_lead_to_no_proof(index: int) -> None:
    root = merkle.root_of(1400, tile)
    number = index // 256
    bad = bytearray(_ALL[0, number])
    bad[(index % 256) * 32] ^= 1
    changed: Mapping[tuple[int, int], bytes] = {**_ALL, (0, number): bytes(bad)}

    with pytest.raises(LogTampered):
        Paths(1400, root).path(index, lambda level, at: changed[level, at])
