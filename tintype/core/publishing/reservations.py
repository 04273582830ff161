"""The table of publishing quotas, and the places in them that posts under way hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Row, String, Table, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, metadata, upsert
from tintype.core.publishing.model import ENDED, Post, Quota, State
from tintype.core.publishing.records import posts

quotas = Table(
    "publishing_quotas",
    metadata,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("used", Integer),
    Column("total", Integer),
    Column("window_seconds", Integer),
    Column("read_at", Instant),
    Column("resting_until", Instant),  # Instagram suspects spam: nothing is published before
)

_UNDER_WAY = [state.value for state in set(State) - ENDED - {State.DRAFT}]
_LIVE = [State.PUBLISHED.value, State.UNLINKED.value]


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's quota with what is reserved of it, and until when the account rests."""

    quota: Quota
    resting_until: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Tell whether nothing may be published now, whatever the quota is."""
        return self.resting_until is not None and self.resting_until > now

    def is_known_since(self, moment: datetime) -> bool:
        """Tell whether Instagram was asked at that moment or later."""
        return self.quota.read_at is not None and self.quota.read_at > moment


@dataclass(frozen=True, slots=True)
class Reservations:
    """Reads and writes quotas, one short transaction a method."""

    database: Database

    async def standing(self, account_id: str) -> Standing:
        """Return how an account's quota stands."""
        async with self.database.read() as connection:
            return await _standing(connection, await _row(connection, account_id), account_id)

    async def read(
        self, account_id: str, used: int | None, total: int | None, window: int | None, at: datetime
    ) -> None:
        """Store what Instagram says of a quota; `at` is the moment before it was asked."""
        row = {"account_id": account_id, "used": used, "total": total, "window_seconds": window, "read_at": at}
        async with self.database.write() as connection:
            await upsert(connection, quotas, [row])

    async def rest(self, account_id: str, until: datetime) -> None:
        """Let an account rest."""
        async with self.database.write() as connection:
            await upsert(connection, quotas, [{"account_id": account_id, "resting_until": until}])

    async def hold(self, post: Post, now: datetime, *, known_since: datetime | None) -> tuple[bool, Standing]:
        """Hold a place for a post; tell whether it has one, and how the quota stands.

        Of many who ask at once no more get one than there are; those that are due as well and were due earlier go first.
        Nobody gets one while the account rests, or while Instagram's word is older than `known_since`.
        """
        async with self.database.write() as connection:
            row = await _row(connection, post.account_id, lock=True)
            standing = await _standing(connection, row, post.account_id, beside=post.id)
            if standing.rests(now) or (known_since is not None and not standing.is_known_since(known_since)):
                return False, standing
            remaining = standing.quota.remaining
            if remaining is not None and remaining <= await _ahead(connection, post, now, remaining):
                return False, standing
            mine = (posts.c.id == post.id) & (posts.c.fence == post.fence)
            await connection.execute(update(posts).where(mine).values(reserved_at=now))
            return True, standing

    async def frees_at(self, account_id: str, window: timedelta, now: datetime) -> datetime | None:
        """Return when the oldest post of the window leaves it, as far as it was published here."""
        recent = (posts.c.account_id == account_id) & (posts.c.published_at > now - window)
        async with self.database.read() as connection:
            oldest = await connection.scalar(select(func.min(posts.c.published_at)).where(recent))
        return oldest + window if oldest else None


async def _ahead(connection: AsyncConnection, post: Post, now: datetime, most: int) -> int:
    """Count those that a post must let go first, up to `most`."""
    waiting = (
        (posts.c.account_id == post.account_id) & (posts.c.state == State.SCHEDULED.value) & (posts.c.due_at <= now)
    )
    wanted, mine = func.coalesce(posts.c.scheduled_at, posts.c.created_at), post.scheduled_at or post.created_at
    earlier = or_(wanted < mine, and_(wanted == mine, posts.c.id < post.id))
    found = select(posts.c.id).where(waiting, posts.c.reserved_at.is_(None), earlier).limit(most)
    return await connection.scalar(select(func.count()).select_from(found.subquery())) or 0


async def _row(connection: AsyncConnection, account_id: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(quotas).where(quotas.c.account_id == account_id)
    return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()


async def _standing(
    connection: AsyncConnection, row: Row[Any] | None, account_id: str, *, beside: int | None = None
) -> Standing:
    """Count what is held: by posts under way, and by those published since Instagram was asked, which it may not know."""
    if row is None:
        return Standing(Quota(None, None, None, 0, None))
    under_way = posts.c.state.in_(_UNDER_WAY)
    published = posts.c.state.in_(_LIVE)
    if row.read_at is not None:
        since = func.coalesce(posts.c.published_at, posts.c.publish_started_at)
        published = and_(published, since >= row.read_at)
    held = (posts.c.account_id == account_id) & posts.c.reserved_at.is_not(None) & or_(under_way, published)
    if beside is not None:
        held &= posts.c.id != beside
    reserved = await connection.scalar(select(func.count()).select_from(posts).where(held)) or 0
    return Standing(Quota(row.used, row.total, row.window_seconds, reserved, row.read_at), row.resting_until)
