"""Webhooks: who is told, what is to be told, and how each delivery went."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
