"""Users, their memberships, and the refresh tokens of their sessions."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
