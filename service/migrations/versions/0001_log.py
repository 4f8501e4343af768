"""The log and the keys of its private values."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _log_entry()
    _log_head()
    _log_intake()
    _log_tile()
    _log_value()
    _subject_key()


def _log_entry() -> None:
    op.create_table(
        "log_entry",
        sa.Column("place", SERIAL, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=200), nullable=False),
        sa.Column("logged_at", sa.String(length=27), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_log_entry_type", "log_entry", ["type"], unique=False)
    op.create_index(
        "log_entry_actor",
        "log_entry",
        ["actor"],
        unique=False,
        sqlite_where=sa.text("actor != ''"),
        postgresql_where=sa.text("actor != ''"),
    )
    op.create_index(
        "log_entry_decision",
        "log_entry",
        ["decision"],
        unique=False,
        sqlite_where=sa.text("decision != ''"),
        postgresql_where=sa.text("decision != ''"),
    )
    op.create_index(
        "log_entry_project",
        "log_entry",
        ["project"],
        unique=False,
        sqlite_where=sa.text("project != ''"),
        postgresql_where=sa.text("project != ''"),
    )
    op.create_index(
        "log_entry_request",
        "log_entry",
        ["request"],
        unique=False,
        sqlite_where=sa.text("request != ''"),
        postgresql_where=sa.text("request != ''"),
    )


def _log_head() -> None:
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _log_intake() -> None:
    op.create_table(
        "log_intake",
        sa.Column("place", SERIAL, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("key"),
    )


def _log_tile() -> None:
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )


def _log_value() -> None:
    op.create_table(
        "log_value",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "field"),
    )
    op.create_index("ix_log_value_subject", "log_value", ["subject"], unique=False)


def _subject_key() -> None:
    op.create_table(
        "subject_key",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("vault_key", sa.String(length=32), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
