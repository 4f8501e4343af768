"""Sealed templates as stored, each apart from its key. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from likeness.consent import State
from likeness.store import keys, likenesses, templates
from likeness.vault import SealedTemplate


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A sealed template and what it is bound to."""

    id: str
    likeness: str
    model: str
    sealed: SealedTemplate


def count_templates(conn: Connection) -> int:
    """Return how many templates the active likenesses were enrolled with, lost ones included."""
    query = select(func.coalesce(func.sum(likenesses.c.depth), 0)).where(
        likenesses.c.state == State.ACTIVE.value
    )
    return int(conn.execute(query).scalar_one())


def add_template(conn: Connection, template: StoredTemplate) -> None:
    """Write a sealed template and, apart from it, its wrapped key."""
    conn.execute(
        insert(templates).values(
            id=template.id,
            likeness=template.likeness,
            model=template.model,
            ciphertext=template.sealed.ciphertext,
            key_id=template.sealed.key_id,
        )
    )
    conn.execute(
        insert(keys).values(
            template=template.id,
            likeness=template.likeness,
            wrapped_key=template.sealed.wrapped_key,
        )
    )


def templates_of(conn: Connection, ids: Sequence[str] | None) -> list[StoredTemplate]:
    """Return the templates of the active ones of these likenesses; None means of all.

    A template whose key is gone is not returned: nobody can open it.
    """
    query = (
        select(
            templates.c.id,
            templates.c.likeness,
            templates.c.model,
            templates.c.ciphertext,
            templates.c.key_id,
            keys.c.wrapped_key,
        )
        .join(keys, keys.c.template == templates.c.id)
        .join(likenesses, likenesses.c.id == templates.c.likeness)
        .where(likenesses.c.state == State.ACTIVE.value)
        .order_by(templates.c.id)
    )
    if ids is not None:
        query = query.where(templates.c.likeness.in_(list(ids)))
    return [
        StoredTemplate(
            row.id,
            row.likeness,
            row.model,
            SealedTemplate(bytes(row.ciphertext), bytes(row.wrapped_key), row.key_id),
        )
        for row in conn.execute(query)
    ]


def shred(conn: Connection, likeness: str) -> int:
    """Destroy the keys of a likeness's templates, then the templates; return how many."""
    gone = conn.execute(delete(keys).where(keys.c.likeness == likeness)).rowcount
    conn.execute(delete(templates).where(templates.c.likeness == likeness))
    return int(gone)
