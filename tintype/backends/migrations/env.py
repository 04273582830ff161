"""Runs the migrations on the connection that `upgrade` hands over; Alembic loads this file by its place."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)

with context.begin_transaction():
    context.run_migrations()
