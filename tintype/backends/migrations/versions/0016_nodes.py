"""Nodes: which of them may hold something, and which holds a webhook's or a push's delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the list and the columns; what an older version holds goes on when its lease is over."""
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nodes")),
    )
    for table in ("webhook_deliveries", "push_deliveries"):
        op.add_column(table, sa.Column("lease_owner", sa.String(length=80), nullable=True))
