"""The tables of webhooks: endpoints, messages, each message's way to each endpoint, and the log of every attempt."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from tintype.backends.database import Instant, Json, metadata

_waits = text("due_at IS NOT NULL")

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("app_id", String(36)),
    Column("url", Text, nullable=False),
    Column("description", String(200), nullable=False),
    Column("events", Json, nullable=False),
    Column("schedule", String(16), nullable=False),
    Column("delays", Json, nullable=False),
    Column("envelope", String(12), nullable=False),
    Column("way", String(8), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", Text),
    Column("secret", LargeBinary, nullable=False),
    Column("private", LargeBinary, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("earlier", LargeBinary),
    Column("overlap_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("failing_since", Instant),
    Column("failed_at", Instant),
    Column("delivered_at", Instant),
    Column("pulled_at", Instant),
    Column("written_at", Instant),  # when its owners were told that it is disabled
    Index(None, "workspace_id"),
)

messages = Table(
    "webhook_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("app_id", String(36)),
    Column("event", String(40), nullable=False),
    Column("uid", String(40), nullable=False),
    Column("key", String(160)),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Index(None, "workspace_id", "key", unique=True),
    Index(None, "workspace_id", "stored_at"),
    Index(None, "stored_at"),
    sqlite_autoincrement=True,  # a number is never given out again, not even that of a message that was put away
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("endpoint_id", String(36), ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", Integer, ForeignKey("webhook_messages.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),  # whose outcome is known, since it was sent or replayed
    Column("first_at", Instant),
    Column("due_at", Instant),
    Column("leased_until", Instant),
    Column("lease_owner", String(80)),  # the process that makes an attempt; nobody: a listener fetched it
    Column("fence", Integer, nullable=False),
    Column("is_replay", Boolean, nullable=False),
    Column("status", Integer),
    Column("reason", String(32)),
    Column("seconds", Float),
    Column("ended_at", Instant),
    Index(None, "endpoint_id", "due_at"),
    Index("ix_webhook_deliveries_waiting", "endpoint_id", "due_at", sqlite_where=_waits, postgresql_where=_waits),
    Index(None, "endpoint_id", "message_id", unique=True),
    Index(None, "message_id"),
    Index(None, "leased_until"),
    sqlite_autoincrement=True,
)

attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("delivery_id", Integer, ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("url", Text, nullable=False),
    Column("sent", Json, nullable=False),
    Column("status", Integer),
    Column("reason", String(32)),
    Column("detail", Text),
    Column("headers", Json, nullable=False),
    Column("body", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("first_byte", Float),
    Column("address", String(64)),
    Column("tls", String(16)),
    Column("dns", Float),
    Column("connect", Float),
    Column("handshake", Float),
    Index(None, "delivery_id"),
)
