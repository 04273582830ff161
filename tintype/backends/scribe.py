"""Reads and writes SQLite where it is asked to, in the loop's own thread, and commits for many at once.

A statement on a few rows takes SQLite some ten microseconds; handing it to a thread and hearing of its end takes ten times
that. Only what waits for the disk is done by a thread: a commit that has to outlive a power cut, and now and then the log's
way into the file. Whoever asks for something to be stored meanwhile goes into the next transaction, all of them together.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from tintype.backends.statements import said

T = TypeVar("T")

PATIENCE_SECONDS = 10.0  # for another process that writes
LOOK_SECONDS = 0.005  # between two looks whether it has ended
BEGIN = "BEGIN IMMEDIATE"
COMMITS = 128  # of a few pages each, between two times that the log is brought into the file


@dataclass(slots=True)
class _Order:
    """Something to be stored, and whoever waits for that."""

    work: Callable[[Connection], Any]
    durable: bool
    done: "asyncio.Future[Any]"
    given: Any = None

    def settle(self, failure: Exception | None = None) -> None:
        """Tell whoever waits, if anybody still does."""
        if self.done.done():
            return
        if failure is None:
            self.done.set_result(self.given)
        else:
            self.done.set_exception(failure)


@dataclass(slots=True)
class Scribe:
    """One reading and one writing connection of this process; `turn` is that of its writers."""

    engine: Engine
    turn: asyncio.Lock
    _reading: Connection | None = None
    _writing: Connection | None = None
    _durable: bool | None = None
    _commits: int = 0  # since the log was begun anew
    _orders: list[_Order] = field(default_factory=list[_Order])
    _work: "asyncio.Task[None] | None" = None
    _committing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "commit"))

    def look(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` finds, all of it as it was at one moment; it must be little, for the whole process waits."""
        if self._reading is None:
            self._reading = self.engine.connect()
        driver: Any = self._reading.connection.driver_connection
        driver.execute("BEGIN")
        try:
            return work(self._reading)
        finally:
            self._reading.rollback()
            driver.rollback()  # also where nothing was asked

    async def store(self, work: Callable[[Connection], T], *, durable: bool) -> T:
        """Do `work` in a transaction, perhaps together with others' work, and return what it gave once it is stored.

        What it raises is raised here, and then nothing of it is stored. It may be done twice, so it changes nothing else.
        """
        loop = asyncio.get_running_loop()
        order = _Order(work, durable, loop.create_future())
        self._orders.append(order)
        if self._work is None or self._work.done():
            # In a context of its own: it writes for others as well, whatever they are in the middle of.
            self._work = loop.create_task(self._run(), context=Context())
        return await order.done

    async def close(self) -> None:
        """Store what is left, and close the connections."""
        if self._work is not None:
            await self._work
        for connection in (self._reading, self._writing):
            if connection is not None:
                connection.close()
        self._reading = self._writing = None
        self._committing.shutdown()
        self.engine.dispose()

    async def _run(self) -> None:
        while self._orders:
            async with self.turn:
                orders, self._orders = [order for order in self._orders if not order.done.done()], []
                try:
                    await self._together(orders)
                except Exception as failure:  # noqa: BLE001 - it is raised where the order was given
                    for order in orders:
                        order.settle(failure)
                if self._commits >= COMMITS:
                    await self._bring_in()

    async def _together(self, orders: Sequence[_Order]) -> None:
        """Do several orders in one transaction; when one of them fails, each in one of its own."""
        connection = await self._begun(durable=any(order.durable for order in orders))
        driver: Any = connection.connection.driver_connection
        try:
            for order in orders:
                try:
                    order.given = order.work(connection)
                except Exception as failure:  # noqa: BLE001 - the same
                    if len(orders) == 1:
                        order.settle(failure)
                    break
            else:
                await self._commit(connection)
                for order in orders:
                    order.settle()
        finally:
            connection.rollback()
            driver.rollback()  # of what was committed, nothing
        for order in orders:
            if not order.done.done():
                await self._together([order])

    async def _commit(self, connection: Connection) -> None:
        """Commit, in a thread where that may wait for the disk: a log's first commit always does."""
        loop = asyncio.get_running_loop()
        if self._durable or not self._commits:
            await loop.run_in_executor(self._committing, _commit, connection)
        else:
            _commit(connection)
        self._commits += 1

    async def _bring_in(self) -> None:
        """Bring the log into the file, so that it begins anew."""
        assert self._writing is not None
        # What is wrong with the disk is said to whoever stores something, and a longer log is no loss.
        with suppress(sqlite3.Error):
            await asyncio.get_running_loop().run_in_executor(self._committing, _bring_in, self._writing)
        self._commits = 0

    async def _begun(self, *, durable: bool) -> Connection:
        """Return the writing connection with a transaction that holds the write lock."""
        if self._writing is None:
            self._writing = self.engine.connect()
            self._writing.exec_driver_sql("PRAGMA busy_timeout=0")  # nobody waits in the loop's thread
            self._writing.exec_driver_sql("PRAGMA wal_autocheckpoint=0")  # nor for the disk
        connection, loop = self._writing, asyncio.get_running_loop()
        driver: Any = connection.connection.driver_connection
        if durable is not self._durable:  # remembered, so that most transactions need not say it again
            driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        until = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                driver.execute(BEGIN)
            except sqlite3.Error as error:
                if not _is_busy(error) or loop.time() > until:
                    raise said(error, BEGIN, connection.dialect) from error
            else:
                return connection
            await asyncio.sleep(LOOK_SECONDS)


def _bring_in(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # one that was not read to its end forbids commits


def _commit(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        driver.commit()
    except sqlite3.Error as error:
        raise said(error, "COMMIT", connection.dialect) from error


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
