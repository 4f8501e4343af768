from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likeness.vault import SealedTemplate, TemplateDamaged, Vault, VaultKeyUnusable

KEY = bytes(range(32))
vectors = arrays(np.float32, (128,), elements=st.floats(-4, 4, width=32))
ONES = np.ones(128, np.float32)


def with_part(template: SealedTemplate, part: str, stored: bytes) -> SealedTemplate:
    if part == "ciphertext":
        return replace(template, ciphertext=stored)
    return replace(template, wrapped_key=stored)


def sealed() -> SealedTemplate:
    return Vault(KEY, "key-1").seal(ONES, "lik_1", "model")


@given(vectors)
def test_what_was_sealed_opens_unchanged(vector: np.ndarray) -> None:
    vault = Vault(KEY, "key-1")

    opened = vault.open(vault.seal(vector, "lik_1", "model"), "lik_1", "model")

    assert np.array_equal(opened, vector)


@given(st.sampled_from(["ciphertext", "wrapped_key"]), st.integers(0, 59), st.integers(1, 255))
def test_a_changed_byte_never_opens(part: str, at: int, change: int) -> None:
    template = sealed()
    stored = bytearray(getattr(template, part))
    stored[at] ^= change

    with pytest.raises(TemplateDamaged):
        Vault(KEY, "key-1").open(with_part(template, part, bytes(stored)), "lik_1", "model")


@given(st.sampled_from(["ciphertext", "wrapped_key"]), st.integers(0, 59))
def test_a_template_cut_short_never_opens(part: str, length: int) -> None:
    template = sealed()

    with pytest.raises(TemplateDamaged):
        Vault(KEY, "key-1").open(
            with_part(template, part, getattr(template, part)[:length]), "lik_1", "model"
        )


@pytest.mark.parametrize(("likeness", "model"), [("lik_2", "model"), ("lik_1", "other")])
def test_a_template_moved_to_another_likeness_or_model_never_opens(
    likeness: str, model: str
) -> None:
    with pytest.raises(TemplateDamaged):
        Vault(KEY, "key-1").open(sealed(), likeness, model)


def test_the_key_of_one_template_does_not_open_another() -> None:
    one, other = sealed(), sealed()

    with pytest.raises(TemplateDamaged):
        Vault(KEY, "key-1").open(replace(one, wrapped_key=other.wrapped_key), "lik_1", "model")


def test_another_key_of_the_same_name_does_not_open() -> None:
    with pytest.raises(TemplateDamaged):
        Vault(bytes(32), "key-1").open(sealed(), "lik_1", "model")


def test_a_key_of_another_name_is_not_tried() -> None:
    with pytest.raises(VaultKeyUnusable):
        Vault(KEY, "key-2").open(sealed(), "lik_1", "model")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_vault_wants_a_key_of_32_bytes(length: int) -> None:
    with pytest.raises(VaultKeyUnusable):
        Vault(bytes(length), "key-1")


def test_a_vector_with_a_hole_is_not_sealed() -> None:
    with pytest.raises(TemplateDamaged):
        Vault(KEY, "key-1").seal(np.full(128, np.nan, np.float32), "lik_1", "model")


def test_the_vector_is_nowhere_in_what_is_stored() -> None:
    template = sealed()

    assert ONES.tobytes()[:16] not in template.ciphertext
    assert str(1.0) not in repr(template)
