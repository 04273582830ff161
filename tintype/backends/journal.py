"""Events between processes that share nothing but the database: a short journal, read again and again.

The command line revokes a token while the server runs; without Redis the server learns of it here, within half a second.
Events that changed nothing stay in their own process, so that an idle house writes nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, Connection, Integer, String, Table, Text, bindparam, delete, func, insert, select

from tintype.backends.bus import Handler, MemoryBus, decode, encode
from tintype.backends.database import Database, Instant, metadata
from tintype.backends.statements import Statement
from tintype.errors import Trouble
from tintype.events import Event, MediaSynced

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.4
KEPT = timedelta(hours=1)
TIDY_EVERY = timedelta(minutes=1)

# Numbers are given out before transactions end, so a lower one may become visible after a higher one: look back so far.
LOOK_BACK = 200

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("node", String(32), nullable=False),
    Column("event", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # Without it SQLite gives the numbers of deleted rows out again, and readers that wait for higher ones hear nothing.
    sqlite_autoincrement=True,
)

_BEHIND = Statement(
    select(journal.c.id, journal.c.node, journal.c.event)
    .where(journal.c.id > bindparam("after"))
    .order_by(journal.c.id)
)
_WRITING = Statement(insert(journal))


class Journal:
    """A bus over the database's own journal: at once in this process, soon in the others.

    What is announced while the journal is written goes into the next writing, all of it at once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._near = MemoryBus()
        self._node = uuid4().hex
        self._last = 0
        self._heard: frozenset[int] = frozenset()
        self._reading: asyncio.Task[None] | None = None
        self._unwritten: list[Event] = []
        self._writing: asyncio.Task[None] | None = None
        self._tidied = datetime.fromtimestamp(0, UTC)

    async def publish(self, event: Event) -> None:
        """Announce an event here and to the other processes."""
        if isinstance(event, MediaSynced) and not event.changed:
            await self._near.publish(event)
            return
        self._unwritten.append(event)
        if self._writing is None or self._writing.done():
            # In a context of its own: it writes for others as well, whatever they are in the middle of.
            self._writing = asyncio.get_running_loop().create_task(self._write(), context=Context())
        writing = self._writing
        await self._near.publish(event)  # meanwhile, so that what its listeners store is stored together with it
        await asyncio.shield(writing)

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Call `handler` for every event from now on; the returned function ends that."""
        return self._near.subscribe(handler)

    async def start(self) -> None:
        """Begin to read what other processes announce."""
        self._last = (
            await self._database.look(lambda connection: connection.scalar(select(func.max(journal.c.id)))) or 0
        )
        await self._unread()
        self._reading = asyncio.create_task(self._read_on())

    async def close(self) -> None:
        """Write what is left, and stop reading."""
        if self._writing is not None:
            await self._writing
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def _write(self) -> None:
        while self._unwritten:
            events, self._unwritten = self._unwritten, []
            now = datetime.now(UTC)
            rows = [{"node": self._node, "event": encode(event).decode(), "at": now} for event in events]
            tidies = now - self._tidied > TIDY_EVERY
            try:
                await self._database.store(partial(_stored, rows=rows, forget_before=now - KEPT if tidies else None))
                self._tidied = now if tidies else self._tidied
            except Trouble as trouble:
                # What is announced is true all the same; others learn of it when they look for themselves.
                log.warning("%d events did not reach the other processes: %s", len(events), trouble.message)

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await self._unread()
            except Trouble:
                continue  # said once by the database; what was missed is read when it is back
            except Exception:
                log.exception("the journal could not be read; trying again")
                continue
            for event in found:
                await self._near.publish(event)

    async def _unread(self) -> list[Event]:
        after = {"after": self._last - LOOK_BACK}
        rows = await self._database.look(lambda connection: _BEHIND.all(connection, after))
        new = [text for number, node, text in rows if number not in self._heard and node != self._node]
        self._heard = frozenset(number for number, _, _ in rows)
        self._last = max([self._last, *self._heard])
        return [event for text in new if (event := decode(text.encode())) is not None]


def _stored(connection: Connection, rows: Sequence[dict[str, Any]], forget_before: datetime | None) -> None:
    if forget_before is not None:
        connection.execute(delete(journal).where(journal.c.at < forget_before))
    _WRITING.run_each(connection, rows)
