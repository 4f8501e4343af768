"""The first tables."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    from service.migrations import all_tables

    for tables in all_tables():
        tables.create_all(op.get_bind())
