"""Policy documents, their states, and overrides that expire."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

STATES = "draft shadow canary live retired"
ORIGINS = "author packaged settings"
ACTS = "drafted shadowed canary approved live retired rolled_back"
STAGES = "request half_way output release"


def _word(name: str, words: str) -> sa.Enum:
    return sa.Enum(*words.split(), name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create the tables."""
    op.add_column(
        "project", sa.Column("plan", sa.String(length=40), server_default="", nullable=False)
    )
    _policy_document()
    _policy_approval()
    _policy_change()
    _policy_head()
    _policy_override()


def _policy_document() -> None:
    op.create_table(
        "policy_document",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("state", _word("policy_document_state", STATES), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("origin", _word("policy_document_origin", ORIGINS), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced", sa.String(length=64), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_index(
        "policy_document_one",
        "policy_document",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state IN ('live', 'canary')"),
        postgresql_where=sa.text("state IN ('live', 'canary')"),
    )


def _policy_approval() -> None:
    op.create_table(
        "policy_approval",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_policy_approval_sha256", "policy_approval", ["sha256"], unique=False)


def _policy_change() -> None:
    op.create_table(
        "policy_change",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("act", _word("policy_change_act", ACTS), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_policy_change_sha256", "policy_change", ["sha256"], unique=False)


def _policy_head() -> None:
    op.create_table(
        "policy_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _policy_override() -> None:
    op.create_table(
        "policy_override",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("stage", _word("policy_override_stage", STAGES), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("sign", sa.String(length=64), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("policy_override_sign", "policy_override", ["sign"], unique=False)
