"""Posts that were downloaded by their address, how the ways to them stand, and the session that may be used."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _downloads()
    _public_sessions()
    _public_standings()
    # An own post is found by its address before anybody else is asked for it.
    op.create_index(op.f("ix_media_permalink"), "media", ["permalink"], unique=False)


def _downloads() -> None:
    op.create_table(
        "downloads",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("shortcode", sa.String(length=64), nullable=False),
        sa.Column("current", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("lease_by", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("post", Json, nullable=True),
        sa.Column("failure", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
    )
    op.create_index(op.f("ix_downloads_current"), "downloads", ["current"], unique=True)
    op.create_index(op.f("ix_downloads_state_ended_at"), "downloads", ["state", "ended_at"], unique=False)


def _public_sessions() -> None:
    op.create_table(
        "public_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cookies", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("proven_at", Instant(), nullable=True),
        sa.Column("parked_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_sessions")),
    )


def _public_standings() -> None:
    op.create_table(
        "public_standings",
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("standing", Json, nullable=True),
        sa.PrimaryKeyConstraint("way", name=op.f("pk_public_standings")),
    )
