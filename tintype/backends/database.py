"""The database behind every `records.py`: SQLite in WAL or Postgres by URL, in short transactions only.

Tables are declared where their SQL is, in the packages' `records.py`, on the `metadata` below. While a transaction is
open nobody may wait for the world: `in_transaction()` lets `outbound` refuse to.
"""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Insert,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from tintype.backends.scribe import Scribe
from tintype.backends.sqlite import connect_directly
from tintype.backends.statements import Statement
from tintype.errors import Invalid, Misconfigured, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON().with_variant(JSONB(), "postgresql")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
_ROOM_SECONDS = 30  # nobody makes room within one
_DISK_FULL = "53100"  # as PostgreSQL says it

_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: aware on both sides, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone, and store the others as UTC."""
        del dialect
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment in UTC."""
        del dialect
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what writes a moment; SQLite keeps texts, which are made here because every row has some."""
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what reads a moment."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone before it is stored")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _written(value: datetime | None) -> str | None:
    return None if value is None else _in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _read(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("the database has no connection to spare; try again", retry_after=1) from error
    except DataError as error:
        # Whoever asked named a text or a number that no column holds; what it was is nobody's business in the log.
        log.warning("the database does not take a value: %s", type(error.orig).__name__)
        raise Invalid("a text or a number is none that can be kept here") from error
    except OverflowError as error:  # SQLite's driver says it before anything is asked
        raise Invalid("a number is too large to be kept here") from error
    except (OperationalError, InterfaceError) as error:
        raise unavailable(error) from error


def unavailable(error: OperationalError | InterfaceError) -> Unavailable:
    """Return what a driver's refusal means for whoever asked, after it was logged."""
    cannot_write = _cannot_write(error.orig)
    log.error("the database %s: %s", "cannot be written" if cannot_write else "does not answer", error.orig)
    if cannot_write:
        return Unavailable("the database cannot be written; is its disk full?", retry_after=_ROOM_SECONDS)
    return Unavailable("the database does not answer; try again", retry_after=1)


