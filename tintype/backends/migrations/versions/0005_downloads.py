"""Posts that were downloaded by their address."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
