from pathlib import Path

import pytest

from filters.train.lines import SHARED, BadLine, Line, lines


def a_folder(tmp_path: Path, *rows: str) -> Path:
    (tmp_path / SHARED).write_text("@tool = a hammer | a wrench\n@tool = a saw\n", "utf-8")
    (tmp_path / "some.scenes").write_text("\n".join(rows) + "\n", "utf-8")
    return tmp_path


def test_a_line_knows_what_it_shows_and_what_it_may_show(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "# a remark", "", "[violence+gore ? hate illicit]", "{tool} falls")

    found = list(lines(folder))

    tools = {"tool": ("a hammer", "a wrench", "a saw")}
    assert found == [
        Line("{tool} falls", ("violence", "gore"), ("hate", "illicit"), "", whole=False,
             slots=tools)
    ]  # fmt: skip


@pytest.mark.parametrize(("header", "near"), [("[near]", ""), ("[near self_harm]", "self_harm")])
def test_a_harmless_line_has_no_category(tmp_path: Path, header: str, near: str) -> None:
    (line,) = lines(a_folder(tmp_path, header, "a cat sleeps"))

    assert (line.categories, line.unknown, line.near) == ((), (), near)


def test_a_whole_text_loses_its_mark(tmp_path: Path) -> None:
    (line,) = lines(a_folder(tmp_path, "[near]", "> a cat. it sleeps"))

    assert line.whole
    assert line.text == "a cat. it sleeps"


def test_a_slot_of_one_file_is_not_known_in_another(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "@tool = a drill", "@pet = a cat", "[near]", "{pet} sits")
    (folder / "other.scenes").write_text("[near]\n{pet} runs\n", "utf-8")

    known = {line.text: line.slots for line in lines(folder)}

    assert known["{pet} sits"]["pet"] == ("a cat",)
    assert "pet" not in known["{pet} runs"]


@pytest.mark.parametrize(
    "rows",
    [
        ("a text before any header",),
        ("[violence gore]", "unclear"),
        ("[Violence]", "capital"),
        ("[near]", "@Tool = no slot"),
    ],
)
def test_what_is_not_in_the_format_is_refused(tmp_path: Path, rows: tuple[str, ...]) -> None:
    with pytest.raises(BadLine, match=r"some\.scenes"):
        list(lines(a_folder(tmp_path, *rows)))
