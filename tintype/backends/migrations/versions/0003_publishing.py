"""Numbers and profiles of accounts; posts, their timeline, and publishing quotas."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, those first that others refer to, and number the accounts that are there."""
    _accounts()
    _posts()
    _post_events()
    _publishing_quotas()


def _accounts() -> None:
    for column in (
        sa.Column("picture_url", sa.Text(), nullable=True),
        sa.Column("followers_count", sa.BigInteger(), nullable=True),
        sa.Column("follows_count", sa.BigInteger(), nullable=True),
    ):
        op.add_column("accounts", column)
    op.create_table(
        "account_numbers",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_numbers_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_account_numbers")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_account_numbers_account_id"), "account_numbers", ["account_id"], unique=True)
    op.execute("INSERT INTO account_numbers (account_id) SELECT id FROM accounts ORDER BY created_at, id")


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("draft", Json, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scheduled_at", Instant(), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("parts", Json, nullable=False),
        sa.Column("container_id", sa.String(length=64), nullable=True),
        sa.Column("container_at", Instant(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("publishes", sa.Integer(), nullable=False),
        sa.Column("publish_started_at", Instant(), nullable=True),
        sa.Column("doubt", Json, nullable=True),
        sa.Column("media_id", sa.String(length=64), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("failure", Json, nullable=True),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("comment_state", sa.String(length=12), nullable=False),
        sa.Column("comment_id", sa.String(length=64), nullable=True),
        sa.Column("comment_tries", sa.Integer(), nullable=False),
        sa.Column("refreshed", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("reserved_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("batch", sa.String(length=36), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_posts_workspace_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_posts_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sqlite_autoincrement=True,
    )
    _indexes_of_posts()


def _indexes_of_posts() -> None:
    op.create_index(op.f("ix_posts_due_at"), "posts", ["due_at"], unique=False)
    op.create_index(op.f("ix_posts_workspace_id_id"), "posts", ["workspace_id", "id"], unique=False)
    op.create_index(op.f("ix_posts_workspace_id_key"), "posts", ["workspace_id", "key"], unique=True)
    op.create_index(op.f("ix_posts_account_id_state"), "posts", ["account_id", "state"], unique=False)
    op.create_index(op.f("ix_posts_account_id_media_id"), "posts", ["account_id", "media_id"], unique=True)


def _post_events() -> None:
    op.create_table(
        "post_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_post_events_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_events")),
    )
    op.create_index(op.f("ix_post_events_post_id_id"), "post_events", ["post_id", "id"], unique=False)


def _publishing_quotas() -> None:
    op.create_table(
        "publishing_quotas",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("used", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("window_seconds", sa.Integer(), nullable=True),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("resting_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_publishing_quotas_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_publishing_quotas")),
    )
