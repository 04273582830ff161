"""The picker: apps and their keys, files, what was made of them, dialogs and uploads."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
