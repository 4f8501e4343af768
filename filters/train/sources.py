"""Labelled texts for the heads, and what each source can honestly say about each category.

A label is 1, 0 or unknown. Tweets that somebody called offensive may be hate or harassment or
neither, so both stay unknown there. Sexual texts with an age word are dropped: nothing is trained
on them (the rule for `minors` needs no example).
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filters.finding import Category
from filters.normalise import normalise
from filters.text import AGE_WORD
from filters.train.grammar import scenes
from filters.train.split import Part, part
from filters.weights import HEADS

UNKNOWN = -1
# What tweets and comments have and prompts do not, or for another purpose: a handle of ours is a
# person who agreed, and must not be read as somebody who is shouted at.
_FURNITURE = re.compile(r"@\w+:?|\bRT\b|https?://\S+|&#?\w+;|#(?=\w)")
# Texts of a line of the grammar: more of them teach its frames, and no new scene.
EACH = 6
# What a scene of one category may also be, so that it is no example against the other.
# What a text of one hazard may also be, so that it is no example against that.
NEAR = {
    Category.SEXUAL: (Category.HARASSMENT, Category.PRIVACY),
    Category.SELF_HARM: (Category.VIOLENCE, Category.GORE, Category.DANGEROUS_ACTS),
    Category.HATE: (Category.HARASSMENT, Category.EXTREMISM, Category.VIOLENCE, Category.POLITICAL),
    Category.ILLICIT: (
        Category.VIOLENCE, Category.EXTREMISM, Category.IMPERSONATION, Category.PRIVACY,
        Category.DANGEROUS_ACTS, Category.HARASSMENT, Category.ANIMAL_CRUELTY,
    ),
    Category.PRIVACY: (Category.ILLICIT, Category.HARASSMENT, Category.IMPERSONATION),
}  # fmt: skip
HAZARDS = {
    "ssh": Category.SELF_HARM,
    "sxc_prn": Category.SEXUAL,
    "hte": Category.HATE,
    "vcr": Category.ILLICIT,
    "ncr": Category.ILLICIT,
    "iwp": Category.ILLICIT,
    "prv": Category.PRIVACY,
}  # "cse" is left alone on purpose; the others are no categories of ours


@dataclass(frozen=True, slots=True)
class Example:
    """One text, already normalised.

    Attributes:
        origin: what it shares with texts that are nearly the same, its line of the grammar; or the
            whole that it was cut from.
        labels: 1, 0 or `UNKNOWN` for each of `HEADS`.
        harm: whether it is harmful at all, in whatever way: 1, 0 or `UNKNOWN`.
        near: whether it is harmless and written to look like harm.
        context: the text in which it stands, from character `at` on; "" where it stands alone.
    """

    text: str
    source: str
    part: Part
    labels: tuple[int, ...]
    harm: int
    weight: float = 1.0
    harmless: bool = False
    origin: str = ""
    near: bool = False
    context: str = ""
    at: int = 0

    @property
    def read_in(self) -> str:
        """The text that the encoder reads."""
        return self.context or self.text

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in `read_in`."""
        return self.at, self.at + len(self.text)


def examples(folder: Path, seed: int) -> list[Example]:
    """Return all examples from `folder`, the data's root, and from the grammar; order is fixed."""
    prompts = folder / "prompts"
    found = [
        *_grammar(seed),
        *_harmless(prompts, seed),
        *_tweets(prompts, seed),
        *_hatecheck(prompts),
        *_surge(prompts),
        *_hazards(prompts),
        *_nibbler(prompts),
        *_foreign(prompts, seed),
    ]
    distinct = {example.text: example for example in reversed(found) if example.text.strip()}
    sexual = HEADS.index(Category.SEXUAL)
    return [
        example
        for example in reversed(distinct.values())
        if not (example.labels[sexual] and AGE_WORD.search(example.text))
        or example.labels[sexual] == UNKNOWN
    ]


