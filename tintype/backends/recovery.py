"""Going on with what dead nodes left, on Postgres: by the fact that they are dead, before their leases are over.

Each node that works holds a session lock named after itself, which the database lets go of when the node's process is gone, and
is listed while it may hold anything. Whoever can take the lock of a listed node knows that it is dead, ends the leases under its name
and gives its jobs back to the queue. A node that lives and is only slow keeps its lock; that its leases are over is the second net.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Column, String, Table, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, lock_key, metadata

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

# Looks in a row that find a node without its lock before it counts as dead. One whose connection was cut takes it again within two.
# When the database was restarted all of them have lost theirs, and each has to have the time to come back.
LOOKS, LOOKS_AFTER_LOSS = 3, 6

PATIENCE = 30.0  # seconds for one look, before the database counts as gone

# The database lets go of a node whose machine is gone, and says no good-bye, after these seconds: idle, between tries, and tries.
_KEEPALIVE = (2, 1, 3)

nodes = Table("nodes", metadata, Column("name", String(80), primary_key=True))

_LOCK = text("SELECT pg_advisory_lock(:key)")
_TRY = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")
_HELD = text(
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


async def _nobody() -> set[str]:
    return set()


@dataclass(slots=True)
class Watch:
    """One node's place among the others; `heirs` go on, one after the other, with what a dead node of a name left.

    `busy` names nodes with unfinished jobs, which may be of a version that lists none.
    """

    database: Database
    node: str
    busy: Callable[[], Awaitable[Iterable[str]]] = _nobody
    heirs: list[Callable[[str], Awaitable[int]]] = field(default_factory=list[Callable[[str], Awaitable[int]]])
    seconds: float = LOOK_SECONDS
    _watching: asyncio.Task[None] | None = field(default=None, init=False)
    _inheriting: bool = field(default=False, init=False)

    async def start(self) -> None:
        """Take this node's own lock, before it works anything; returns when the lock is held."""
        held = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(held))
        await held.wait()

    def look_after_others(self) -> None:
        """Take over, from now on, what dead nodes leave; the engine must be running."""
        self._inheriting = True

    async def close(self) -> None:
        """Let go of the lock: what this node did not finish is the others' now."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self, held: asyncio.Event) -> None:
        assert self.database.lock_engine is not None
        looks = LOOKS
        while True:
            had = False
            try:
                async with self.database.lock_engine.connect() as connection:  # its end is the end of the lock
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await self._enlist(connection)
                    held.set()
                    had = True
                    await self._look_on(connection, looks)
            except Exception as error:  # noqa: BLE001 - whatever it is, a node without its lock loses its work to others
                held.set()  # a database that is away at the start is everybody's trouble, and said by others
                log.warning("other nodes are not looked after for now: %s", type(error).__name__)
            looks = LOOKS_AFTER_LOSS
            if not had:
                await asyncio.sleep(self.seconds)

    async def _enlist(self, connection: AsyncConnection) -> None:
        for name, value in zip(("idle", "interval", "count"), _KEEPALIVE, strict=True):
            await connection.execute(text(f"SET tcp_keepalives_{name} = {value}"))
        await connection.execute(_LOCK, {"key": _key(self.node)})
        await connection.execute(insert(nodes).values(name=self.node).on_conflict_do_nothing())

    async def _look_on(self, connection: AsyncConnection, looks: int) -> None:
        missed: dict[str, int] = {}
        while True:
            async with asyncio.timeout(PATIENCE):
                gone = await self._gone(connection)  # raises when this session is gone, and with it the lock
            missed = {node: missed.get(node, 0) + 1 for node in gone}
            if self._inheriting:
                for node in [node for node, count in missed.items() if count >= looks]:
                    await self._inherit(connection, node)
            if not missed:
                looks = LOOKS  # all are back
            await asyncio.sleep(self.seconds)

    async def _gone(self, connection: AsyncConnection) -> list[str]:
        """Return the nodes that may hold something and are without their locks."""
        # In this order: who is listed had its lock before.
        listed = set((await connection.execute(select(nodes.c.name))).scalars())
        named = (listed | await self._busy()) - {self.node}
        if not named:
            return []
        held = set((await connection.execute(_HELD)).scalars())
        return sorted(node for node in named if _key(node) not in held)

    async def _busy(self) -> set[str]:
        try:
            return set(await self.busy()) if self._inheriting else set()
        except Exception as error:  # noqa: BLE001 - asked again in a moment, and no reason to let go of the lock
            log.warning("nobody knows for now whose jobs are unfinished: %s", type(error).__name__)
            return set()

    async def _inherit(self, connection: AsyncConnection, node: str) -> None:
        key = {"key": _key(node)}
        if not (await connection.execute(_TRY, key)).scalar_one():
            return
        try:
            left = sum([await heir(node) for heir in self.heirs])
            await connection.execute(delete(nodes).where(nodes.c.name == node))
            log.warning("node %s is gone; %d things that it had go on elsewhere", node, left)
        except Exception as error:  # noqa: BLE001 - as it stays listed, the next look tries again
            log.warning("what node %s left does not go on yet: %s", node, type(error).__name__)
        finally:
            with contextlib.suppress(SQLAlchemyError):  # the session may be gone, and with it the lock
                await connection.execute(_UNLOCK, key)


async def living(database: Database) -> list[str]:
    """Return the names of the nodes that work now: they are listed, and hold their lock."""
    async with database.read() as connection:
        held = set((await connection.execute(_HELD)).scalars())
        return [name for name in (await connection.execute(select(nodes.c.name))).scalars() if _key(name) in held]


def _key(node: str) -> int:
    return lock_key(f"node:{node}")
