from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likeness.vault import SealedTemplate, TemplateDamaged, Vault, VaultKeyUnusable

KEY = bytes(range(32))
NEWER = bytes(range(32, 64))
vectors = arrays(np.float32, (128,), elements=st.floats(-4, 4, width=32))
ONES = np.ones(128, np.float32)


def with_part(template: SealedTemplate, part: str, stored: bytes) -> SealedTemplate:
    if part == "ciphertext":
        return replace(template, ciphertext=stored)
    return replace(template, wrapped_key=stored)


def sealed() -> SealedTemplate:
    return Vault({"key-1": KEY}).seal(ONES, "lik_1", "model")


@given(vectors)
def test_what_was_sealed_opens_unchanged(vector: np.ndarray) -> None:
    vault = Vault({"key-1": KEY})

    opened = vault.open(vault.seal(vector, "lik_1", "model"), "lik_1", "model")

    assert np.array_equal(opened, vector)


@given(st.sampled_from(["ciphertext", "wrapped_key"]), st.integers(0, 59), st.integers(1, 255))
def test_a_changed_byte_never_opens(part: str, at: int, change: int) -> None:
    template = sealed()
    stored = bytearray(getattr(template, part))
    stored[at] ^= change

    with pytest.raises(TemplateDamaged):
        Vault({"key-1": KEY}).open(with_part(template, part, bytes(stored)), "lik_1", "model")


@given(st.sampled_from(["ciphertext", "wrapped_key"]), st.integers(0, 59))
def test_a_template_cut_short_never_opens(part: str, length: int) -> None:
    template = sealed()

    with pytest.raises(TemplateDamaged):
        Vault({"key-1": KEY}).open(
            with_part(template, part, getattr(template, part)[:length]), "lik_1", "model"
        )


@pytest.mark.parametrize(("likeness", "model"), [("lik_2", "model"), ("lik_1", "other")])
def test_a_template_moved_to_another_likeness_or_model_never_opens(
    likeness: str, model: str
) -> None:
    with pytest.raises(TemplateDamaged):
        Vault({"key-1": KEY}).open(sealed(), likeness, model)


def test_the_key_of_one_template_does_not_open_another() -> None:
    one, other = sealed(), sealed()

    with pytest.raises(TemplateDamaged):
        Vault({"key-1": KEY}).open(replace(one, wrapped_key=other.wrapped_key), "lik_1", "model")


def test_another_key_of_the_same_name_does_not_open() -> None:
    with pytest.raises(TemplateDamaged):
        Vault({"key-1": bytes(32)}).open(sealed(), "lik_1", "model")


def test_a_key_of_another_name_is_not_tried() -> None:
    with pytest.raises(VaultKeyUnusable):
        Vault({"key-2": KEY}).open(sealed(), "lik_1", "model")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_vault_wants_a_key_of_32_bytes(length: int) -> None:
    with pytest.raises(VaultKeyUnusable):
        Vault({"key-1": KEY, "key-0": bytes(length)})


def test_a_vault_without_a_key_is_refused() -> None:
    with pytest.raises(VaultKeyUnusable):
        Vault({})


def test_what_was_sealed_before_a_rotation_still_opens() -> None:
    before = sealed()

    opened = Vault({"key-2": NEWER, "key-1": KEY}).open(before, "lik_1", "model")

    assert np.array_equal(opened, ONES)


def test_the_newest_key_wraps_what_is_sealed_after_a_rotation() -> None:
    template = Vault({"key-2": NEWER, "key-1": KEY}).seal(ONES, "lik_1", "model")

    assert template.key_id == "key-2"
    assert np.array_equal(Vault({"key-2": NEWER}).open(template, "lik_1", "model"), ONES)
    with pytest.raises(VaultKeyUnusable):
        Vault({"key-1": KEY}).open(template, "lik_1", "model")


def test_a_template_said_to_be_wrapped_by_another_of_the_keys_never_opens() -> None:
    template = replace(sealed(), key_id="key-2")

    with pytest.raises(TemplateDamaged):
        Vault({"key-2": NEWER, "key-1": KEY}).open(template, "lik_1", "model")


def test_a_vector_with_a_hole_is_not_sealed() -> None:
    with pytest.raises(TemplateDamaged):
        Vault({"key-1": KEY}).seal(np.full(128, np.nan, np.float32), "lik_1", "model")


def test_the_vector_is_nowhere_in_what_is_stored() -> None:
    template = sealed()

    assert ONES.tobytes()[:16] not in template.ciphertext
    assert str(1.0) not in repr(template)
