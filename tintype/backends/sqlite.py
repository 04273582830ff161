"""SQLite's connections with one hop to their thread for a statement, where the driver takes four.

A hop wakes a thread and then the loop, which costs more than most statements do. So a statement is run and read in one, BEGIN
goes with the first statement after it, and nobody waits for a rollback: the thread does one thing after the other.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiosqlite import Connection
from sqlalchemy import event
from sqlalchemy.engine import Engine

T = TypeVar("T")


def connect_directly(engine: Engine) -> None:
    """Let an engine of the driver aiosqlite open connections of this kind."""

    def choose(dialect: object, record: object, given: object, more: dict[str, Any]) -> None:
        del dialect, record, given
        more["async_creator_fn"] = _connect

    event.listen(engine, "do_connect", choose)


def _connect(database: str, **options: Any) -> "_Connection":
    made = _Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    made._thread.daemon = True  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - as SQLAlchemy does with its own
    return made


class _Connection(Connection):
    beginning: str | None = None  # a BEGIN that was not sent yet

    def cursor(self) -> Any:
        """Return a cursor, which costs nothing until it is used."""
        return _Cursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the work returns, done in the connection's thread."""
        begin, self.beginning = self.beginning, None

        def begun() -> T:
            if begin is not None:
                self._conn.execute(begin)
            return work(self._conn)

        done: T = await self._execute(begun)  # pyright: ignore[reportUnknownMemberType] - the driver leaves it untyped
        return done

    async def commit(self) -> None:
        """Commit what was begun, if anything was."""
        if self.beginning is None:
            await super().commit()
        self.beginning = None

    async def rollback(self) -> None:
        """Undo what was begun, before anything else is done on this connection."""
        if self.beginning is None and self._running:
            self._tx.put_nowait((None, self._conn.rollback))  # pyright: ignore[reportUnknownMemberType] - the same
        self.beginning = None


class _Cursor:
    """A statement and all of its rows, as SQLAlchemy asks a driver for them."""

    arraysize = 1

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> None:
        """Run a statement and read its rows."""
        if operation.startswith("BEGIN"):
            self._connection.beginning = operation
            return
        await self._connection.run(lambda connection: self._keep(connection.execute(operation, parameters)))

    async def executemany(self, operation: str, parameters: Any) -> None:
        """Run a statement once for each set of parameters."""
        await self._connection.run(lambda connection: self._keep(connection.executemany(operation, parameters)))

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""

    def _keep(self, found: sqlite3.Cursor) -> None:
        self.description = found.description
        self._rows = found.fetchall() if found.description else ()
        self.rowcount, self.lastrowid = found.rowcount, found.lastrowid
        found.close()
