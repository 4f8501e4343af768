from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, Engine, delete, event, update

from likeness import store, templates
from likeness.consent import Likeness, State
from likeness.index import FlatIndex, Hit, IndexUnusable, LikenessIndex
from likeness.templates import StoredTemplate
from likeness.vault import TemplateDamaged, VaultKeyUnusable
from tests.likeness.builders import NOW, a_vault, near, person


def enrolled(conn: Connection, name: str, numbers: Sequence[int], *, model: str = "m") -> None:
    store.wait_for_writers(conn)
    store.add_likeness(conn, Likeness(name, name, "ana", State.ACTIVE, NOW, len(numbers)))
    for number in numbers:
        sealed = a_vault().seal(person(number), name, model)
        templates.add_template(conn, StoredTemplate(f"{name}-{number}", name, model, sealed))
    store.record_change(conn, name)


def found(index: LikenessIndex, conn: Connection, number: int) -> list[Hit]:
    (hits,), _ = index.search(conn, [person(number)], 0.5)
    return hits


def an_index() -> LikenessIndex:
    return LikenessIndex(a_vault(), "m")


def test_the_nearest_template_counts_for_its_likeness() -> None:
    flat = FlatIndex()
    flat.add("ana", np.stack([near(1, 0.4), near(1, 0.1)]))
    flat.add("ben", near(1, 0.2)[np.newaxis])

    hits = flat.search(person(1), 0.5)

    assert [hit.likeness for hit in hits] == ["ana", "ben"]
    assert hits[0].distance == pytest.approx(0.1, abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 1.2))
def test_search_finds_exactly_who_is_within_the_distance(seed: int, within: float) -> None:
    vectors = np.random.default_rng(seed).normal(0, 0.07, (40, 128)).astype(np.float32)
    query = vectors[0] + np.float32(0.01)
    flat = FlatIndex()
    for number, vector in enumerate(vectors):
        flat.add(str(number), vector[np.newaxis])

    hits = {hit.likeness for hit in flat.search(query, within)}

    away = np.linalg.norm(vectors.astype(np.float64) - query, axis=1)
    assert hits >= {str(number) for number in np.flatnonzero(away < within - 1e-4)}
    assert hits <= {str(number) for number in np.flatnonzero(away < within + 1e-4)}


class FlatIndexAgainstAModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.flat = FlatIndex()
        self.known: dict[str, int] = {}

    @rule(number=st.integers(0, 20))
    def add(self, number: int) -> None:
        if str(number) not in self.known:
            self.flat.add(str(number), np.stack([person(number), near(number, 0.1)]))
            self.known[str(number)] = number

    @rule(number=st.integers(0, 20))
    def remove(self, number: int) -> None:
        self.flat.remove(str(number))
        self.known.pop(str(number), None)

    @invariant()
    def everybody_known_is_found_and_nobody_else(self) -> None:
        self.flat.test()
        for number in range(21):
            hits = [hit.likeness for hit in self.flat.search(person(number), 0.5)]
            assert hits == ([str(number)] if str(number) in self.known else [])


FlatIndexAgainstAModel.TestCase.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None
)
TestFlatIndexAgainstAModel = FlatIndexAgainstAModel.TestCase


class ForgetfulIndex(FlatIndex):
    """Loses the first likeness it is given, as a damaged index would."""

    def search(self, vector: np.ndarray, within: float) -> list[Hit]:
        return [hit for hit in super().search(vector, within) if hit.likeness != "ana"]


def test_an_index_that_does_not_find_its_own_templates_refuses_to_answer(sqlite: Engine) -> None:
    index = LikenessIndex(a_vault(), "m", empty=ForgetfulIndex)

    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1])

        with pytest.raises(IndexUnusable):
            found(index, conn, 1)


def test_nobody_is_found_in_an_empty_registry(engine: Engine) -> None:
    with engine.connect() as conn:
        hits, checkpoint = an_index().search(conn, [person(1)], 0.5)

    assert (hits, checkpoint) == ([[]], "likeness:0")


def test_somebody_enrolled_is_found_at_the_next_search(engine: Engine) -> None:
    index = an_index()
    with engine.begin() as conn:
        assert found(index, conn, 1) == []
        enrolled(conn, "ana", [1, 2])

    with engine.connect() as conn:
        assert [hit.likeness for hit in found(index, conn, 2)] == ["ana"]
        assert index.search(conn, [], 0.5)[1] == "likeness:1"


