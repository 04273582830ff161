"""Web push: the browsers that want to hear of things, and what is on its way to them."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _keys()
    _subscriptions()
    _notices()
    _deliveries()


def _keys() -> None:
    op.create_table(
        "push_keys",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("pair", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_push_keys")),
    )
    op.create_table(
        "push_marks",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_push_marks")),
    )


def _subscriptions() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("reached_at", Instant(), nullable=True),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
    )
    op.create_index(op.f("ix_push_subscriptions_client"), "push_subscriptions", ["client"], unique=True)
    op.create_index(op.f("ix_push_subscriptions_place"), "push_subscriptions", ["place"], unique=True)


def _notices() -> None:
    op.create_table(
        "push_notices",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("notice", Json, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_push_notices")),
    )
    op.create_index(op.f("ix_push_notices_at"), "push_notices", ["at"], unique=False)


def _deliveries() -> None:
    op.create_table(
        "push_deliveries",
        sa.Column("notice_key", sa.String(length=128), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_key"],
            ["push_notices.key"],
            name=op.f("fk_push_deliveries_notice_key"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["push_subscriptions.id"],
            name=op.f("fk_push_deliveries_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notice_key", "subscription_id", name=op.f("pk_push_deliveries")),
    )
    op.create_index(op.f("ix_push_deliveries_subscription_id"), "push_deliveries", ["subscription_id"], unique=False)
    op.create_index(op.f("ix_push_deliveries_due_at"), "push_deliveries", ["due_at"], unique=False)
