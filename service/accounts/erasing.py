"""What an account says of a person in words: taken out when they are erased."""

from sqlalchemy import Connection, select, update

from service.accounts.api_keys import key_table
from service.accounts.local import LOCAL
from service.accounts.people import actor_table


def projects_of(conn: Connection, actor: str) -> frozenset[str]:
    """Return the projects that `actor` has, or had, a key to."""
    query = select(key_table.c.project).where(key_table.c.actor == actor)
    return frozenset(conn.execute(query.distinct()).scalars())


def forget_words(conn: Connection, actor: str) -> None:
    """Blank the display of an actor and the labels of their keys; account and keys stay."""
    conn.execute(
        update(actor_table)
        # That one is no person's name, and the account is found by it.
        .where(actor_table.c.id == actor, actor_table.c.display != LOCAL)
        .values(display="")
    )
    conn.execute(update(key_table).where(key_table.c.actor == actor).values(label=""))
