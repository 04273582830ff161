"""The tables of sessions and of wrong passwords, and their SQL: what must hold across processes and restarts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, metadata
from tintype.core.access.attempts import Tally

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

attempts = Table(
    "login_attempts",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("recent", Integer, nullable=False),
    Column("in_a_row", Integer, nullable=False),
    Column("locked_until", Instant),
    Index(None, "since"),
)

KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class SessionRecords:
    """Reads and writes sessions: one row for all refresh tokens that came from one login, one after the other."""

    database: Database

    async def begin(self, session_id: str, user_id: int, digest: str, at: datetime, until: datetime) -> None:
        """Store a session whose present refresh token has this digest; forget those that ended by themselves."""
        row = {"id": session_id, "user_id": user_id, "digest": digest, "created_at": at, "expires_at": until}
        async with self.database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at < at - KEPT))
            await connection.execute(insert(sessions).values(row))

    async def turn(self, session_id: str, digest: str, following: str, until: datetime) -> bool:
        """Put the next refresh token in the place of the present one; False: it is not the present one any more."""
        query = update(sessions).where(
            sessions.c.id == session_id, sessions.c.digest == digest, sessions.c.ended_at.is_(None)
        )
        async with self.database.write() as connection:
            return (await connection.execute(query.values(digest=following, expires_at=until))).rowcount > 0

    async def end(self, session_id: str, at: datetime) -> None:
        """End a session with all its tokens."""
        query = update(sessions).where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        async with self.database.write() as connection:
            await connection.execute(query.values(ended_at=at))

    async def end_all(self, user_id: int, at: datetime) -> None:
        """End all sessions of a user."""
        query = update(sessions).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        async with self.database.write() as connection:
            await connection.execute(query.values(ended_at=at))


@dataclass(frozen=True, slots=True)
class AttemptRecords:
    """Counts wrong passwords by account and by address; see `attempts.Tally` for what the counts mean."""

    database: Database

    async def claim(self, account: str, address: str, now: datetime) -> None:
        """Count one attempt as wrong before it is looked at, so that many at once are no way around.

        Raises what `Tally.check` raises, and then counts nothing. Only accounts are locked: many share an address.
        """
        async with self.database.write() as connection:
            await connection.execute(delete(attempts).where(attempts.c.since < now - KEPT))
            found = [await _tally(connection, digest, now) for digest in (account, address)]
            for tally in found:
                tally.check(now)
            await _store(connection, account, found[0].failed(now, locks=True))
            await _store(connection, address, found[1].failed(now, locks=False))

    async def clear(self, account: str, address: str, now: datetime) -> None:
        """Forget a claimed attempt that turned out right: the account begins anew, the address loses this one."""
        async with self.database.write() as connection:
            await _tally(connection, account, now)
            tally = await _tally(connection, address, now)
            await _store(connection, account, Tally(now))
            await _store(connection, address, tally.forgiven())


async def _tally(connection: AsyncConnection, digest: str, now: datetime) -> Tally:
    """Return a count and hold its row until the transaction ends; the first time it is made."""
    put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    query = put(attempts).values(digest=digest, since=now, recent=0, in_a_row=0)
    held = query.on_conflict_do_update(index_elements=["digest"], set_={"recent": attempts.c.recent})
    row = (await connection.execute(held.returning(attempts))).one()
    return Tally(row.since, row.recent, row.in_a_row, row.locked_until)


async def _store(connection: AsyncConnection, digest: str, tally: Tally) -> None:
    counts = {"since": tally.since, "recent": tally.recent, "in_a_row": tally.in_a_row}
    query = update(attempts).where(attempts.c.digest == digest)
    await connection.execute(query.values(**counts, locked_until=tally.locked_until))
