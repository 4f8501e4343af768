"""The tables of the policy book, and every statement that reads or writes them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    func,
    insert,
    select,
    text,
    update,
)

from service.accounts.people import actor_table
from service.audit import store as log_store
from service.database import metadata
from service.decision import PolicyRef
from service.jobs import Instant
from service.jobs.tables import word
from service.policy_book.states import Act, Change, Document, Origin, State

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
_Serial = BigInteger().with_variant(Integer, "sqlite")

document_table = Table(
    "policy_document",
    metadata,
    Column("number", _Serial, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("id", String(100), nullable=False),
    Column("version", String(100), nullable=False),
    Column("state", word(State, "policy_document_state"), nullable=False),
    Column("share", Integer, nullable=False),
    Column("author", String(80), nullable=False),
    Column("origin", word(Origin, "policy_document_origin"), nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("replaced", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
)
# Whatever a process believes, the database holds one live document and one canary.
Index(
    "policy_document_one",
    document_table.c.state,
    unique=True,
    sqlite_where=text("state IN ('live', 'canary')"),
    postgresql_where=text("state IN ('live', 'canary')"),
)
approval_table = Table(
    "policy_approval",
    metadata,
    Column("number", _Serial, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    # An approval is for one way to live; once the document is retired, it is spent.
    Column("spent_at", Instant),
)
change_table = Table(
    "policy_change",
    metadata,
    Column("number", _Serial, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("act", word(Act, "policy_change_act"), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("share", Integer, nullable=False),
)
head_table = Table(
    "policy_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Of all that a decision depends on; of the documents' states alone.
    Column("version", BigInteger, nullable=False),
    Column("moves", BigInteger, nullable=False),
)
_d, _a, _c = document_table.c, approval_table.c, change_table.c


def version(conn: Connection) -> int | None:
    """Return how often the book has changed; None where it was never begun.

    Asked for by every decision, so past SQLAlchemy.
    """
    row = log_store.rows(conn, "SELECT version FROM policy_head WHERE id = 1").fetchone()
    return None if row is None else int(row[0])


def moves(conn: Connection) -> int:
    """Return how often a document has gone from one state to another."""
    query = select(head_table.c.moves).where(head_table.c.id == 1)
    return int(conn.execute(query).scalar() or 0)


def locked(conn: Connection) -> int:
    """Return `moves`, of a book begun where it was not; nobody else changes it meanwhile."""
    log_store.rows(
        conn,
        "INSERT INTO policy_head (id, version, moves) VALUES (1, 0, 0) ON CONFLICT DO NOTHING",
    )
    query = select(head_table.c.moves).where(head_table.c.id == 1)
    return int(conn.execute(query.with_for_update()).scalar_one())


def touch(conn: Connection) -> None:
    """Let every process read the book again before its next decision."""
    c = head_table.c
    conn.execute(update(head_table).where(c.id == 1).values(version=c.version + 1))


def note_move(conn: Connection) -> None:
    """Count a move, and let every process read the book again."""
    conn.execute(
        update(head_table).where(head_table.c.id == 1).values(moves=head_table.c.moves + 1)
    )
    touch(conn)


def add(conn: Connection, document: Document) -> None:
    """Write a new document; its number is the next one."""
    conn.execute(
        insert(document_table).values(
            sha256=document.ref.sha256,
            id=document.ref.id,
            version=document.ref.version,
            state=document.state,
            share=document.share,
            author=document.author,
            origin=document.origin,
            drafted_at=document.drafted_at,
            changed_at=document.changed_at,
            replaced=document.replaced,
            text=document.text,
        )
    )


def put(conn: Connection, new: Document) -> None:
    """Write a document that may be in the book already, in another state."""
    if document(conn, new.ref.sha256) is None:
        add(conn, new)
        return
    conn.execute(
        update(document_table)
        .where(_d.sha256 == new.ref.sha256)
        .values(
            state=new.state,
            share=new.share,
            origin=new.origin,
            changed_at=new.changed_at,
            replaced=new.replaced,
        )
    )


def document(conn: Connection, sha256: str) -> Document | None:
    """Return the document of this name."""
    found = _documents(conn, _d.sha256 == sha256, 1)
    return found[0] if found else None


def named(conn: Connection, start: str) -> list[Document]:
    """Return up to two documents whose name begins with `start`, hexadecimal digits."""
    return _documents(conn, _d.sha256.startswith(start, autoescape=True), 2)


def in_states(conn: Connection, states: Collection[State]) -> list[Document]:
    """Return the documents that are in one of `states`, newest first."""
    return _documents(conn, _d.state.in_(states), None)


def page(conn: Connection, state: State | None, before: int | None, limit: int) -> list[Document]:
    """Return documents, newest first, from the one before number `before` on."""
    wanted = (
        *((_d.state == state,) if state else ()),
        *((_d.number < before,) if before is not None else ()),
    )
    query = select(document_table).where(*wanted).order_by(_d.number.desc()).limit(limit)
    return [_as_document(row) for row in conn.execute(query).mappings()]


def count(conn: Connection) -> int:
    """Return how many documents there are."""
    return int(conn.execute(select(func.count()).select_from(document_table)).scalar_one())


def move(conn: Connection, sha256: str, state: State, now: datetime, *, share: int = 0) -> None:
    """Put a document into another state."""
    conn.execute(
        update(document_table)
        .where(_d.sha256 == sha256)
        .values(state=state, share=share, changed_at=now)
    )


def follow(conn: Connection, sha256: str, replaced: str) -> None:
    """Remember which document was live before this one."""
    conn.execute(update(document_table).where(_d.sha256 == sha256).values(replaced=replaced))


def approve(conn: Connection, sha256: str, actor: str, now: datetime) -> None:
    """Write an approval."""
    conn.execute(insert(approval_table).values(sha256=sha256, actor=actor, at=now))


def spend(conn: Connection, sha256: str, now: datetime) -> None:
    """Let the approvals of a document count no more."""
    conn.execute(
        update(approval_table)
        .where(_a.sha256 == sha256, _a.spent_at.is_(None))
        .values(spent_at=now)
    )


def approvers(conn: Connection, sha256: str) -> frozenset[str]:
    """Return whose approval of the document counts now: not that of somebody shut out."""
    query = (
        select(_a.actor)
        .join(actor_table, actor_table.c.id == _a.actor)
        .where(_a.sha256 == sha256, _a.spent_at.is_(None), actor_table.c.disabled_at.is_(None))
    )
    return frozenset(conn.execute(query).scalars())


def ever_approved(conn: Connection, sha256: str) -> frozenset[str]:
    """Return everybody who ever approved the document."""
    return frozenset(conn.execute(select(_a.actor).where(_a.sha256 == sha256)).scalars())


def note(conn: Connection, sha256: str, change: Change) -> None:
    """Write down what was done with a document."""
    conn.execute(
        insert(change_table).values(
            sha256=sha256, act=change.act, actor=change.actor, at=change.at, share=change.share
        )
    )


def history(conn: Connection, sha256: str) -> list[Change]:
    """Return what was done with a document, oldest first."""
    query = select(_c.act, _c.actor, _c.at, _c.share).where(_c.sha256 == sha256).order_by(_c.number)
    return [Change(*row) for row in conn.execute(query)]


def _documents(conn: Connection, wanted: ColumnElement[bool], limit: int | None) -> list[Document]:
    query = select(document_table).where(wanted).order_by(_d.number.desc()).limit(limit)
    return [_as_document(row) for row in conn.execute(query).mappings()]


def _as_document(row: RowMapping) -> Document:
    return Document(
        number=row["number"],
        ref=PolicyRef(row["id"], row["version"], row["sha256"]),
        state=row["state"],
        share=row["share"],
        author=row["author"],
        origin=row["origin"],
        drafted_at=row["drafted_at"],
        changed_at=row["changed_at"],
        replaced=row["replaced"],
        text=bytes(row["text"]),
    )