def rows(path: Path) -> Iterator[tuple[str, int | None, dict[str, object]]]:
    """Yield text, `unsafe` and the source's own labels."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["text"], row["unsafe"], row["labels"]


def labels(positive: Category | None, *unknown: Category) -> tuple[int, ...]:
    """Return 1 for `positive`, `UNKNOWN` for `unknown`, 0 for the rest."""
    return tuple(1 if head is positive else UNKNOWN if head in unknown else 0 for head in HEADS)


def only(head: Category, value: int) -> tuple[int, ...]:
    """Return `value` for `head` and `UNKNOWN` for the rest."""
    return tuple(value if each is head else UNKNOWN for each in HEADS)


def _example(
    text: str, source: str, answer: tuple[int, ...], harm: int, weight: float = 1.0
) -> Example:
    plain = " ".join(normalise(_FURNITURE.sub(" ", text)).text.split())
    whole = text if _FURNITURE.search(text) else ""
    return Example(
        plain, source, part(text), answer, harm, weight, harmless=set(answer) == {0}, origin=whole
    )


def _grammar(seed: int) -> Iterator[Example]:
    for scene in scenes(EACH, seed):
        answer = tuple(
            1 if head in scene.categories else UNKNOWN if head in scene.unknown else 0
            for head in HEADS
        )
        text = " ".join(normalise(scene.text).text.split())
        harmful = int(bool(scene.categories))
        yield Example(text, "grammar", part(scene.line), answer, harmful, 1.2, not harmful,
                      scene.line, near=bool(scene.near))  # fmt: skip


def _harmless(prompts: Path, seed: int) -> Iterator[Example]:
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    captions = [text for text, _, _ in rows(prompts / "coco_captions_30k.jsonl")]
    for text in chance.sample(captions, 6000):
        yield _example(text, "coco", labels(None), 0)
    for name in ("vbench_short", "vbench2", "vbench_long"):
        for text, _, _ in rows(prompts / f"{name}.jsonl"):
            yield _example(text, name, labels(None), 0)


def _foreign(prompts: Path, seed: int) -> Iterator[Example]:
    """Harmless texts in other languages, so that what the heads cannot read is not harm to them.

    What becomes of such texts is for the language gate to say.
    """
    chance = random.Random(seed)  # noqa: S311
    calm = [t for t, unsafe, _ in rows(prompts / "multilingual_hatecheck.jsonl") if unsafe == 0]
    scenes_there = [text for text, _, _ in rows(prompts / "vbench_zh.jsonl")]
    for text in chance.sample(calm, 2000) + chance.sample(scenes_there, 300):
        yield _example(text, "foreign", labels(None), 0, 0.7)


def _tweets(prompts: Path, seed: int) -> Iterator[Example]:
    chance = random.Random(seed)  # noqa: S311
    share = {"hate": 1.0, "offensive": 0.1, "neither": 0.6}
    doubtful = (Category.HARASSMENT, Category.SEXUAL, Category.VIOLENCE, Category.EXTREMISM,
                Category.POLITICAL)  # fmt: skip
    for text, _, own in rows(prompts / "davidson_tweets.jsonl"):
        kind = str(own["class"])
        if chance.random() >= share[kind]:
            continue
        answer, harm = {
            "hate": (labels(Category.HATE, *doubtful), 1),
            "offensive": (labels(None, *doubtful), UNKNOWN),
            "neither": (labels(None, *doubtful[1:]), 0),
        }[kind]
        yield _example(text, "davidson", answer, harm, 0.5)


def _hatecheck(prompts: Path) -> Iterator[Example]:
    doubtful = (Category.HARASSMENT, Category.VIOLENCE, Category.EXTREMISM)
    for text, unsafe, own in rows(prompts / "hatecheck.jsonl"):
        if own["functionality"] == "target_indiv_nh":
            answer, harm = labels(Category.HARASSMENT), 1
        else:
            answer, harm = labels(Category.HATE if unsafe else None, *doubtful), int(bool(unsafe))
        yield _example(text, "hatecheck", answer, harm, 0.7)


def _surge(prompts: Path) -> Iterator[Example]:
    for text, unsafe, _ in rows(prompts / "surge_toxicity.jsonl"):
        harm = int(bool(unsafe))
        yield _example(text, "surge", only(Category.HARASSMENT, harm), harm)


def _hazards(prompts: Path) -> Iterator[Example]:
    for text, _, own in rows(prompts / "ailuminate_demo_en_us.jsonl"):
        category = HAZARDS.get(str(own["hazard"]))
        if category:
            answer = labels(category, *NEAR[category])
            yield _example(text[:1500], "ailuminate", answer, 1, 0.5)


def _nibbler(prompts: Path) -> Iterator[Example]:
    """Prompts that gave bad pictures; only those that raters found bad as text, and no bias."""
    for text, _, own in rows(prompts / "nibbler_submitted_half.jsonl"):
        votes = json.dumps(own["text_votes"]).count('"text_unsafe"')
        harm = str(own["harm"])
        category = Category.SEXUAL if "sexual" in harm else Category.VIOLENCE
        if votes >= 4 and " by " not in text and ("sexual" in harm or "violent" in harm):
            yield _example(text, "nibbler", only(category, 1), 1, 0.5)
