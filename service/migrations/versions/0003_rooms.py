"""What likeness and rights keep."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _likeness_changes()
    _likeness_counter()
    _likeness_grants()
    _likeness_keys()
    _likeness_likenesses()
    _likeness_templates()
    _likeness_uses()
    _rights_aliases()
    _rights_changes()
    _rights_claims()
    _rights_counter()


def _likeness_changes() -> None:
    op.create_table(
        "likeness_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.String(length=32), nullable=False),
        sa.Column("likeness", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _likeness_counter() -> None:
    op.create_table(
        "likeness_counter",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _likeness_grants() -> None:
    op.create_table(
        "likeness_grants",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("likeness", sa.String(length=40), nullable=False),
        sa.Column("to_actor", sa.String(length=80), nullable=False),
        sa.Column("uses", sa.String(length=40), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_likeness_grants_likeness", "likeness_grants", ["likeness"], unique=False)
    op.create_index("ix_likeness_grants_to_actor", "likeness_grants", ["to_actor"], unique=False)


def _likeness_keys() -> None:
    op.create_table(
        "likeness_keys",
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("likeness", sa.String(length=40), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("template"),
    )
    op.create_index("ix_likeness_keys_likeness", "likeness_keys", ["likeness"], unique=False)


def _likeness_likenesses() -> None:
    op.create_table(
        "likeness_likenesses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("handle", sa.String(length=30), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "likeness_likenesses_active_handle",
        "likeness_likenesses",
        ["handle"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("likeness_likenesses_handle", "likeness_likenesses", ["handle"], unique=False)
    op.create_index("likeness_likenesses_owner", "likeness_likenesses", ["owner"], unique=False)


def _likeness_templates() -> None:
    op.create_table(
        "likeness_templates",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("likeness", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_likeness_templates_likeness", "likeness_templates", ["likeness"], unique=False
    )


def _likeness_uses() -> None:
    op.create_table(
        "likeness_uses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("likeness", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("likeness", "request_id", name="likeness_uses_once"),
    )
    op.create_index("likeness_uses_likeness_at", "likeness_uses", ["likeness", "at"], unique=False)


def _rights_aliases() -> None:
    op.create_table(
        "rights_aliases",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("claim", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_rights_aliases_claim", "rights_aliases", ["claim"], unique=False)
    op.create_index("ix_rights_aliases_key", "rights_aliases", ["key"], unique=False)


def _rights_changes() -> None:
    op.create_table(
        "rights_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.String(length=32), nullable=False),
        sa.Column("claim", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _rights_claims() -> None:
    op.create_table(
        "rights_claims",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("territories", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("valid_from_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_at", sa.BigInteger(), nullable=True),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rights_claims_holder", "rights_claims", ["holder"], unique=False)
    op.create_index("ix_rights_claims_state", "rights_claims", ["state"], unique=False)


def _rights_counter() -> None:
    op.create_table(
        "rights_counter",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
