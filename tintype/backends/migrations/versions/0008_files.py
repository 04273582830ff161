"""The picker: apps and their keys, files, what was made of them, uploads on their way, and dialogs."""

import sqlalchemy as sa
from alembic import op

from tintype.backends.database import Instant, Json

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _apps()
    _files()
    _derived()
    _uploads()
    _parts()
    _debts()
    _dialogs()
    _dialog_accounts()


def _apps() -> None:
    op.create_table(
        "picker_apps",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until", Instant(), nullable=True),
        sa.Column("origins", Json, nullable=False),
        sa.Column("secure_reads", sa.Boolean(), nullable=False),
        sa.Column("secure_writes", sa.Boolean(), nullable=False),
        sa.Column("presets_only", sa.Boolean(), nullable=False),
        sa.Column("presets", Json, nullable=False),
        sa.Column("storages", Json, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("quota_files", sa.Integer(), nullable=True),
        sa.Column("quota_derived", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_picker_apps_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_picker_apps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_picker_apps_id"), "picker_apps", ["id"], unique=True)
    op.create_index(op.f("ix_picker_apps_key"), "picker_apps", ["key"], unique=True)
    op.create_index(op.f("ix_picker_apps_workspace_id"), "picker_apps", ["workspace_id"], unique=False)


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=20), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("md5", sa.String(length=32), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("location", sa.String(length=16), nullable=True),
        sa.Column("store", sa.String(length=64), nullable=True),
        sa.Column("container", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("media_id", sa.String(length=64), nullable=True),
        sa.Column("child_id", sa.String(length=64), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("tags", Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["picker_apps.id"], name=op.f("fk_files_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_files")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_files_handle"), "files", ["handle"], unique=True)
    op.create_index(op.f("ix_files_app_id_uploaded_at"), "files", ["app_id", "uploaded_at"], unique=False)
    op.create_index(op.f("ix_files_account_id"), "files", ["account_id"], unique=False)
    op.create_index(op.f("ix_files_store_place"), "files", ["store", "place"], unique=True)


def _derived() -> None:
    op.create_table(
        "files_derived",
        sa.Column("handle", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["handle"], ["files.handle"], name=op.f("fk_files_derived_handle"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("handle", "digest", name=op.f("pk_files_derived")),
    )
    op.create_index(op.f("ix_files_derived_place"), "files_derived", ["place"], unique=False)
    op.create_index(op.f("ix_files_derived_used_at"), "files_derived", ["used_at"], unique=False)


def _uploads() -> None:
    op.create_table(
        "file_uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("handle", sa.String(length=20), nullable=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["picker_apps.id"], name=op.f("fk_file_uploads_app_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_uploads")),
    )
    op.create_index(op.f("ix_file_uploads_used_at"), "file_uploads", ["used_at"], unique=False)


def _parts() -> None:
    op.create_table(
        "file_parts",
        sa.Column("upload_id", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["file_uploads.id"], name=op.f("fk_file_parts_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "part", "offset", name=op.f("pk_file_parts")),
    )
    op.create_index(op.f("ix_file_parts_place"), "file_parts", ["place"], unique=False)


def _debts() -> None:
    op.create_table(
        "file_debts",
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=700), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", "place", name=op.f("pk_file_debts")),
    )
    op.create_index(op.f("ix_file_debts_since"), "file_debts", ["since"], unique=False)


def _dialogs() -> None:
    op.create_table(
        "dialogs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("chosen", Json, nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["picker_apps.id"], name=op.f("fk_dialogs_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogs")),
    )
    op.create_index(op.f("ix_dialogs_expires_at"), "dialogs", ["expires_at"], unique=False)


def _dialog_accounts() -> None:
    op.create_table(
        "dialog_accounts",
        sa.Column("dialog_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_dialog_accounts_dialog_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_dialog_accounts_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dialog_id", "account_id", name=op.f("pk_dialog_accounts")),
    )
    op.create_index(op.f("ix_dialog_accounts_account_id"), "dialog_accounts", ["account_id"], unique=False)
