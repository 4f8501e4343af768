"""What finding claimed names in a prompt costs, and how many ordinary prompts it stops.

`python -m benchmarks.names [--aliases 100000 1000000] [--data DIR]`. The names are made up; with
`--data`, the real ones of `DIR/marks/names_real.tsv` are filed as a holder would file them, and
the prompts of `DIR/marks/background_prompts.jsonl` are matched: every other one sets the tiers,
the rest count.
"""

import csv
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine

from benchmarks.measure import Figure, arguments, measured, report
from filters.normalise import normalise
from rightsholders import store
from rightsholders.claims import (
    WORLDWIDE,
    Action,
    Alias,
    Basis,
    Claim,
    ClaimState,
    Kind,
    Tier,
)
from rightsholders.names import NameIndex
from rightsholders.register import Claims
from rightsholders.tiers import Tiers
from rightsholders.words import Words, load_words

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SYLLABLES = [onset + vowel for onset in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
SHORT = "A golden dog runs through the snow in a small village at night."
LONG = " ".join([SHORT] * 10)
ALIASES_PER_CLAIM = 100


def plain(text: str) -> str:
    return normalise(text).text


def made_up(count: int) -> list[str]:
    """Return names of two or three words of two to four syllables, all different."""
    chance = random.Random(7)  # noqa: S311 - names, not keys
    names: set[str] = set()
    while len(names) < count:
        words = (
            "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
            for _ in range(chance.randint(2, 3))
        )
        names.add(" ".join(words))
    return sorted(names)


def put_in_force(conn: Connection, name: str, keys: Sequence[tuple[str, Tier]]) -> None:
    claim = Claim(
        name, "hld_1", "A work", Kind.CHARACTER, Action.BLOCK, Basis.COPYRIGHT, WORLDWIDE,
        ClaimState.IN_FORCE, NOW, None,
        tuple(Alias(store.new_id("als"), key, key, tier) for key, tier in keys),
    )  # fmt: skip
    store.add_claim(conn, claim, NOW)
    store.record_change(conn, name)


def fill(conn: Connection, keys: Sequence[tuple[str, Tier]]) -> None:
    store.metadata.create_all(conn)
    store.wait_for_writers(conn)
    for start in range(0, len(keys), ALIASES_PER_CLAIM):
        put_in_force(conn, f"clm_{start}", keys[start : start + ALIASES_PER_CLAIM])


def latency(count: int, words: Words, folder: Path) -> tuple[list[Figure], dict[str, object]]:
    engine = create_engine(f"sqlite:///{folder / f'{count}.sqlite3'}")
    names = made_up(count)
    index = NameIndex()
    claims = Claims(Tiers(words, plain), words, names=index)
    with engine.connect() as conn:
        fill(conn, [(name, Tier.DISTINCT) for name in names])
        conn.commit()
        began = time.process_time()
        index.refresh(conn)
        built_s = round(time.process_time() - began, 2)
        hit = f"{SHORT} {names[count // 2]} is there."

        def ask(text: str) -> object:
            return claims.match(conn, text, territory="DE", now=NOW)

        if len(claims.match(conn, hit, territory="DE", now=NOW)) != 1:
            raise SystemExit("a name that is in force was not found")
        figures = [
            measured(
                f"{count} aliases, {len(SHORT)} characters, no match",
                lambda: ask(SHORT.lower()),
                times=500,
            ),
            measured(
                f"{count} aliases, {len(LONG)} characters, no match",
                lambda: ask(LONG.lower()),
                times=200,
            ),
            measured(f"{count} aliases, one match", lambda: ask(hit.lower()), times=200),
        ]
        put_in_force(conn, "clm_new", [("quite new name", Tier.DISTINCT)])
        began = time.perf_counter()
        found = claims.match(conn, "a quite new name", territory="DE", now=NOW)
        fresh_ms = round((time.perf_counter() - began) * 1000, 2)
        if len(found) != 1:
            raise SystemExit("a new claim was not found")
    engine.dispose()
    return figures, {"index_built_cpu_s": built_s, "new_claim_met_after_ms": fresh_ms}


def real_works(folder: Path) -> dict[str, set[str]]:
    """Return the aliases of each work."""
    works: dict[str, set[str]] = {}
    with (folder / "marks" / "names_real.tsv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE):
            works.setdefault(row["mark_id"], set()).add(row["alias"])
    return works


def file_works(conn: Connection, works: dict[str, set[str]], tiers: Tiers) -> Counter[str]:
    """Put a claim in force for each work, less the aliases nobody could file; count the tiers."""
    counted: Counter[str] = Counter()
    store.metadata.create_all(conn)
    store.wait_for_writers(conn)
    for number, aliases in enumerate(works.values()):
        judged = {one.key: one.tier for one in map(tiers.judged, sorted(aliases)) if one.key}
        counted.update(tier.value for tier in judged.values())
        kept = [(key, tier) for key, tier in judged.items() if tier is not Tier.REFUSED]
        if kept:
            put_in_force(conn, f"clm_{number}", kept)
    return counted


def flagged(folder: Path, words: Words, scratch: Path) -> dict[str, object]:
    lines = (folder / "marks" / "background_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = [str(json.loads(line)["prompt"]) for line in lines]
    works = real_works(folder)
    counted: dict[str, object] = {"works": len(works)}
    for label, background in (("word list only", []), ("and background", prompts[::2])):
        tiers = Tiers(words, plain, background=background)
        engine = create_engine(f"sqlite:///{scratch / f'{label}.sqlite3'}")
        with engine.connect() as conn:
            filed = file_works(conn, works, tiers)
            claims = Claims(tiers, words)
            counted[label] = {
                "tiers": dict(filed),
                "short": share(claims, conn, [text for text in prompts[1::2] if len(text) <= 160]),
                "long": share(claims, conn, [text for text in prompts[1::2] if len(text) > 160]),
            }
        engine.dispose()
    return counted


def share(claims: Claims, conn: Connection, prompts: Sequence[str]) -> dict[str, object]:
    """Return how many prompts are blocked, how many held, and by which words."""
    blocked = held = 0
    by: Counter[str] = Counter()
    for prompt in map(plain, prompts):
        matches = claims.match(conn, prompt, territory="DE", now=NOW)
        actions = {match.action for match in matches}
        blocked += Action.BLOCK in actions
        held += actions == {Action.HOLD}
        by.update({prompt[match.start : match.end] for match in matches})
    return {
        "prompts": len(prompts),
        "blocked": round(blocked / max(1, len(prompts)), 4),
        "held": round(held / max(1, len(prompts)), 4),
        "most": by.most_common(8),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--aliases", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    words = load_words()
    figures: list[Figure] = []
    notes: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in asked.aliases:
            some, notes[str(count)] = latency(count, words, Path(scratch))
            figures += some
        if asked.data is not None:
            notes["ordinary_prompts"] = flagged(asked.data, words, Path(scratch))
    notes["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    report("benchmarks/names.py", figures, notes)


if __name__ == "__main__":
    main()
