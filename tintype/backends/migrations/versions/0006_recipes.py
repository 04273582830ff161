"""Recipes: the queue's items with their way, and the log of their changes that streams replay."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    _items()
    _changes()


def _items() -> None:
    op.create_table(
        "recipe_items",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("shortcode", sa.String(length=64), nullable=True),
        sa.Column("current", sa.String(length=64), nullable=True),
        sa.Column("given", Json, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("phases", Json, nullable=False),
        sa.Column("source", Json, nullable=True),
        sa.Column("parsed", Json, nullable=True),
        sa.Column("upload", Json, nullable=True),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("failure", Json, nullable=True),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("told", sa.String(length=24), nullable=True),
        sa.Column("duplicate_of", sa.String(length=36), nullable=True),
        sa.Column("batch", sa.String(length=36), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_recipe_items")),
        sqlite_autoincrement=True,
    )
    for columns, unique in (
        (["id"], True),
        (["current"], True),
        (["due_at"], False),
        (["shortcode"], False),
        (["batch"], False),
        (["status", "number"], False),
    ):
        name = op.f(f"ix_recipe_items_{'_'.join(columns)}")
        op.create_index(name, "recipe_items", columns, unique=unique)


def _changes() -> None:
    op.create_table(
        "recipe_changes",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=False),
        sa.Column("item", Json, nullable=True),
        sa.Column("tell", sa.Boolean(), nullable=False),
        sa.Column("closes", sa.String(length=36), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_recipe_changes")),
        sqlite_autoincrement=True,
    )
