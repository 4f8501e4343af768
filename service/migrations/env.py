"""Alembic's entry: runs the migrations on the connection that `bring_up_to_date` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
