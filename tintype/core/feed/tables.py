"""The tables of the feed: own copies, media, and how the syncs went."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from tintype.backends.database import Instant, metadata

assets = Table(
    "assets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("format", String(8), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("colour", String(7)),
    Column("thumbhash", String(64)),
    Column("rendered", Boolean, nullable=False),
    Column("unused_since", Instant),
    Column("claimed_at", Instant),  # a sync is about to put the file, or has; nothing refers to it yet
    Column("leaving_at", Instant),  # a collection is deleting the files; nothing may refer to it any more
    Index(None, "rendered"),
    Index(None, "unused_since"),
)

media = Table(
    "media",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", String(32)),
    Column("place", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("product", String(16), nullable=False),
    Column("caption", Text, nullable=False),
    Column("permalink", Text, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("alt_text", Text),
    Column("picture_name", Text),
    Column("video_name", Text),
    Column("picture", String(64), ForeignKey("assets.digest")),
    Column("video", String(64), ForeignKey("assets.digest")),
    Column("picture_fallback", Text),
    Column("video_fallback", Text),
    Column("fallback_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Instant),
    Column("missed", Integer, nullable=False),
    Column("missed_at", Instant),
    Column("removed_at", Instant),
    Index(None, "workspace_id", "posted_at"),
    Index(None, "picture"),
    Index(None, "video"),
    Index(None, "permalink"),
)

syncs = Table(
    "syncs",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("synced_at", Instant),
    Column("deep_at", Instant),
    Column("failed_at", Instant),
    Column("problem", Text),
    Column("revision", Integer, nullable=False),
    Index(None, "workspace_id"),
)
