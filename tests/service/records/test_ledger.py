from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records.ledger import NAME, Ledger, Line
from service.records.words import LedgerDamaged, LedgerUnwritable


def a_line(number: int = 1, case: str = "") -> Line:
    at = "2026-11-21T12:00:00.000000Z"
    return Line(f"ers_{number}", f"act_{number}", "proj_1", "act_1", case, films=False, at=at)


@given(st.lists(st.integers(0, 9), max_size=12), st.text(max_size=20))
def test_what_was_appended_is_read_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], case: str
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("home"))

    for number in numbers:
        ledger.append(a_line(number, case))

    assert ledger.lines() == tuple(a_line(one, case) for one in dict.fromkeys(numbers))


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_that_a_crash_cut_off_makes_room_for_the_next(tmp_path: Path, cut: int) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(a_line(1))
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + whole[:cut])

    ledger.append(a_line(2))

    assert ledger.lines() == (a_line(1), a_line(2))


@pytest.mark.parametrize("damage", [b"{}\n", b"\n", b"nonsense\n", b"[1]\n", b'{"erasure": 1}\n'])
def test_a_line_that_cannot_be_read_is_not_passed_over(tmp_path: Path, damage: bytes) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(a_line())
    ledger.path.write_bytes(ledger.path.read_bytes() + damage)

    with pytest.raises(LedgerDamaged, match="line 2"):
        ledger.lines()


def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    with pytest.raises(LedgerUnwritable):
        Ledger(tmp_path).append(a_line())


def test_no_file_is_no_erasure(tmp_path: Path) -> None:
    assert Ledger(tmp_path).lines() == ()
