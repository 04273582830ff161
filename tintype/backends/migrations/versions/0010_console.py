"""The console: browsers' sessions, second factors what people did, and what they chose about feeds."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _browsers()
    _welcomes()
    _second_factors()
    _audit()
    _choices()


def _browsers() -> None:
    op.create_table(
        "browsers",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_browsers_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_browsers")),
    )
    op.create_index(op.f("ix_browsers_user_id"), "browsers", ["user_id"], unique=False)
    op.create_index(op.f("ix_browsers_seen_at"), "browsers", ["seen_at"], unique=False)


def _welcomes() -> None:
    op.create_table(
        "welcomes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_welcomes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_welcomes")),
    )


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("spares", Json, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_workspace_id_id"), "audit", ["workspace_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)


def _choices() -> None:
    op.create_table(
        "feed_choices",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("media_id", sa.String(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chosen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_feed_choices_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "media_id", name=op.f("pk_feed_choices")),
    )
    op.create_index(op.f("ix_feed_choices_workspace_id"), "feed_choices", ["workspace_id"], unique=False)
