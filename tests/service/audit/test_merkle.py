"""RFC 6962 against two oracles: a naive implementation and pymerkle."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from service.audit import merkle
from service.audit.errors import BadProof


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_consistency(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_consistency(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


class Stored:
    """Tiles in a dictionary, written as a log writes them: batch by batch."""

    def __init__(self, leaves: list[bytes], *, batch: int = 1000) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}
        self.edge = merkle.Edge()
        for start in range(0, len(leaves), batch):
            self.kept.update(self.edge.extend(leaves[start : start + batch]))

    def __call__(self, level: int, number: int) -> bytes:
        return self.kept[level, number]


LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(70_000)]
EDGES = [0, 1, 2, 3, 5, 8, 255, 256, 257, 511, 512, 600]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.Edge().root() == hashlib.sha256(b"").digest()


def test_leaf_and_node_hashes_are_those_of_the_rfc_6962_test_vectors() -> None:
    assert merkle.leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert merkle.node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


@pytest.mark.parametrize("size", EDGES)
def test_the_root_is_that_of_the_naive_tree(size: int) -> None:
    stored = Stored(LEAVES[:size], batch=100)

    assert stored.edge.root() == naive_root(LEAVES[:size])
    assert merkle.root_of(size, stored) == naive_root(LEAVES[:size])


def test_the_root_is_that_of_pymerkle_at_every_small_size() -> None:
    oracle = InmemoryTree()
    edge = merkle.Edge()

    for number in range(300):
        entry = b"entry %d" % number
        oracle.append_entry(entry)
        edge.extend([merkle.leaf_hash(entry)])

        assert edge.root() == oracle.get_root()


def test_three_levels_of_tiles_give_the_same_root() -> None:
    stored = Stored(LEAVES, batch=997)

    root = naive_root(LEAVES)

    assert (2, 0) in stored.kept
    assert stored.edge.root() == root
    assert merkle.root_of(len(LEAVES), stored) == root


@given(st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_tiles_do_not_depend_on_how_entries_were_batched(batches: list[int]) -> None:
    leaves = LEAVES[: sum(batches)]
    edge, kept = merkle.Edge(), {}
    start = 0
    for batch in batches:
        kept.update(edge.extend(leaves[start : start + batch]))
        start += batch

    at_once = Stored(leaves, batch=len(leaves))

    assert edge.root() == at_once.edge.root()
    assert kept == at_once.kept


@given(st.integers(0, 1200), st.integers(0, 300))
@settings(max_examples=40)
def test_an_edge_read_from_tiles_grows_like_the_one_that_wrote_them(size: int, more: int) -> None:
    stored = Stored(LEAVES[:size])
    edge = merkle.edge_of(size, stored)

    assert edge.root() == stored.edge.root()
    edge.extend(LEAVES[size : size + more])
    stored.edge.extend(LEAVES[size : size + more])
    assert edge.root() == stored.edge.root()
    assert edge.partial == stored.edge.partial


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 255, 256, 257, 530])
def test_inclusion_proofs_are_those_of_the_rfc(size: int) -> None:
    stored = Stored(LEAVES[:600])
    root = naive_root(LEAVES[:size])

    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = merkle.inclusion_proof(index, size, stored)

        assert list(proof) == naive_path(index, LEAVES[:size])
        assert merkle.root_from_inclusion(LEAVES[index], index, size, proof) == root


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 9, 256, 257, 530])
def test_consistency_proofs_are_those_of_the_rfc(new: int) -> None:
    stored = Stored(LEAVES[:600])

    for old in sorted({1, 2, 4, 6, new // 2, new - 1, new} & set(range(1, new + 1))):
        proof = merkle.consistency_proof(old, new, stored)

        assert list(proof) == naive_consistency(old, LEAVES[:new])
        merkle.check_consistency(
            (old, naive_root(LEAVES[:old])), (new, naive_root(LEAVES[:new])), proof
        )


@given(st.integers(2, 700), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_changed_inclusion_proof_leads_to_another_root(size: int, rng: random.Random) -> None:
    stored = Stored(LEAVES[:size])
    index = rng.randrange(size)
    proof = list(merkle.inclusion_proof(index, size, stored))
    step = rng.randrange(len(proof))
    proof[step] = bytes([proof[step][0] ^ 1]) + proof[step][1:]

    assert merkle.root_from_inclusion(LEAVES[index], index, size, proof) != stored.edge.root()


@given(st.integers(3, 700), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_rewritten_history_has_no_consistency_proof(size: int, rng: random.Random) -> None:
    old = rng.randrange(1, size)
    rewritten = list(LEAVES[:size])
    rewritten[rng.randrange(old)] = merkle.leaf_hash(b"rewritten")
    stored = Stored(rewritten)
    proof = merkle.consistency_proof(old, size, stored)

    with pytest.raises(BadProof):
        merkle.check_consistency((old, naive_root(LEAVES[:old])), (size, stored.edge.root()), proof)


@pytest.mark.parametrize(("change", "said"), [(-1, "short"), (1, "long")])
def test_a_proof_of_the_wrong_length_is_refused(change: int, said: str) -> None:
    stored = Stored(LEAVES[:256])
    proof = merkle.inclusion_proof(3, 256, stored)
    wrong = proof[:change] if change < 0 else (*proof, LEAVES[0])

    with pytest.raises(BadProof, match=said):
        merkle.root_from_inclusion(LEAVES[3], 3, 256, wrong)
    grown = merkle.consistency_proof(100, 256, stored)
    wrong = grown[:change] if change < 0 else (*grown, LEAVES[0])
    with pytest.raises(BadProof):
        merkle.check_consistency((100, naive_root(LEAVES[:100])), (256, stored.edge.root()), wrong)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_an_entry_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    stored = Stored(LEAVES[:4])

    with pytest.raises(BadProof):
        merkle.inclusion_proof(index, size, stored)
    with pytest.raises(BadProof):
        merkle.root_from_inclusion(LEAVES[0], index, size, ())


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4)])
def test_a_tree_does_not_shrink(old: int, new: int) -> None:
    stored = Stored(LEAVES[:4])

    with pytest.raises(BadProof):
        merkle.consistency_proof(old, new, stored)
    with pytest.raises(BadProof):
        merkle.check_consistency((old, LEAVES[0]), (new, LEAVES[1]), ())


def test_two_roots_of_one_size_are_inconsistent() -> None:
    with pytest.raises(BadProof):
        merkle.check_consistency((4, LEAVES[0]), (4, LEAVES[1]), ())


def test_a_tile_that_lost_hashes_is_noticed() -> None:
    stored = Stored(LEAVES[:8])
    stored.kept[0, 0] = stored.kept[0, 0][:-32]

    with pytest.raises(BadProof, match="tile 0/0"):
        merkle.root_of(8, stored)
