"""The tables of the picker: apps, files, what is made of them, uploads on their way, dialogs, and places to be emptied."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from tintype.backends.database import Instant, Json, metadata

apps = Table(
    "picker_apps",
    metadata,
    # Webhooks show an app and a file by whole numbers; they are given out once and never again.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("old_secret", LargeBinary),
    Column("old_secret_until", Instant),
    Column("origins", Json, nullable=False),
    Column("secure_reads", Boolean, nullable=False),
    Column("secure_writes", Boolean, nullable=False),
    Column("presets_only", Boolean, nullable=False),
    Column("presets", Json, nullable=False),
    Column("storages", Json, nullable=False),
    Column("quota_bytes", BigInteger),
    Column("quota_files", Integer),
    Column("quota_derived", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("used_at", Instant),
    Index(None, "id", unique=True),
    Index(None, "key", unique=True),
    Index(None, "workspace_id"),
    sqlite_autoincrement=True,
)

files = Table(
    "files",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("handle", String(20), nullable=False),
    Column("app_id", String(36), ForeignKey("picker_apps.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", String(36), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("client", String(32), nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("size", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("md5", String(32)),
    Column("sha256", String(64)),
    Column("location", String(16)),
    Column("store", String(64)),
    Column("container", Text),
    Column("path", Text),
    Column("key", Text),
    Column("place", Text),
    Column("access", String(16), nullable=False),
    Column("account_id", String(36)),
    Column("media_id", String(64)),
    Column("child_id", String(64)),
    Column("source_url", Text),
    Column("tags", Json),
    Column("version", Integer, nullable=False),
    Column("uploaded_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("reason", Text),
    Index(None, "handle", unique=True),
    Index(None, "app_id", "uploaded_at"),
    Index(None, "account_id"),
    Index(None, "store", "place", unique=True),
    sqlite_autoincrement=True,
)

# What was made of a file: one row for each canonical form that somebody asked for.
derived = Table(
    "files_derived",
    metadata,
    Column("handle", String(20), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("place", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("etag", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    ForeignKeyConstraint(["handle"], ["files.handle"], ondelete="CASCADE"),
    Index(None, "place"),
    Index(None, "used_at"),
)

uploads = Table(
    "file_uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(36), ForeignKey("picker_apps.id", ondelete="CASCADE"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("options", Json, nullable=False),
    Column("handle", String(20)),
    Column("begun_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Index(None, "used_at"),
)

parts = Table(
    "file_parts",
    metadata,
    Column("upload_id", String(32), ForeignKey("file_uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("place", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("md5", String(32), nullable=False),
    Index(None, "place"),
)

# Places in stores that may hold bytes nobody refers to: written before the bytes are, and again before they are let go.
debts = Table(
    "file_debts",
    metadata,
    Column("store", String(64), primary_key=True),
    Column("place", String(700), primary_key=True),
    Column("leaving", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
    Index(None, "since"),
)

dialogs = Table(
    "dialogs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app_id", String(36), ForeignKey("picker_apps.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", String(36), nullable=False),
    Column("origin", Text, nullable=False),
    Column("options", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("chosen", Json),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)

dialog_accounts = Table(
    "dialog_accounts",
    metadata,
    Column("dialog_id", String(64), ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "account_id"),
)
