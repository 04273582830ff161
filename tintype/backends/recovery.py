"""Taking over the jobs of nodes that died, on Postgres: the engine itself leaves them where they are (stack.md, Traps).

Each node holds a session lock named after itself, which the database lets go of when the node's process is gone. Whoever
can take the lock of a node with unfinished jobs knows that it is dead, and gives those jobs back to the queue.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, lock_key

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.5

# Looks in a row that find a node without its lock before it counts as dead: when the database was restarted all of them
# have lost theirs for a moment, and their jobs are under way.
LOOKS = 3


@dataclass(slots=True)
class Watch:
    """One node's place among the others: `busy` names the nodes with unfinished jobs, `take_over` requeues those of one."""

    database: Database
    node: str
    busy: Callable[[], Awaitable[Iterable[str]]]
    take_over: Callable[[str], Awaitable[int]]
    seconds: float = LOOK_SECONDS
    _watching: asyncio.Task[None] | None = field(default=None, init=False)
    _looking: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def start(self) -> None:
        """Take this node's own lock, before it works any job; returns when the lock is held."""
        held = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(held))
        await held.wait()

    def look_after_others(self) -> None:
        """Take over, from now on, what dead nodes leave; the engine must be running."""
        self._looking.set()

    async def close(self) -> None:
        """Let go of the lock: what this node did not finish is the others' now."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self, held: asyncio.Event) -> None:
        while True:
            try:
                async with self.database.engine.connect() as connection:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key(self.node)})
                    try:
                        await self._look_on(connection, held)
                    finally:
                        # The session lives on in the pool, so its lock has to be given back by name. One that is dead, or was
                        # cut off in the middle of a look, has none, and its error must not stand in for being told to end.
                        with contextlib.suppress(SQLAlchemyError):
                            await connection.execute(text("SELECT pg_advisory_unlock_all()"))
            except Exception as error:  # noqa: BLE001 - whatever it is, a node without its lock loses its jobs to others
                held.set()  # a database that is away at the start is everybody's trouble, and said by others
                log.warning("other nodes are not looked after for now: %s", type(error).__name__)
                await asyncio.sleep(self.seconds)

    async def _look_on(self, connection: AsyncConnection, held: asyncio.Event) -> None:
        held.set()
        missed: dict[str, int] = {}
        while True:
            await connection.execute(text("SELECT 1"))  # raises when this session is gone, and with it the lock
            if self._looking.is_set():
                others = [node for node in await self.busy() if node != self.node]
                missed = {node: missed.get(node, 0) + 1 for node in others if not await self._holds(connection, node)}
                for node in [node for node, looks in missed.items() if looks >= LOOKS]:
                    await self._inherit(connection, node)
            await asyncio.sleep(self.seconds)

    async def _holds(self, connection: AsyncConnection, node: str) -> bool:
        """Tell whether a node has its lock."""
        key = {"key": self._key(node)}
        free = (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key)).scalar_one()
        if free:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
        return not free

    async def _inherit(self, connection: AsyncConnection, node: str) -> None:
        key = {"key": self._key(node)}
        if not (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key)).scalar_one():
            return
        try:
            log.warning("node %s is gone; %d of its jobs go on here", node, await self.take_over(node))
        finally:
            with contextlib.suppress(SQLAlchemyError):  # as above
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    def _key(self, node: str) -> int:
        return lock_key(f"node:{node}")
