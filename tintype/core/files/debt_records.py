"""The table of debts and its SQL: places in stores that hold, or may hold, bytes nobody refers to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, upsert
from tintype.core.files.tables import debts, files
from tintype.errors import Conflict

BATCH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A place in one store."""

    store: str
    place: str


@dataclass(frozen=True, slots=True)
class DebtRecords:
    """The table of debts, one short transaction a method; the others take part in a transaction that is open."""

    database: Database

    async def owe(self, place: Place, now: datetime) -> None:
        """Write down that a place is about to hold bytes which nobody refers to yet.

        Raises `Conflict` for a place that a file has already, or that somebody else is writing to.
        """
        taken = select(files.c.number).where(files.c.store == place.store, files.c.place == place.place)
        try:
            async with self.database.write() as connection:
                # First the debt, which waits for whoever is storing there: only then is it known what they have stored.
                await connection.execute(insert(debts).values(_row(place, False, now)))
                if await connection.scalar(taken) is not None:
                    raise Conflict(f"another file lies at {place.place!r}; overwrite that one, or choose another path")
        except IntegrityError:
            raise Conflict(
                f"somebody else is storing a file at {place.place!r}; try again, or choose another path"
            ) from None

    async def undo(self, place: Place) -> bool:
        """Let go of a place that nobody refers to yet; False: somebody does."""
        mine = _at(place) & debts.c.leaving.is_(False)
        async with self.database.write() as connection:
            return (await connection.execute(update(debts).where(mine).values(leaving=True))).rowcount > 0

    async def settle(self, connection: AsyncConnection, place: Place) -> bool:
        """Strike out a debt because somebody refers to its place now; False: the sweep took it already."""
        mine = _at(place) & debts.c.leaving.is_(False)
        return (await connection.execute(delete(debts).where(mine))).rowcount > 0

    async def leave(self, connection: AsyncConnection, places: Sequence[Place], now: datetime) -> None:
        """Write down that nobody refers to some places any more, so that what lies there is to go."""
        await upsert(connection, debts, [_row(place, True, now) for place in places])

    async def condemn(self, before: datetime, now: datetime, limit: int = BATCH) -> Sequence[Place]:
        """Return debts that are to be paid now: of what was let go, and of writes begun `before` and never finished."""
        old = debts.c.leaving.is_(True) | (debts.c.since <= before)
        async with self.database.write() as connection:
            rows = await connection.execute(select(debts.c.store, debts.c.place).where(old).limit(limit))
            found = [Place(row.store, row.place) for row in rows]
            for place in found:
                await connection.execute(update(debts).where(_at(place)).values(leaving=True))
        return found

    async def forget(self, places: Sequence[Place]) -> None:
        """Strike out debts that are paid."""
        async with self.database.write() as connection:
            for place in places:
                await connection.execute(delete(debts).where(_at(place) & debts.c.leaving.is_(True)))


def _at(place: Place) -> Any:
    return (debts.c.store == place.store) & (debts.c.place == place.place)


def _row(place: Place, leaving: bool, now: datetime) -> dict[str, Any]:
    return {"store": place.store, "place": place.place, "leaving": leaving, "since": now}
