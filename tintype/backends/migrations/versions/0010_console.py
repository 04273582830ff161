"""The console: browsers' sessions, second factors and what people did."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
