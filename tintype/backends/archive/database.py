"""The database's part of a backup: SQLite's own files, copied while others write, or the rows of every table, as they were at one moment."""

import gzip
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError

from tintype.backends.archive.manifest import Part, part_of
from tintype.backends.archive.rows import (
    PIECE,
    continue_after,
    counts,
    from_line,
    key_of,
    next_piece,
    numbers,
    pieces,
    put_rows,
    readers,
    tables_of,
    to_line,
)
from tintype.backends.database import Database, metadata
from tintype.errors import Conflict, Unavailable

VERSIONS = "alembic_version"  # there from our first migration on


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts that hold a database, and what is known of its tables."""

    parts: tuple[Part, ...]
    rows: dict[str, int]
    numbers: dict[str, int]


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it is at one moment, while others may write to it, and look the copy over.

    Raises `Unavailable` when the copy is not sound.
    """
    address = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
        said = there.execute("PRAGMA quick_check").fetchone()[0]
    if said != "ok":
        raise Unavailable(f"the copy of {source.name} is not sound: {said}")


def compact(file: Path) -> bool:
    """Write a SQLite database anew, so that nothing deleted is left in its files; False: somebody is busy with it."""
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as connection:
        try:
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
    return not busy


def count_sqlite(file: Path) -> dict[str, int]:
    """Return how many rows each table of ours has in a copy."""
    with closing(sqlite3.connect(file)) as copy:
        there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        known = [name for name in metadata.tables if name in there]
        return {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in known}  # noqa: S608 - a table of ours


async def write_rows(database: Database, folder: Path) -> Contents:
    """Write the rows of every table into files of a folder, all as they were at one moment."""
    async with database.read() as connection:
        if not database.is_sqlite:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return await connection.run_sync(_written, folder)


def _written(connection: Connection, folder: Path) -> Contents:
    parts: list[Part] = []
    found: dict[str, int] = {}
    for table in tables_of(connection):
        path = folder / f"{table.name}.jsonl.gz"
        found[table.name] = 0
        with gzip.open(path, "wt", encoding="utf-8") as file:
            for rows in pieces(connection, table):
                file.writelines(f"{to_line(row)}\n" for row in rows)
                found[table.name] += len(rows)
        parts.append(part_of(path))
    return Contents(tuple(parts), found, numbers(connection))


async def read_rows(database: Database, folder: Path, names: Sequence[str], last: dict[str, int]) -> dict[str, int]:
    """Put the rows that `write_rows` wrote into an empty database, all or none of them; return how many each table has now."""
    async with database.write(durable=True) as connection:
        return await connection.run_sync(_read, folder, frozenset(names), last)


def _read(connection: Connection, folder: Path, names: frozenset[str], last: dict[str, int]) -> dict[str, int]:
    for table in tables_of(connection):
        path = folder / f"{table.name}.jsonl.gz"
        if path.name not in names:
            continue
        how = readers(table)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            while some := list(islice(lines, PIECE)):
                put_rows(connection, table, [from_line(line, how) for line in some])
    continue_after(connection, last)
    return counts(connection)


async def check_answers(database: Database) -> None:
    """Go on when a database answers; raises `Unavailable` with what the driver says, which never holds the password."""
    try:
        await database.check()
    except DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise Unavailable(f"the database does not answer: {said}") from error


async def check_empty(database: Database) -> None:
    """Go on when no table of ours has a row; raises `Conflict`, also for tables of others that have our names."""
    async with database.read() as connection:
        full, strange = await connection.run_sync(_full), await connection.run_sync(_strange)
    if full:
        raise Conflict(f"the database is not empty: there are rows in {', '.join(full[:5])}; give an empty one")
    if strange:
        raise Conflict(f"the database has tables that are not Tintype's: {', '.join(strange[:5])}; give an empty one")


def _strange(connection: Connection) -> list[str]:
    return [] if inspect(connection).has_table(VERSIONS) else [table.name for table in tables_of(connection)]


def _full(connection: Connection) -> list[str]:
    found = tables_of(connection)
    return [table.name for table in found if connection.execute(select(*table.primary_key).limit(1)).first()]


async def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Copy all rows of one database into another, empty one, all or none; return how many each table has there.

    Nobody writes to the source meanwhile. Raises `Unavailable` when fewer arrived than left.
    """
    async with source.write() as here, target.write(durable=True) as there:
        if not target.is_sqlite:
            await there.exec_driver_sql("SET LOCAL statement_timeout = 0")
        tables = {table.name: table for table in await there.run_sync(tables_of)}
        for table in await here.run_sync(tables_of):
            after = None
            while rows := await here.run_sync(next_piece, table, after):
                await there.run_sync(put_rows, tables[table.name], rows)
                after = key_of(table, rows[-1])
        await there.run_sync(continue_after, await here.run_sync(numbers))
        left, arrived = await here.run_sync(counts), await there.run_sync(counts)
        if left != arrived:
            raise Unavailable("fewer rows arrived than left; nothing was moved")
    return arrived