def test_a_warm_index_opens_no_template_at_the_next_search(engine: Engine) -> None:
    index = an_index()
    with engine.begin() as conn:
        enrolled(conn, "ana", [1])
    with engine.connect() as conn:
        index.warm(conn)

    with engine.connect() as conn:
        statements: list[str] = []
        event.listen(conn, "after_cursor_execute", lambda *call: statements.append(str(call[2])))

        assert [hit.likeness for hit in found(index, conn, 1)] == ["ana"]

    assert statements
    assert not any(store.templates.name in each for each in statements)


def test_a_damaged_template_is_found_out_when_the_index_is_warmed(sqlite: Engine) -> None:
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1])
        conn.execute(update(store.templates).values(ciphertext=bytes(540)))

        with pytest.raises(TemplateDamaged):
            an_index().warm(conn)


def test_what_was_rolled_back_is_forgotten_even_when_its_number_is_used_again(
    engine: Engine,
) -> None:
    index = an_index()
    with engine.connect() as conn:
        enrolled(conn, "ana", [1])
        assert found(index, conn, 1)
        conn.rollback()
    with engine.begin() as conn:
        enrolled(conn, "ben", [2])

    with engine.connect() as conn:
        assert found(index, conn, 1) == []
        assert [hit.likeness for hit in found(index, conn, 2)] == ["ben"]


def test_what_was_rolled_back_is_forgotten_in_an_empty_registry(engine: Engine) -> None:
    index = an_index()
    with engine.connect() as conn:
        enrolled(conn, "ana", [1])
        assert found(index, conn, 1)
        conn.rollback()

    with engine.connect() as conn:
        assert found(index, conn, 1) == []


def test_a_template_of_another_model_stops_the_search(sqlite: Engine) -> None:
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1], model="older")

        with pytest.raises(IndexUnusable):
            found(an_index(), conn, 1)


def test_a_lost_template_stops_the_search(sqlite: Engine) -> None:
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1, 2])
        conn.execute(delete(store.keys).where(store.keys.c.template == "ana-2"))

        with pytest.raises(IndexUnusable):
            found(an_index(), conn, 1)


def test_an_altered_template_stops_this_search_and_the_next(sqlite: Engine) -> None:
    index = an_index()
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1])
        conn.execute(update(store.templates).values(ciphertext=bytes(540)))

        for _ in range(2):
            with pytest.raises(TemplateDamaged):
                found(index, conn, 1)


def test_another_vault_key_stops_the_search(sqlite: Engine) -> None:
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1])

        with pytest.raises(VaultKeyUnusable):
            found(LikenessIndex(a_vault("key-2"), "m"), conn, 1)


def test_many_changes_at_once_are_all_seen(sqlite: Engine) -> None:
    index = an_index()
    with sqlite.connect() as conn:
        enrolled(conn, "ana", [1])
        assert found(index, conn, 1)
        for number in range(1100):
            store.record_change(conn, f"gone-{number}")
        enrolled(conn, "ben", [2])

        assert [hit.likeness for hit in found(index, conn, 2)] == ["ben"]
        assert [hit.likeness for hit in found(index, conn, 1)] == ["ana"]


@pytest.mark.postgres
def test_an_enrolment_that_comes_while_templates_are_read_is_found_at_once(
    postgres: Engine,
) -> None:
    index, waiting = an_index(), ["ben"]
    with postgres.begin() as conn:
        enrolled(conn, "ana", [1])

    def enrol_another(*_cursor_and_statement: object) -> None:
        if waiting:
            name = waiting.pop()
            with postgres.begin() as other:
                enrolled(other, name, [2])

    with postgres.connect() as conn:
        event.listen(conn, "after_cursor_execute", enrol_another)

        assert [hit.likeness for hit in found(index, conn, 2)] == ["ben"]


@pytest.mark.postgres
def test_a_registry_that_never_rests_is_no_answer_and_one_that_does_is_an_answer(
    postgres: Engine,
) -> None:
    index, restless, count = an_index(), True, 0
    with postgres.begin() as conn:
        enrolled(conn, "ana", [1])

    def enrol_another(*_cursor_and_statement: object) -> None:
        nonlocal count
        if restless:
            count += 1
            with postgres.begin() as other:
                enrolled(other, f"ben{count}", [2])

    with postgres.connect() as conn:
        event.listen(conn, "after_cursor_execute", enrol_another)

        with pytest.raises(IndexUnusable):
            found(index, conn, 1)

        restless = False
        assert [hit.likeness for hit in found(index, conn, 1)] == ["ana"]
