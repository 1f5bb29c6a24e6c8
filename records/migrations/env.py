"""Alembic's way in: runs the migrations on the connection, and in the transaction, of `records.database`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