def _cannot_write(refusal: object) -> bool:
    if isinstance(refusal, sqlite3.Error):
        return getattr(refusal, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
    return getattr(refusal, "sqlstate", None) == _DISK_FULL


def in_transaction() -> bool:
    """Tell whether the running task holds a transaction open."""
    return _open.get()


@dataclass(frozen=True, slots=True)
class Database:
    """Hands out short transactions; `read` sees a snapshot, `write` commits when its block ends well."""

    engine: AsyncEngine
    url: str
    lock_engine: AsyncEngine | None = None
    locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # of this process's writers, on SQLite
    scribe: Scribe | None = None  # on SQLite

    @property
    def is_sqlite(self) -> bool:
        """Tell whether one process writes, as SQLite wants it."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Open a connection for reading.

        Raises `Unavailable` when the database does not answer.
        """
        with _translated():
            async with self.engine.connect() as connection:
                token = _open.set(True)
                try:
                    yield connection
                finally:
                    _open.reset(token)

    @asynccontextmanager
    async def write(self, *, durable: bool = False) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that holds the write lock from its first statement on, so that none fails half-way.

        What a `durable` one stored outlives a power cut as well, on SQLite too. Raises `Unavailable` when the database
        does not answer.
        """
        # SQLite lets whoever happens to look again next have its lock, so under load somebody never gets it: we queue.
        async with self.turn if self.is_sqlite else nullcontext(), self._writing(durable=durable) as connection:
            yield connection

    @asynccontextmanager
    async def _writing(self, *, durable: bool) -> AsyncGenerator[AsyncConnection]:
        with _translated():
            async with self.engine.connect() as connection:
                if self.is_sqlite:
                    synchronous = "FULL" if durable else "NORMAL"
                    await connection.execution_options(sqlite_begin="IMMEDIATE", sqlite_synchronous=synchronous)
                token = _open.set(True)
                try:
                    async with connection.begin():
                        yield connection
                finally:
                    _open.reset(token)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` finds, as it was at one moment. On SQLite the process waits for it: a few rows by their key.

        Raises `Unavailable` as `read` does.
        """
        if self.scribe is not None:
            with _translated():
                return self.scribe.look(work)
        async with self.read() as connection:
            return await connection.run_sync(work)

    async def store(self, work: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Do `work` in a short transaction as `write` opens it, and return what it gave once that is stored.

        What several ask for at the same moment SQLite stores in one; what one of them raises concerns him alone. Work may
        be done twice, so it changes nothing but rows. Raises `Unavailable` as `write` does.
        """
        if self.scribe is not None:
            if in_transaction():
                raise RuntimeError("a transaction is open here already, and it would wait for itself")
            with _translated():
                return await self.scribe.store(work, durable=durable)
        async with self.write(durable=durable) as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncGenerator[None]:
        """Hold a named lock against every task of every node; a killed process lets go of it.

        On Postgres it is an advisory lock of a connection of its own, outside of any transaction and of the pool that
        requests need. On SQLite one process works, so a lock of that process does.
        """
        if self.is_sqlite:
            lock = self.locks.setdefault(name, asyncio.Lock())
            async with lock:
                yield
            return
        assert self.lock_engine is not None
        with _translated():
            connection = await self.lock_engine.connect()
        try:
            with _translated():
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": lock_key(name)})
            yield
        finally:
            await connection.close()  # ends the session, and with it the lock

    async def close(self) -> None:
        """Close every connection."""
        if self.scribe is not None:
            await self.scribe.close()
        await self.engine.dispose()
        if self.lock_engine is not None:
            await self.lock_engine.dispose()

    async def check(self) -> None:
        """Raise the driver's error when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def lock_key(name: str) -> int:
    """Return the number under which Postgres keeps an advisory lock of this name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


async def upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]], *, keep: frozenset[str] = frozenset()
) -> None:
    """Insert or update rows by primary key, writing nothing where all values are the same already.

    Columns in `keep` are set by an insert and left alone by an update. All rows must have the same keys.
    """
    if rows:
        await connection.execute(_upserting(connection.dialect.name, table, tuple(rows[0]), keep), list(rows))


def put(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: frozenset[str] = frozenset()
) -> None:
    """Do what `upsert` does, as part of what `Database.store` is given."""
    if rows:
        _putting(connection.dialect.name, table, tuple(rows[0]), keep).run_each(connection, rows)


@cache
def _putting(dialect: str, table: Table, names: tuple[str, ...], keep: frozenset[str]) -> Statement:
    return Statement(_upserting(dialect, table, names, keep))


@cache
def _upserting(dialect: str, table: Table, names: tuple[str, ...], keep: frozenset[str]) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    changing = [name for name in names if name not in keys and name not in keep]
    differs = [table.c[name].is_distinct_from(statement.excluded[name]) for name in changing]
    condition = differs[0]
    for one in differs[1:]:
        condition = condition | one
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in changing}, where=condition
    )


def open_database(url: str) -> Database:
    """Open the database named by `url` (sqlite:///path or postgresql://…).

    Raises `Misconfigured` when the URL names another kind of database.
    """
    parsed = driver_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # for nobody else
        engine = create_async_engine(parsed, pool_size=8, max_overflow=8, hide_parameters=True)
        connect_directly(engine.sync_engine)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        turn = asyncio.Lock()
        return Database(engine, url, turn=turn, scribe=_scribe(parsed, turn) if parsed.database else None)
    patience: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    # pool_pre_ping: a server that restarted must cost a reconnect, not a failed request.
    engine = create_async_engine(
        parsed,
        pool_size=16,
        max_overflow=16,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**patience, "options": f"-c statement_timeout={STATEMENT_SECONDS}s"},
    )
    locks = create_async_engine(parsed, poolclass=NullPool, connect_args=patience)
    return Database(engine, url, locks)


def _scribe(url: URL, turn: asyncio.Lock) -> Scribe:
    engine = create_engine(
        url.set(drivername="sqlite"), connect_args={"check_same_thread": False}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return Scribe(engine, turn)


def driver_url(url: str) -> URL:
    """Return the URL with the driver we use for its kind."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        raise Misconfigured("DATABASE_URL: is not a database address; use sqlite:///path or postgresql://…") from None
    except ValueError:  # its words would show a part of the password
        raise Misconfigured(
            "DATABASE_URL: what stands for its port is no number; write @, : and / of a password as %40, %3A and %2F"
        ) from None
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    kind = parsed.drivername.partition("+")[0]
    if kind not in drivers:
        raise Misconfigured(f"DATABASE_URL: {kind!r} is not served; use sqlite:///path or postgresql://…")
    return parsed.set(drivername=drivers[kind])


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None: it lies on a server, or in memory."""
    parsed = driver_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    # The driver must not open transactions on its own: BEGIN is ours, so that writers can take the lock at once.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # Remembered with the driver's connection, so that most transactions need not say it again.
    wanted, known = options.get("sqlite_synchronous"), connection.info.get("synchronous", "NORMAL")
    if wanted is not None and wanted != known:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'DEFERRED')}")


async def revision(database: Database) -> str | None:
    """Return the migration the database stands at, or None when it is empty."""
    try:
        async with database.engine.connect() as connection:
            return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    except (OperationalError, SQLAlchemyError):
        return None
