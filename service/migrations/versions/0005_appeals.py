"""Appeals, and reviews of decisions that have no job."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

STAGES = "request half_way output release"
STATES = "open upheld dismissed"
NOTICE_KINDS = (
    "likeness_used claim_matched released held refused failed "
    "review_cleared review_refused appeal_upheld appeal_dismissed"
)


def _word(name: str, words: str) -> sa.Enum:
    return sa.Enum(*words.split(), name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create and widen the tables."""
    _appeal()
    _review()
    _notice()


def _appeal() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("appellant", sa.String(length=80), nullable=False),
        sa.Column("stage", _word("appeal_stage", STAGES), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("reviewer", sa.String(length=80), nullable=False),
        sa.Column("sign", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("state", _word("appeal_state", STATES), nullable=False),
        sa.Column("moderator", sa.String(length=80), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted", sa.JSON(), nullable=False),
        sa.Column("remaining", sa.JSON(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("decision_id"),
    )
    op.create_index("appeal_appellant", "appeal", ["appellant", "id"], unique=False)
    is_open = sa.text("state = 'open'")
    op.create_index(
        "appeal_open",
        "appeal",
        ["project", "id"],
        unique=False,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _review() -> None:
    for name, length in (("sign", 64), ("once", 80)):
        op.add_column(
            "review", sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        )
    op.add_column("review", sa.Column("until_at", sa.BigInteger(), nullable=True))
    # Until now every review had a job, and one at most was open for it.
    op.execute("UPDATE review SET once = job")
    op.drop_index("review_open", table_name="review")
    is_open, has_sign = sa.text("ruling = 'open'"), sa.text("sign != ''")
    op.create_index(
        "review_open",
        "review",
        ["once"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index(
        "review_sign",
        "review",
        ["sign"],
        unique=False,
        sqlite_where=has_sign,
        postgresql_where=has_sign,
    )


def _notice() -> None:
    """Let notices be about appeals; SQLite changes no constraint, so the table is made anew."""
    op.drop_index("notice_actor", table_name="notice")
    op.rename_table("notice", "notice_before")
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("event", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("kind", _word("notice_kind", NOTICE_KINDS), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="notice_key"),
        sa.UniqueConstraint("event", name="notice_event"),
    )
    op.execute(
        "INSERT INTO notice (id, event, actor, kind, subject, about, at, read_at) "
        "SELECT id, event, actor, kind, subject, about, at, read_at FROM notice_before"
    )
    op.drop_table("notice_before")
    op.create_index("notice_actor", "notice", ["actor", "id"], unique=False)
