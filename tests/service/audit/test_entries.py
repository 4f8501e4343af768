"""Leaves: canonical, small, and without anything private."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from service.audit.entries import (
    FORBIDDEN,
    MAX_LEAF_BYTES,
    Entry,
    Private,
    commitment,
    prepare,
    stamp,
)
from service.audit.errors import BadEntry
from tests.service.audit.builders import START, a_prompt, an_entry

AT = stamp(START)
KEYS = st.from_regex(r"[a-z][a-z0-9_.]{0,10}x", fullmatch=True).filter(
    lambda key: not any(word in key for word in FORBIDDEN)
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(
    min_value=-(2.0**53) + 1, max_value=2.0**53 - 1
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FACTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


@given(FACTS)
def test_a_leaf_is_canonical_json(facts: dict[str, Any]) -> None:
    leaf = prepare(an_entry("dec_1", facts=facts, values=a_prompt("a cat"))).leaf(AT)

    assert rfc8785.dumps(json.loads(leaf)) == leaf


@given(FACTS)
def test_a_leaf_says_what_the_entry_says(facts: dict[str, Any]) -> None:
    leaf = json.loads(prepare(an_entry("dec_1", facts=facts)).leaf(AT))

    assert leaf["facts"] == facts
    assert leaf == {
        "actor": "act_1", "at": AT, "commitments": {}, "facts": facts, "key": "dec_1",
        "logged_at": AT, "project": "prj_1", "request": "req_dec_1",
        "type": "decision.made", "v": 1,
    }  # fmt: skip


def test_a_text_that_looks_like_our_own_json_moves_nothing() -> None:
    leaf = prepare(an_entry("dec_1", facts={"rule": '","logged_at":"'}, actor='","logged_at":"'))

    read = json.loads(leaf.leaf(AT))

    assert read["logged_at"] == AT
    assert read["actor"] == read["facts"]["rule"] == '","logged_at":"'


def test_a_commitment_is_the_documented_hash() -> None:
    prepared = prepare(an_entry("dec_1", values=a_prompt("a cat")))

    (value,) = prepared.values
    expected = hashlib.sha256(b"impr/commit/v1" + value.salt + b"a cat").hexdigest()

    assert len(value.salt) == 32
    assert json.loads(prepared.leaf(AT))["commitments"] == {"prompt": expected}
    assert commitment(value.salt, "a cat") == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=50))
def test_no_private_text_is_in_a_leaf_or_a_repr(text: str) -> None:
    text = f"«{text}»"
    entry = an_entry("dec_1", values=a_prompt(text))

    prepared = prepare(entry)

    assert text.encode() not in prepared.leaf(AT)
    assert text not in repr(prepared)
    assert text not in repr(entry)


@pytest.mark.parametrize(
    "key",
    [
        "prompt", "name", "vector", "Prompt", "user_name", "promptHash", "prompt_sha256",
        "display-name", "face.embedding", "person/name", "EMAIL", "ipAddress",
    ],
)  # fmt: skip
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_forbidden_key_is_refused_wherever_it_stands(key: str, depth: int) -> None:
    facts: Any = {key: "x"}
    for _ in range(depth):
        facts = {"inner": [facts]}

    with pytest.raises(BadEntry, match="private"):
        prepare(an_entry("dec_1", facts=facts))


@pytest.mark.parametrize(
    "key", ["detector", "filters.text@3", "sha256", "renamed", "scriptname_x1"]
)
def test_other_keys_pass(key: str) -> None:
    assert key in json.loads(prepare(an_entry("dec_1", facts={key: 1})).leaf(AT))["facts"]


def nested(depth: int) -> Any:  # noqa: ANN401 - JSON
    return {"a": nested(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    "facts",
    [
        {"a": float("nan")}, {"a": float("inf")}, {"a": 2**53}, {"a": 1e300}, {"a": b"bytes"},
        {"a": {1, 2}}, {1: "a"}, {"": 1}, {"a b": 1}, {"é": 1}, {"a": "x" * 1025}, {"a": "\ud800"},
        {"a": object()}, nested(9),
    ],
)  # fmt: skip
def test_what_is_not_plain_json_is_refused(facts: Any) -> None:  # noqa: ANN401 - not JSON
    with pytest.raises(BadEntry):
        prepare(an_entry("dec_1", facts=facts))


@pytest.mark.parametrize(
    "entry",
    [
        Entry("", "t", START),
        Entry("k", "", START),
        Entry("two words", "t", START),
        Entry("k" * 201, "t", START),
        Entry("k", "t", START.replace(tzinfo=None)),
        Entry("k", "t", START, values=a_prompt("a") + a_prompt("b")),
        Entry("k", "t", START, values=(Private("prompt", "", "a"),)),
        Entry("k", "t", START, values=(Private("a field", "s", "a"),)),
        Entry("k", "t", START, values=a_prompt("\ud800")),
        Entry("k", "t", START, values=a_prompt("x" * (1 << 20) + "x")),
        Entry("k", "t", START, facts={"a": ["x" * 1000] * 66}),
    ],
)
def test_an_unfit_entry_is_refused(entry: Entry) -> None:
    with pytest.raises(BadEntry):
        prepare(entry)


def test_a_leaf_may_be_as_large_as_a_bundle_allows() -> None:
    room = MAX_LEAF_BYTES - len(prepare(an_entry("k", facts={"a": [""] * 70})).leaf(AT))
    parts = [room // 70 + (number < room % 70) for number in range(70)]

    largest = prepare(an_entry("k", facts={"a": ["x" * part for part in parts]}))

    assert len(largest.leaf(AT)) == MAX_LEAF_BYTES
    with pytest.raises(BadEntry, match="65535"):
        prepare(an_entry("kk", facts={"a": ["x" * part for part in parts]}))


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_stamps_sort_like_time(at: datetime) -> None:
    if not datetime(2, 1, 1, tzinfo=UTC) < at < datetime(9998, 1, 1, tzinfo=UTC):
        return
    later = at + timedelta(microseconds=1)

    assert stamp(at) < stamp(later)
    assert len(stamp(at)) == 27
