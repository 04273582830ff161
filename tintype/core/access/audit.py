"""Who did what in a workspace, for those who own it: kept for a year, never changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, Integer, String, Table, delete, insert, select

from tintype.backends.database import Database, Instant, metadata
from tintype.core.access.model import Caller

KEPT = timedelta(days=365)
_SUBJECT = 200

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace_id", String(36), nullable=False),
    Column("actor", String(254), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(_SUBJECT), nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "workspace_id", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,  # a cursor never meets a number twice
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line: `actor` did `what` to `subject`."""

    id: int
    actor: str
    what: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Audit:
    """Writes the log of deeds, and shows it."""

    database: Database
    now: Callable[[], datetime]

    async def note(self, caller: Caller, actor: str, what: str, subject: str = "") -> None:
        """Write one line; `what` is a verb and its object, like `token.revoked`, and never holds a secret."""
        now = self.now()
        row = {
            "workspace_id": caller.workspace_id,
            "actor": actor[:254],
            "what": what,
            "subject": subject[:_SUBJECT],
            "at": now,
        }
        async with self.database.write() as connection:
            await connection.execute(delete(audit).where(audit.c.at < now - KEPT))
            await connection.execute(insert(audit).values(row))

    async def page(self, workspace_id: str, *, before: int | None = None, limit: int = 50) -> Sequence[Deed]:
        """Return a workspace's lines before one of them, newest first."""
        query = select(audit).where(audit.c.workspace_id == workspace_id).order_by(audit.c.id.desc()).limit(limit)
        query = query.where(audit.c.id < before) if before is not None else query
        async with self.database.read() as connection:
            rows = await connection.execute(query)
            return [Deed(row.id, row.actor, row.what, row.subject, row.at) for row in rows]
