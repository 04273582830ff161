"""Numbers and profiles of accounts; posts, their items, their timeline, and publishing quotas."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
