"""What is measured, and the samples of it."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
