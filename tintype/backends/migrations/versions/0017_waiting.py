"""Waiting: an index of the deliveries that have something before them, and of nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the index; both kinds of database keep it for whatever version writes."""
    name, waits = op.f("ix_webhook_deliveries_waiting"), sa.text("due_at IS NOT NULL")
    columns = ["endpoint_id", "due_at"]
    op.create_index(name, "webhook_deliveries", columns, unique=False, sqlite_where=waits, postgresql_where=waits)
