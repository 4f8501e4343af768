"""Jobs, reviews, notices, accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

JOB_STATES = "admitted queued running held refused failed cancelled released"
JOB_HELD_STAGES = "request half_way output release"
JOB_STEP_STEPS = "admit decide ticket queue claim generate inspect seal log release tell"
QUOTA_USE_USES = "reserved debited returned"
NOTICE_KINDS = "likeness_used claim_matched released held refused failed"
REVIEW_STAGES = "request half_way output release"
REVIEW_RULINGS = "open cleared refused"


def _word(name: str, words: str) -> sa.Enum:
    return sa.Enum(*words.split(), name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create the tables."""
    _job()
    _job_repeat()
    _job_sealed_request()
    _job_step()
    _outbox()
    _quota_use()
    _actor()
    _api_key()
    _project()
    _notice()
    _review()


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            _word("job_state", JOB_STATES),
            nullable=False,
        ),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("stage", sa.String(length=40), server_default="", nullable=False),
        sa.Column("percent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "held_stage",
            _word("job_held_stage", JOB_HELD_STAGES),
            nullable=True,
        ),
        sa.Column("error_code", sa.String(length=120), server_default="", nullable=False),
        sa.Column("error_message", sa.Text(), server_default="", nullable=False),
        sa.Column("blob_sha256", sa.String(length=64), nullable=True),
        sa.Column("admitted_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'held') = (held_stage IS NOT NULL)", name="job_held_has_stage"
        ),
        sa.CheckConstraint(
            "(state = 'released') = (blob_sha256 IS NOT NULL)", name="job_released_has_blob"
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("job_blob", "job", ["blob_sha256"], unique=False)
    op.create_index("job_project", "job", ["project", "seq"], unique=False)
    op.create_index(
        "job_turn",
        "job",
        ["turn", "seq"],
        unique=False,
        sqlite_where=sa.text("available_at IS NOT NULL"),
        postgresql_where=sa.text("available_at IS NOT NULL"),
    )


def _job_repeat() -> None:
    op.create_table(
        "job_repeat",
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("sign", sa.String(length=400), nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "sign"),
    )
    op.create_index("ix_job_repeat_lapses_at", "job_repeat", ["lapses_at"], unique=False)


def _job_sealed_request() -> None:
    op.create_table(
        "job_sealed_request",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )


def _job_step() -> None:
    op.create_table(
        "job_step",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column(
            "step",
            _word("job_step_step", JOB_STEP_STEPS),
            nullable=False,
        ),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "step"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "outbox_unsent",
        "outbox",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("available_at IS NOT NULL"),
        postgresql_where=sa.text("available_at IS NOT NULL"),
    )


def _quota_use() -> None:
    op.create_table(
        "quota_use",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column(
            "use",
            _word("quota_use_use", QUOTA_USE_USES),
            nullable=False,
        ),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("quota_use_project", "quota_use", ["project", "reserved_at"], unique=False)


def _actor() -> None:
    op.create_table(
        "actor",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("display", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_api_key_project", "api_key", ["project"], unique=False)


def _project() -> None:
    op.create_table(
        "project",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("event", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            _word("notice_kind", NOTICE_KINDS),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event"),
    )
    op.create_index("notice_actor", "notice", ["actor", "id"], unique=False)


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("requester", sa.String(length=80), nullable=False),
        sa.Column(
            "stage",
            _word("review_stage", REVIEW_STAGES),
            nullable=False,
        ),
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("standings", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "ruling",
            _word("review_ruling", REVIEW_RULINGS),
            nullable=False,
        ),
        sa.Column("reviewer", sa.String(length=80), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("decision_id"),
    )
    op.create_index(
        "review_open",
        "review",
        ["job"],
        unique=True,
        sqlite_where=sa.text("ruling = 'open'"),
        postgresql_where=sa.text("ruling = 'open'"),
    )
