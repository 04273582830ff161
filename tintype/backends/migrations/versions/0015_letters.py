"""Letters: when the owners of a disabled endpoint were written to."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column; of endpoints that were disabled long ago nobody is written to."""
    op.add_column("webhook_endpoints", sa.Column("written_at", Instant(), nullable=True))
