"""A file that came out of the log, checked without it: its first line says of which kind it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from service.cli import opening
from service.cli.errors import Refused
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.audit.verify_file import Proved, ProvedExport

CONTRADICTED = 20
_PROOF = b"c2sp.org/tlog-proof@v1\n"


def verified(
    files: Sequence[Path], keys: Sequence[str], witnesses: Sequence[str], *, json: bool
) -> int:
    """Check every file and say what each proves; exit 0 all proved, 20 one is not.

    Args:
        keys: public keys of the log; without any, those of the log here.
        witnesses: public keys of those who must have signed, too.
    """
    from service.audit.verify_file import NotProved

    known = list(keys) or _own()
    shown: list[JSON] = []
    for file in files:
        try:
            shown.append({"file": str(file), "proved": True, **_found(file, known, witnesses)})
        except NotProved as wrong:
            shown.append({"file": str(file), "proved": False, "said": str(wrong)})
    _show(shown, len(witnesses), json=json)
    return 0 if all(one["proved"] for one in shown) else CONTRADICTED


def _found(file: Path, keys: Sequence[str], witnesses: Sequence[str]) -> JSON:
    """Return what a proof or an export shows; an export is read line by line."""
    from service.audit.verify_file import is_export

    with file.open("rb") as opened:
        start = opened.read(100)
    if is_export(start):
        export = _proved_export(file, keys, witnesses)
        return {
            "log": export.origin, "entries": export.entries, "below": export.below,
            "tree_size": export.size, "query": export.query, "project": export.project,
            "each": export.each, "said": export.said,
        }  # fmt: skip
    if not start.startswith(_PROOF):
        raise Refused(
            f"{file}: this is no file of `imprimatur audit proof` or `export --format jsonl`"
        )
    proved = _proved(file.read_bytes().decode("utf-8", "replace"), keys, witnesses)
    return {
        "log": proved.origin, "index": proved.index, "tree_size": proved.size,
        "entry": proved.entry.decode("utf-8", "replace"),
    }  # fmt: skip


def _proved_export(file: Path, keys: Sequence[str], witnesses: Sequence[str]) -> ProvedExport:
    """Return the export under the key that signed it, as `_proved` does."""
    from service.audit.verify_file import NotProved, lines_of, verify_export

    *others, last = keys
    for key in [*others, last]:
        try:
            with file.open("rb") as opened:
                return verify_export(lines_of(opened), key, witnesses)
        except NotProved as wrong:
            if key == last or not str(wrong).endswith("signed with this key"):
                raise
    raise AssertionError("there is always a key")


def _proved(text: str, keys: Sequence[str], witnesses: Sequence[str]) -> Proved:
    """Return the proof under the key that signed it: the newest, or one that it replaced."""
    from service.audit.verify_file import NotProved, verify

    *others, last = keys
    for key in others:
        with suppress(NotProved):
            return verify(text, key, witnesses)
    return verify(text, last, witnesses)


def _own() -> list[str]:
    settings = opening.settings()
    if not opening.has_books(settings):
        raise Refused("there is no log here to take its public key from; give it with --key")
    with opening.books(settings) as books:
        return list(books.log.verifier_keys())


def _show(shown: Sequence[JSON], witnesses: int, *, json: bool) -> None:
    if json:
        emit({"object": "list", "data": list(shown)})
        return
    for one in shown:
        if not one["proved"]:
            out().print(f"{plain(one['file'])}: not proved: {plain(one['said'])}.")
            continue
        seen = f", as {witnesses} witnesses signed" if witnesses else ""
        if "entries" in one:
            said = plain(f"{one['file']}: {one['log']}{seen}: {one['said']}", 500)
            out().print(f"{said}; asked for: {plain(one['query'], 2500)}")
            continue
        out().print(
            f"{plain(one['file'])}: entry {one['index']} of the first {one['tree_size']} of "
            f"{plain(one['log'])}{seen}:\n{plain(one['entry'], 70_000)}"
        )
