import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.handles import handles_written


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@ana dances", ["ana"]),
        ("Two people, @Ana and @ben_2.", ["ana", "ben_2"]),
        ("(@ana)", ["ana"]),
        ("@ana's dog", ["ana"]),
        ("mail ana@example.org", []),
        ("mail ana.bell+x@mail.example.org.", []),
        (".@ana", ["ana"]),
        ("@@ana", ["ana"]),
        ("meet@ana", ["ana"]),
        ("meet@ana. then @ben", ["ana", "ben"]),
        ("@ana\u304c\u8e0a\u308b", ["ana"]),
        ("@ana_\u304c", ["ana_"]),
        ("@ana\U0001f642", ["ana"]),
        ("@ana_bell", ["ana_bell"]),
        ("at @ home", []),
        ("@\u0430na", ["\u0430na"]),
    ],
)
def test_handles_are_read_where_people_write_them(text: str, handles: list[str]) -> None:
    assert [handle for handle, _, _ in handles_written(text)] == handles


@given(st.text())
def test_a_span_covers_the_handle_as_written(text: str) -> None:
    for handle, start, end in handles_written(text):
        assert text[start] == "@"
        assert text[start + 1 : end].casefold() == handle
