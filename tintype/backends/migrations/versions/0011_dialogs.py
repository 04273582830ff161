"""Dialogs: accounts of visitors apart from a workspace's own, and what is connected from which dialog."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the mark to accounts, and make the table of connections that dialogs began."""
    op.add_column("accounts", sa.Column("visiting", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "dialog_connects",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("dialog_id", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("trouble", Json, nullable=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_dialog_connects_dialog_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_dialog_connects")),
    )
    op.create_index(op.f("ix_dialog_connects_dialog_id"), "dialog_connects", ["dialog_id"], unique=False)
