"""What is measured, every sample of it, the last numbers, and when accounts were visited."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _visits()
    _targets()
    _samples()
    _latest()


def _visits() -> None:
    op.create_table(
        "insight_visits",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("captured_at", Instant(), nullable=True),
        sa.Column("stories_at", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_insight_visits_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_insight_visits")),
    )
    op.create_index(op.f("ix_insight_visits_workspace_id"), "insight_visits", ["workspace_id"], unique=False)


def _targets() -> None:
    op.create_table(
        "insight_targets",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("media_id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("product", sa.String(length=16), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("next_due", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ended", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_insight_targets_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "media_id", name=op.f("pk_insight_targets")),
    )
    op.create_index(op.f("ix_insight_targets_next_due"), "insight_targets", ["next_due"], unique=False)
    op.create_index(
        op.f("ix_insight_targets_workspace_id_published_at"),
        "insight_targets",
        ["workspace_id", "published_at"],
        unique=False,
    )


def _samples() -> None:
    op.create_table(
        "insight_samples",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("object_kind", sa.String(length=8), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(length=64), nullable=False),
        sa.Column("breakdown", sa.String(length=64), nullable=True),
        sa.Column("captured_at", Instant(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period_start", Instant(), nullable=True),
        sa.Column("period_end", Instant(), nullable=True),
        sa.Column("value", sa.Float(precision=53), nullable=True),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("api_version", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_insight_samples_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_samples")),
    )
    op.create_index(
        op.f("ix_insight_samples_account_id_object_id_metric_captured_at"),
        "insight_samples",
        ["account_id", "object_id", "metric", "captured_at"],
        unique=False,
    )
    op.create_index(op.f("ix_insight_samples_workspace_id"), "insight_samples", ["workspace_id"], unique=False)


def _latest() -> None:
    op.create_table(
        "insight_latest",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=130), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("captured_at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_insight_latest_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "object_id", "name", name=op.f("pk_insight_latest")),
    )
    op.create_index(op.f("ix_insight_latest_workspace_id"), "insight_latest", ["workspace_id"], unique=False)
