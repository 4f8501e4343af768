"""Vectors, templates and faces with a known distance to each other."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.consent import Grant, Likeness, Use
from likeness.enrolment import Enrolment
from likeness.faces import Box, Face, Quality
from likeness.registry import Registry
from likeness.vault import Vault

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def a_vault(key_id: str = "key-1") -> Vault:
    return Vault({key_id: bytes(range(32))})


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


def admitted(
    registry: Registry, conn: Connection, handle: str, number: int, *, owner: str = ""
) -> Likeness:
    return registry.admit(conn, handle, owner or f"act_{handle}", made_of(person(number)), now=NOW)


def granted(
    registry: Registry, conn: Connection, likeness: Likeness, to: str, *, days: int = 30
) -> Grant:
    return registry.grant(
        conn, likeness.id, to, uses={Use.FACE}, from_at=NOW, until_at=NOW + days * DAY
    )
