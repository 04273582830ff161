"""The table of what was made of files, and its SQL: one row for each canonical form of one version of a file."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database
from tintype.core.files.debt_records import DebtRecords, Place
from tintype.core.files.model import HOME, File, Overtaken
from tintype.core.files.tables import derived, files
from tintype.errors import NotFound, TooLarge, Unavailable

Beside = Callable[[AsyncConnection], Awaitable[None]]

_COLUMNS = (
    "handle",
    "digest",
    "version",
    "content_type",
    "place",
    "size",
    "width",
    "height",
    "etag",
    "made_at",
    "used_at",
)


@dataclass(frozen=True, slots=True)
class Made:
    """A made picture as it is recorded: which plan's, where it lies, and what it is."""

    handle: str
    digest: str
    version: int
    content_type: str
    place: str
    size: int
    width: int
    height: int
    etag: str
    made_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class DerivedRecords:
    """Reads and writes what was made of files, one short transaction a method."""

    database: Database
    debts: DebtRecords

    async def get(self, handle: str, digest: str) -> Made | None:
        """Return what was made of a file by a plan."""
        query = select(derived).where(derived.c.handle == handle, derived.c.digest == digest)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _made(row) if row else None

    async def count(self, handle: str) -> int:
        """Return how many different things were made of a file."""
        async with self.database.read() as connection:
            return await _count(connection, handle)

    async def add(self, file: File, made: Made, quota: int | None, beside: Beside) -> None:
        """Record what was made and lies at its place already.

        Raises `Overtaken` when the file was overwritten meanwhile, `NotFound` when it was removed, `TooLarge` beyond the quota.
        """
        async with self.database.write() as connection:
            mine = (files.c.handle == file.handle) & files.c.removed_at.is_(None)
            version = await connection.scalar(select(files.c.version).where(mine).with_for_update())
            if version is None:
                raise NotFound("the file was removed while it was converted")
            if version != made.version:
                raise Overtaken("the file was overwritten while it was converted; ask again")
            same = (derived.c.handle == made.handle) & (derived.c.digest == made.digest)
            if await connection.scalar(select(derived.c.digest).where(same)) is not None:
                await self.debts.leave(connection, [Place(HOME, made.place)], made.made_at)
                return  # another node made the same
            if not await self.debts.settle(connection, Place(HOME, made.place)):
                raise Unavailable("converting the file took too long; ask again", retry_after=1)
            if quota is not None and await _count(connection, file.handle) >= quota:
                raise beyond(quota)
            await connection.execute(insert(derived).values({name: getattr(made, name) for name in _COLUMNS}))
            await beside(connection)

    async def used(self, made: Made, now: datetime) -> None:
        """Note that something is still wanted."""
        mine = (derived.c.handle == made.handle) & (derived.c.digest == made.digest)
        async with self.database.write() as connection:
            await connection.execute(update(derived).where(mine).values(used_at=now))

    async def let_go(self, found: Sequence[Made], now: datetime) -> Sequence[Place]:
        """Forget what was made; return the places that are let go."""
        places: list[Place] = []
        async with self.database.write() as connection:
            for one in found:
                mine = (derived.c.handle == one.handle) & (derived.c.digest == one.digest)
                unchanged = mine & (derived.c.used_at == one.used_at)
                if (await connection.execute(delete(derived).where(unchanged))).rowcount:
                    places.append(Place(HOME, one.place))
            await self.debts.leave(connection, places, now)
        return places

    async def unused(self, before: datetime, limit: int) -> Sequence[Made]:
        """Return what nobody has wanted since."""
        query = select(derived).where(derived.c.used_at <= before).order_by(derived.c.used_at).limit(limit)
        async with self.database.read() as connection:
            return [_made(row) for row in await connection.execute(query)]


def beyond(quota: int) -> TooLarge:
    """Return the refusal of one more form of a file."""
    return TooLarge(
        f"{quota} different conversions of this file were made, which is its quota; use one of those, or a preset"
    )


async def _count(connection: AsyncConnection, handle: str) -> int:
    query = select(func.count()).select_from(derived).where(derived.c.handle == handle)
    return await connection.scalar(query) or 0


def _made(row: Row[Any]) -> Made:
    return Made(**{name: getattr(row, name) for name in _COLUMNS})
