import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, event

from rightsholders import store
from rightsholders.claims import Alias, Claim, ClaimState, Tier
from rightsholders.names import MOST_PROPOSALS, NameIndex, TooManyNames
from rightsholders.tokens import tokens
from tests.rightsholders.builders import NOW, a_draft


def with_keys(conn: Connection, name: str, *keys: str) -> None:
    """Store a claim in force with these keys, whatever the tiers would say."""
    draft = a_draft(*keys)
    store.wait_for_writers(conn)
    store.add_claim(
        conn,
        Claim(
            id=name,
            holder=draft.holder,
            work=draft.work,
            kind=draft.kind,
            action=draft.action,
            basis=draft.basis,
            territories=draft.territories,
            state=ClaimState.IN_FORCE,
            valid_from_at=NOW,
            valid_until_at=None,
            aliases=tuple(Alias(store.new_id("als"), key, key, Tier.DISTINCT) for key in keys),
        ),
        NOW,
    )
    store.record_change(conn, name)


def letters(index: NameIndex, conn: Connection, text: str) -> list[str]:
    return [proposal.letters for proposal in index.search(conn, tokens(text))[0]]


def test_names_in_the_trie_and_names_filed_since_are_both_found(engine: Engine) -> None:
    index = NameIndex()
    with engine.begin() as conn:
        with_keys(conn, "clm_1", "spider man")
        assert letters(index, conn, "spider man and iron man") == ["spiderman"]
        with_keys(conn, "clm_2", "iron man")

        assert letters(index, conn, "spider man and iron man") == ["spiderman", "ironman"]
        assert index.search(conn, tokens(""))[1] == "claims:2"


def test_many_new_names_are_built_into_the_trie_and_still_found(sqlite: Engine) -> None:
    index = NameIndex(rebuild_from=10)
    with sqlite.begin() as conn:
        for number in range(25):
            with_keys(conn, f"clm_{number}", f"name{number} zed")
            assert letters(index, conn, f"name{number} zed") == [f"name{number}zed"]

        assert letters(index, conn, "name3 zed") == ["name3zed"]


def test_a_rolled_back_claim_is_forgotten_though_its_number_is_used_again(engine: Engine) -> None:
    index = NameIndex()
    with engine.connect() as conn:
        with_keys(conn, "clm_1", "pikachu")
        assert letters(index, conn, "pikachu")
        conn.rollback()
    with engine.begin() as conn:
        with_keys(conn, "clm_2", "bulbasaur")

    with engine.connect() as conn:
        assert letters(index, conn, "pikachu bulbasaur") == ["bulbasaur"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text("abs", min_size=1, max_size=3), min_size=1, max_size=3), max_size=4),
    st.lists(st.lists(st.text("abs", min_size=1, max_size=3), min_size=1, max_size=3), max_size=4),
    st.lists(st.text("abs", min_size=1, max_size=3), max_size=6),
)
def test_every_name_whose_letters_fill_whole_words_is_proposed(
    built: list[list[str]], since: list[list[str]], said: list[str]
) -> None:
    engine = create_engine("sqlite://")
    index = NameIndex()
    with engine.connect() as conn:
        store.metadata.create_all(conn)
        with_keys(conn, "clm_1", "zzzz", *(" ".join(key) for key in built))
        index.refresh(conn)
        if since:
            with_keys(conn, "clm_2", *(" ".join(key) for key in since))

        proposals, _ = index.search(conn, tokens(" ".join(said)))
    engine.dispose()

    found = {(met.letters, met.first, met.last) for met in proposals}
    for key in ("".join(key) for key in built + since):
        for first in range(len(said)):
            for last in range(first, len(said)):
                if "".join(said[first : last + 1]) == key:
                    assert (key, first, last) in found


@pytest.mark.parametrize("text", ["", "…", "日", "a"])
def test_texts_of_next_to_nothing_are_searched_without_fail(sqlite: Engine, text: str) -> None:
    with sqlite.begin() as conn:
        with_keys(conn, "clm_1", "pikachu")

        assert letters(NameIndex(), conn, text) == []


@pytest.mark.postgres
def test_a_claim_that_comes_while_claims_are_read_breaks_nothing_and_is_found_next(
    postgres: Engine,
) -> None:
    index, waiting = NameIndex(), ["clm_2"]
    with postgres.begin() as conn:
        with_keys(conn, "clm_1", "pikachu")

    def file_another(*_cursor_and_statement: object) -> None:
        if waiting:
            name = waiting.pop()
            with postgres.begin() as other:
                with_keys(other, name, "bulbasaur")

    with postgres.connect() as conn:
        event.listen(conn, "after_cursor_execute", file_another)

        assert letters(index, conn, "pikachu") == ["pikachu"]
        assert letters(index, conn, "bulbasaur") == ["bulbasaur"]


@pytest.mark.postgres
def test_claims_that_come_without_end_never_make_the_index_fail(postgres: Engine) -> None:
    index, count = NameIndex(), 0
    with postgres.begin() as conn:
        with_keys(conn, "clm_0", "pikachu")

    def file_another(*_cursor_and_statement: object) -> None:
        nonlocal count
        count += 1
        with postgres.begin() as other:
            with_keys(other, f"clm_{count}", f"bulbasaur {count}")

    with postgres.connect() as conn:
        event.listen(conn, "after_cursor_execute", file_another)

        for _ in range(5):
            assert letters(index, conn, "pikachu") == ["pikachu"]


def test_a_text_made_of_nested_names_is_an_error_and_never_fine(sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        with_keys(conn, "clm_1", *("a" * length for length in range(4, 30)))

        with pytest.raises(TooManyNames):
            letters(NameIndex(), conn, "a " * (MOST_PROPOSALS // 20))
