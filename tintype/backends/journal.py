"""Events between processes that share nothing but the database: a short journal, read again and again.

The command line revokes a token while the server runs; without Redis the server learns of it here, within half a second.
Events that changed nothing stay in their own process, so that an idle house writes nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Column, Integer, String, Table, Text, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.bus import Handler, MemoryBus, decode, encode
from tintype.backends.database import Database, Instant, metadata
from tintype.errors import Trouble
from tintype.events import Event, MediaSynced

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.4
KEPT = timedelta(hours=1)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("node", String(32), nullable=False),
    Column("event", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


class Journal:
    """A bus over the database's own journal: at once in this process, soon in the others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._near = MemoryBus()
        self._node = uuid4().hex
        self._last = 0
        self._reading: asyncio.Task[None] | None = None

    async def publish(self, event: Event) -> None:
        """Announce an event here and to the other processes."""
        await self._near.publish(event)
        if isinstance(event, MediaSynced) and not event.changed:
            return
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            await connection.execute(delete(journal).where(journal.c.at < now - KEPT))
            await connection.execute(insert(journal).values(node=self._node, event=encode(event).decode(), at=now))

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Call `handler` for every event from now on; the returned function ends that."""
        return self._near.subscribe(handler)

    async def start(self) -> None:
        """Begin to read what other processes announce."""
        async with self._database.read() as connection:
            self._last = (await connection.execute(select(func.max(journal.c.id)))).scalar_one() or 0
        self._reading = asyncio.create_task(self._read_on())

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with self._database.read() as connection:
                    found = await self._unread(connection)
            except Trouble:
                continue  # said once by the database; what was missed is read when it is back
            for event in found:
                await self._near.publish(event)

    async def _unread(self, connection: AsyncConnection) -> list[Event]:
        query = select(journal).where(journal.c.id > self._last).order_by(journal.c.id)
        rows = (await connection.execute(query)).all()
        if rows:
            self._last = rows[-1].id
        events = [decode(row.event.encode()) for row in rows if row.node != self._node]
        return [event for event in events if event is not None]
