"""Addresses, tiles and bundles of C2SP tlog-tiles, read by a client that knows only the text."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import merkle, tiles
from service.audit.errors import LogTampered, NoTile
from service.audit.tiles import EntryBundle, HashTile
from service.database import Database
from tests.service.audit.builders import a_log, an_entry

NUMBERS = st.one_of(st.integers(0, 2000), st.integers(0, 10**15 - 1))
WIDTHS = st.integers(1, 256)
ADDRESSES = st.one_of(
    st.builds(HashTile, st.integers(0, 63), NUMBERS, WIDTHS),
    st.builds(EntryBundle, NUMBERS, WIDTHS),
)


@given(ADDRESSES)
def test_an_address_is_read_as_what_it_was_written_for(
    named: HashTile | EntryBundle,
) -> None:
    assert tiles.parsed(str(named)) == named


def test_addresses_are_those_of_the_specification() -> None:
    assert str(HashTile(0, 1_234_067)) == "0/x001/x234/067"
    assert str(HashTile(1, 0, 17)) == "1/000.p/17"
    assert str(EntryBundle(273, 112)) == "entries/273.p/112"
    assert str(EntryBundle(1000)) == "entries/x001/000"


@pytest.mark.parametrize(
    "address",
    [
        "", "0", "0/", "/0/000", "0/000/", "0/0", "0/00", "0/0000", "0/x000", "0/x000/000",
        "0/x000/x001/000", "0/001/002", "0/x01/002", "0/X001/002", "00/000", "64/000", "100/000",
        "-1/000", "+1/000", " 0/000", "0/000 ", "0/000\n", "0/-01", "0/000.p", "0/000.p/",
        "0/000.p/0", "0/000.p/01", "0/000.p/256", "0/000.p/999", "0/000.p/1000", "0/000.p/-1",
        "0/000.p/1/", "0/000.P/1", "0/000p/1", "entries", "entries/", "entries/x", "Entries/000",
        "0/entries/000", "data/000", "0/٠٠٠", "٠/000", "0/000.p/١", "0/..", "../0/000",
        "0/x001/../000", "0/x999/x999/x999/x999/x999/999", "0/000?", "0/%30%30%30",
    ],
)  # fmt: skip
def test_a_name_that_is_written_otherwise_names_nothing(address: str) -> None:
    with pytest.raises(NoTile):
        tiles.parsed(address)


@given(st.text(alphabet="0169x/.pentris", max_size=24))
def test_whatever_is_read_is_written_the_same_way(address: str) -> None:
    try:
        named = tiles.parsed(address)
    except NoTile:
        return
    assert str(named) == address


@given(st.lists(st.binary(max_size=70), max_size=256))
def test_a_bundle_holds_the_entries_that_went_in(entries: list[bytes]) -> None:
    assert list(tiles.unbundled(tiles.bundled(entries))) == entries


def test_a_bundle_takes_the_longest_entry() -> None:
    longest = bytes(65_535)

    assert tiles.bundled([longest])[:2] == b"\xff\xff"
    assert tiles.unbundled(tiles.bundled([longest])) == [longest]


@pytest.mark.parametrize("bundle", [b"\0", b"\0\2a", b"\0\1a\0", bytes(2 * 257)])
def test_a_bundle_that_ends_elsewhere_is_refused(bundle: bytes) -> None:
    with pytest.raises(NoTile):
        tiles.unbundled(bundle)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_head(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return node(tree_head(hashes[:half]), tree_head(hashes[half:]))


def in_pieces(content: bytes) -> list[bytes]:
    return [content[at : at + 32] for at in range(0, len(content), 32)]


class Client:
    """Derives a root from tiles as a client must: full tiles, and partial ones of this size."""

    def __init__(self, size: int, stored: dict[tuple[int, int], bytes]) -> None:
        self.size, self.stored = size, stored

    def tile(self, level: int, number: int) -> list[bytes]:
        # floor(s / 256**l) mod 256 hashes in the last tile of a level.
        hashes = self.size // 256**level
        width = 256 if (number + 1) * 256 <= hashes else hashes % 256
        wanted = HashTile(level, number, width)
        assert tiles.parsed(str(wanted)) == wanted
        return in_pieces(tiles.hash_tile(self.size, wanted, self._stored))

    def _stored(self, level: int, number: int) -> bytes:
        return self.stored[level, number]

    def level(self, level: int) -> list[bytes]:
        hashes = self.size // 256**level
        return [one for number in range(-(-hashes // 256)) for one in self.tile(level, number)]


SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537]
# As long a row as the largest size wants; what the entries say does not matter here.
LEAVES = [hashlib.sha256(b"\0%d" % number).digest() for number in range(SIZES[-1])]


@pytest.mark.parametrize("size", SIZES)
def test_a_client_derives_every_level_and_the_root_from_the_tiles(size: int) -> None:
    edge = merkle.Edge()
    client = Client(size, edge.extend(LEAVES[:size]))

    leaves = client.level(0)

    assert leaves == LEAVES[:size]
    assert tree_head(leaves) == edge.root()
    for level in (1, 2):
        below = client.level(level - 1)
        full = [below[at : at + 256] for at in range(0, len(below) - 255, 256)]
        assert client.level(level) == [tree_head(one) for one in full]


def grown(size: int) -> Client:
    return Client(size, merkle.Edge().extend(LEAVES[:size]))


def test_a_wider_tile_is_cut_to_what_was_asked_for() -> None:
    client = grown(300)

    cut = tiles.hash_tile(300, HashTile(0, 1, 10), client._stored)

    assert in_pieces(cut) == LEAVES[256:266]


@pytest.mark.parametrize(
    "wanted",
    [HashTile(0, 1), HashTile(0, 1, 45), HashTile(0, 2, 1), HashTile(1, 0, 2), HashTile(2, 0, 1),
     HashTile(63, 0, 1), HashTile(0, 10**14)],
)  # fmt: skip
def test_what_lies_beyond_the_size_is_not_there(wanted: HashTile) -> None:
    with pytest.raises(NoTile):
        tiles.hash_tile(300, wanted, grown(300)._stored)


def test_a_stored_tile_that_was_cut_short_is_an_error_and_no_tile() -> None:
    with pytest.raises(LogTampered):
        tiles.hash_tile(300, HashTile(0, 0), lambda level, number: bytes(32 * 255))


@pytest.mark.parametrize("size", [1, 256, 300])
def test_a_monitor_rebuilds_the_log_from_its_bundles(database: Database, size: int) -> None:
    with a_log(database) as log:
        log.append_many([an_entry(f"dec_{number}") for number in range(size)])
        hashes = []
        for number in range(-(-size // 256)):
            bundle = log.tile(EntryBundle(number, min(256, size - 256 * number)))
            while bundle:
                length = int.from_bytes(bundle[:2], "big")
                hashes.append(hashlib.sha256(b"\0" + bundle[2 : 2 + length]).digest())
                bundle = bundle[2 + length :]
        text = log.checkpoint()
        first = log.tile(HashTile(0, 0, min(size, 256)))

    assert text.splitlines()[1] == str(size)
    assert tree_head(hashes).hex() == log_root(text).hex()
    assert in_pieces(first) == hashes[:256]


def log_root(note: str) -> bytes:
    return base64.b64decode(note.splitlines()[2])


def test_a_bundle_with_a_changed_entry_is_an_error(database: Database) -> None:
    with a_log(database) as log:
        log.append_many([an_entry(f"dec_{number}") for number in range(3)])
        with database.transaction() as conn:
            conn.exec_driver_sql("UPDATE log_entry SET leaf = x'00' WHERE place = 1")

        with pytest.raises(LogTampered):
            log.tile(EntryBundle(0, 3))
        assert len(tiles.unbundled(log.tile(EntryBundle(0, 1)))) == 1
