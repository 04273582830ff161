"""Journeys: to which address an attempt of a webhook went, under which TLS, and where its time went."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; of attempts that were made before they stay empty."""
    op.add_column("webhook_attempts", sa.Column("address", sa.String(length=64), nullable=True))
    op.add_column("webhook_attempts", sa.Column("tls", sa.String(length=16), nullable=True))
    op.add_column("webhook_attempts", sa.Column("dns", sa.Float(), nullable=True))
    op.add_column("webhook_attempts", sa.Column("connect", sa.Float(), nullable=True))
    op.add_column("webhook_attempts", sa.Column("handshake", sa.Float(), nullable=True))
