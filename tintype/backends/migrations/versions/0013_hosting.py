"""Hosting: which pictures lie in an operator's cloud, are about to, or are being taken away."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table; what is there already is put into the cloud by the feed's own job."""
    op.create_table(
        "hosted_pictures",
        sa.Column("cloud", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("tags", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=True),
        sa.Column("unused_since", Instant(), nullable=True),
        sa.Column("leaving_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("cloud", "digest", name=op.f("pk_hosted_pictures")),
    )
    op.create_index(op.f("ix_hosted_pictures_leaving_at"), "hosted_pictures", ["leaving_at"], unique=False)
