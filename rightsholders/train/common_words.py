"""Make `rightsholders/common_words.txt` from Debian's package `scowl`.

apt-get download scowl && dpkg-deb -x scowl_*.deb DIR
python -m rightsholders.train.common_words DIR/usr/share/dict/scowl
"""

import argparse
import re
from itertools import takewhile
from pathlib import Path

from rightsholders.words import DIGITS, SHIPPED, stems

SIZES = (10, 20, 35)
NOTICE = """\
# Common English words without most inflections, front-coded (see words.py).
# Made by rightsholders/train/common_words.py from SCOWL 2020.12.07, sizes 10, 20 and 35.
# Copyright 2000-2011 by Kevin Atkinson. Permission to use, copy, modify, distribute and sell these
# word lists, the associated scripts, the output created from the scripts, and its documentation
# for any purpose is hereby granted without fee, provided that the above copyright notice appears
# in all copies and that both that copyright notice and this permission notice appear in
# supporting documentation. Kevin Atkinson makes no representations about the suitability of this
# array for any purpose. It is provided "as is" without express or implied warranty.
"""


def words_in(folder: Path) -> set[str]:
    """Return the words of the chosen sizes, without capitals and apostrophes."""
    found: set[str] = set()
    for size in SIZES:
        for region in ("english", "american"):
            listed = (folder / f"{region}-words.{size}").read_text(encoding="latin-1").split()
            found.update(word for word in listed if re.fullmatch(r"[a-z]+", word))
    return found


def same_letters(one: str, other: str) -> int:
    """Return how many letters two words begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def front_coded(words: set[str]) -> list[str]:
    """Return the lines that `words.load_words` reads."""
    lines = []
    last = ""
    for word in sorted(words):
        shared = min(same_letters(last, word), len(DIGITS) - 1, len(word) - 1)
        lines.append(DIGITS[shared] + word[shared:])
        last = word
    return lines


def main() -> None:
    """Write the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "scowl", type=Path, help="folder of the lists, such as usr/share/dict/scowl"
    )
    every = words_in(parser.parse_args().scowl)
    kept = {word for word in every if not any(stem in every for stem in stems(word))}
    text = NOTICE + "\n".join(front_coded(kept)) + "\n"
    SHIPPED.write_text(text, encoding="ascii")
    print(f"{len(every)} words, {len(kept)} kept, {len(text)} bytes")


if __name__ == "__main__":
    main()
