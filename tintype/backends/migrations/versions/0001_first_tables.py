"""The first tables: workspaces and credentials, accounts and apps, media and own copies, journal and kept answers."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _assets()
    _idempotent_answers()
    _journal()
    _workspaces()
    _accounts()
    _apps()
    _credentials()
    _media()
    _oauth_states()
    _syncs()


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("colour", sa.String(length=7), nullable=True),
        sa.Column("thumbhash", sa.String(length=64), nullable=True),
        sa.Column("rendered", sa.Boolean(), nullable=False),
        sa.Column("unused_since", Instant(), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=True),
        sa.Column("leaving_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_assets")),
    )
    op.create_index(op.f("ix_assets_rendered"), "assets", ["rendered"], unique=False)
    op.create_index(op.f("ix_assets_unused_since"), "assets", ["unused_since"], unique=False)


def _idempotent_answers() -> None:
    op.create_table(
        "idempotent_answers",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotent_answers")),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )


def _workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=16), nullable=False),
        sa.Column("instagram_id", sa.String(length=64), nullable=False),
        sa.Column("app_scoped_id", sa.String(length=64), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("account_type", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("user_token", sa.LargeBinary(), nullable=True),
        sa.Column("token_issued_at", Instant(), nullable=True),
        sa.Column("token_expires_at", Instant(), nullable=True),
        sa.Column("token_tried_at", Instant(), nullable=True),
        sa.Column("warned_days", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_accounts_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_instagram_id"), "accounts", ["instagram_id"], unique=False)
    op.create_index(
        op.f("ix_accounts_workspace_id_login_instagram_id"),
        "accounts",
        ["workspace_id", "login", "instagram_id"],
        unique=True,
    )


def _apps() -> None:
    op.create_table(
        "apps",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_apps_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "login", name=op.f("pk_apps")),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("grant", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("origins", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_credentials_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_digest"), "credentials", ["digest"], unique=True)
    op.create_index(op.f("ix_credentials_workspace_id"), "credentials", ["workspace_id"], unique=False)


def _media() -> None:
    op.create_table(
        "media",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=16), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("picture_name", sa.Text(), nullable=True),
        sa.Column("video_name", sa.Text(), nullable=True),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("video", sa.String(length=64), nullable=True),
        sa.Column("picture_fallback", sa.Text(), nullable=True),
        sa.Column("video_fallback", sa.Text(), nullable=True),
        sa.Column("fallback_until", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("missed_at", Instant(), nullable=True),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["picture"], ["assets.digest"], name=op.f("fk_media_picture")),
        sa.ForeignKeyConstraint(["video"], ["assets.digest"], name=op.f("fk_media_video")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_media_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_media")),
    )
    op.create_index(op.f("ix_media_picture"), "media", ["picture"], unique=False)
    op.create_index(op.f("ix_media_video"), "media", ["video"], unique=False)
    op.create_index(op.f("ix_media_workspace_id_posted_at"), "media", ["workspace_id", "posted_at"], unique=False)


def _oauth_states() -> None:
    op.create_table(
        "oauth_states",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=16), nullable=False),
        sa.Column("dialect", sa.String(length=16), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_oauth_states_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_states")),
    )
    op.create_index(op.f("ix_oauth_states_created_at"), "oauth_states", ["created_at"], unique=False)


def _syncs() -> None:
    op.create_table(
        "syncs",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("synced_at", Instant(), nullable=True),
        sa.Column("deep_at", Instant(), nullable=True),
        sa.Column("failed_at", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_syncs_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_syncs")),
    )
    op.create_index(op.f("ix_syncs_workspace_id"), "syncs", ["workspace_id"], unique=False)
