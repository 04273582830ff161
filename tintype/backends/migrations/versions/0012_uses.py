"""Last uses: when each token, feed key and app of the picker was shown last."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the moment to both; it is unknown for those that were used before."""
    for table in ("credentials", "picker_apps"):
        op.add_column(table, sa.Column("used_at", Instant(), nullable=True))
