"""The table of the lent session and its SQL."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, Text, delete, insert, select, update

from tintype.backends.database import Database, Instant, metadata

public_sessions = Table(
    "public_sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cookies", LargeBinary, nullable=False),
    Column("user_agent", Text),
    Column("added_at", Instant, nullable=False),
    Column("proven_at", Instant),
    Column("parked_at", Instant),
    Column("reason", Text),
)


@dataclass(frozen=True, slots=True)
class SealedSession:
    """A session as it is stored."""

    id: str
    cookies: bytes = field(repr=False)
    user_agent: str | None
    added_at: datetime
    proven_at: datetime | None
    parked_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SessionRecords:
    """Reads and writes the session, one short transaction a method."""

    database: Database

    async def keep(self, session: SealedSession) -> None:
        """Store a session in place of every earlier one."""
        async with self.database.write() as connection:
            await connection.execute(delete(public_sessions))
            await connection.execute(insert(public_sessions).values(asdict(session)))

    async def find(self) -> SealedSession | None:
        """Return the session, if there is one."""
        query = select(public_sessions).order_by(public_sessions.c.added_at.desc()).limit(1)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return SealedSession(*row) if row else None

    async def park(self, session_id: str, now: datetime, reason: str) -> None:
        """Note that a session rests, and why."""
        mine = public_sessions.c.id == session_id
        async with self.database.write() as connection:
            await connection.execute(update(public_sessions).where(mine).values(parked_at=now, reason=reason))

    async def remove(self) -> bool:
        """Forget every session; tell whether there was one."""
        async with self.database.write() as connection:
            return (await connection.execute(delete(public_sessions))).rowcount > 0
