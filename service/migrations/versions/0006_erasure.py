"""Erasures, legal holds, retention."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ERASURE_FILMS = "keep remove"
ERASURE_STATES = "requested queued done"
HOLD_KINDS = "subject case project"
HOLD_STATES = "asked in_force release_asked released withdrawn"


def _word(name: str, words: str) -> sa.Enum:
    return sa.Enum(*words.split(), name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create the tables."""
    _erasure()
    _legal_hold()
    _log_pruned()
    _log_retention()


def _erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("case_id", sa.String(length=200), nullable=False),
        sa.Column("films", _word("erasure_films", ERASURE_FILMS), nullable=False),
        sa.Column("state", _word("erasure_state", ERASURE_STATES), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("has_left", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_erasure_subject", "erasure", ["subject"], unique=False)


def _legal_hold() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", _word("legal_hold_kind", HOLD_KINDS), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("state", _word("legal_hold_state", HOLD_STATES), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("release_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("released_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_legal_hold_state", "legal_hold", ["state"], unique=False)


def _log_pruned() -> None:
    op.create_table(
        "log_pruned",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def _log_retention() -> None:
    op.create_table(
        "log_retention",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("resume", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
