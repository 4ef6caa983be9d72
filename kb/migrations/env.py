"""Alembic's entry point: migrations run on the connection, and in the transaction, that `kb.migrate` hands over."""

from alembic import context

from kb import record_tables  # noqa: F401 - its tables belong to the same schema
from kb.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
