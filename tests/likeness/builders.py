"""Vectors, templates and faces with a known distance to each other."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from likeness.enrolment import Enrolment
from likeness.faces import Box, Face, Quality
from likeness.vault import Vault

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_vault(key_id: str = "key-1") -> Vault:
    return Vault(bytes(range(32)), key_id)


def person(number: int) -> NDArray[np.float32]:
    """Return the vector of a person; any two numbers are sqrt(2) apart."""
    vector = np.zeros(128, np.float32)
    vector[number] = 1
    return vector


def near(number: int, away: float) -> NDArray[np.float32]:
    """Return a vector that far from `person(number)`, and farther from everybody below 127."""
    vector = person(number)
    vector[127] = away
    return vector


def a_face(
    vector: NDArray[np.float32], *, quality: Quality = Quality.DECIDES, height_px: int = 90
) -> Face:
    return Face(Box(10, 20, height_px, height_px), height_px, vector, quality, True, 1.0)


def made_of(*vectors: NDArray[np.float32]) -> Enrolment:
    return Enrolment(vectors)
