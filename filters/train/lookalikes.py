"""Write `filters/lookalikes.py` from Unicode's confusables, as `confusable_homoglyphs` has them.

    python -m filters.train.lookalikes --confusables confusables.json > filters/lookalikes.py

The JSON lies in the wheel `confusable_homoglyphs` 3.3.1 (MIT; data under the Unicode licence).
Small capitals and squared letters, which TR39 leaves alone, come from the characters' own names.
"""

import argparse
import json
import re
import sys
import unicodedata
from pathlib import Path

# Scripts whose letters are passed off as Latin ones in the wild. Mathematical, fullwidth and other
# compatibility letters need no table: NFKC resolves them.
SCRIPTS = ("CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "GEORGIAN")
BY_NAME = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|NEGATIVE (?:SQUARED|CIRCLED) LATIN CAPITAL LETTER) ([A-Z])"
    r"|LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH .*"
)
# Not in TR39, where lower case must look alike too, but what people type instead, such as a
# Cyrillic "k" in "kill". Used only inside words that hold Latin letters as well.
TYPED_INSTEAD = {
    "\u043a": "k", "\u043c": "m", "\u0442": "t", "\u0432": "b", "\u043d": "h", "\u0438": "u",
    "\u03b5": "e", "\u03b7": "n", "\u03ba": "k", "\u03c4": "t", "\u03c5": "u",
    "\u03c7": "x", "\u03c9": "w", "\u03b2": "b",
}  # fmt: skip


def letters(confusables: Path) -> dict[str, str]:
    """Return every letter that looks like one ASCII letter, with that letter in lower case."""
    found: dict[str, str] = {}
    for character, twins in json.loads(confusables.read_text("utf-8")).items():
        ascii_twins = sorted(twin["c"] for twin in twins if re.fullmatch("[A-Za-z]", twin["c"]))
        if len(character) == 1 and not character.isascii() and character.isalpha() and ascii_twins:
            found[character] = ascii_twins[0].lower()
    # TR39 calls every upright stroke an "l"; where the small letter says "i", believe it.
    return {
        character: found.get(character.lower(), twin)
        for character, twin in found.items()
        if not unicodedata.normalize("NFKC", character).isascii()
    }


def main() -> None:
    """Print the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--confusables", type=Path, required=True)
    found = letters(parser.parse_args().confusables)
    always = {c: twin for c, twin in found.items() if unicodedata.name(c, "").startswith("LATIN")}
    for code in range(sys.maxunicode + 1):
        named = BY_NAME.fullmatch(unicodedata.name(chr(code), ""))
        if named and len(unicodedata.normalize("NFKD", chr(code))) == 1:
            always.setdefault(chr(code), (named[1] or named[2]).lower())
    among = {c: twin for c, twin in found.items() if unicodedata.name(c, "").startswith(SCRIPTS)}
    print('"""Letters that pass for Latin ones, written by filters/train/lookalikes.py."""')
    for name, table in (("LATIN", always), ("FOREIGN", among), ("TYPED_INSTEAD", TYPED_INSTEAD)):
        print(f"\n{name} = {{")
        row = "   "
        for character in sorted(table):
            entry = f' {ascii(character).replace(chr(39), chr(34))}: "{table[character]}",'
            if len(row) + len(entry) > 98:
                print(row)
                row = "   "
            row += entry
        print(row + "\n}  # fmt: skip")


if __name__ == "__main__":
    main()
