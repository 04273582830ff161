"""Web push: the browsers that want to hear of things, and what is on its way to them."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
