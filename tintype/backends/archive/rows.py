"""Rows of all our tables as they are stored, read and written in pieces, from any database into any other.

JSON goes through as the text it is stored as, so that `null` in a column and a column without a value stay two things.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    cast,
    func,
    insert,
    inspect,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from tintype.backends.database import Instant, metadata

PIECE = 500  # rows held in memory at once

Row = dict[str, Any]
T = TypeVar("T")

# What PostgreSQL takes neither in texts nor in JSON, and SQLite does.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACEMENT = "�"


class _JsonText(TypeDecorator[str]):
    """JSON of PostgreSQL, seen as text on our side."""

    impl = Text
    cache_ok = True

    def bind_expression(self, bindparam: Any) -> Any:
        """Hand text over as JSON."""
        return cast(bindparam, JSONB)

    def column_expression(self, column: Any) -> Any:
        """Read JSON as text."""
        return cast(column, Text)


def tables_of(connection: Connection) -> list[Table]:
    """Return our tables as a database has them, those first that others refer to."""
    kind, seen = connection.dialect.name, inspect(connection)
    there = set(seen.get_table_names())
    found: list[Table] = []
    for table in metadata.sorted_tables:
        if table.name in there:
            names = {column["name"] for column in seen.get_columns(table.name)}
            found.append(_plain(table, kind, names))
    return found


def _plain(table: Table, kind: str, names: set[str]) -> Table:
    columns = [column for column in table.columns if column.name in names]
    return Table(
        table.name,
        MetaData(),
        *(
            Column(one.name, _type(one, kind), primary_key=one.primary_key, autoincrement=False, nullable=True)
            for one in columns
        ),
    )


def _type(column: Column[Any], kind: str) -> Any:
    if isinstance(column.type, JSON):
        return _JsonText() if kind == "postgresql" else Text()
    return column.type


def next_piece(
    connection: Connection, table: Table, after: Sequence[Any] | None = None, where: Any = None
) -> list[Row]:
    """Return the rows that follow the one with the key `after`, in the order of their keys; empty: there are no more."""
    keys = list(table.primary_key.columns)
    query = select(table).order_by(*keys).limit(PIECE)
    if where is not None:
        query = query.where(where)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    return [dict(row) for row in connection.execute(query).mappings()]


def pieces(connection: Connection, table: Table, where: Any = None) -> Iterator[list[Row]]:
    """Yield all rows of a table, or those that a condition holds for."""
    after: tuple[Any, ...] | None = None
    while found := next_piece(connection, table, after, where):
        yield found
        after = key_of(table, found[-1])


def key_of(table: Table, row: Row) -> tuple[Any, ...]:
    """Return the primary key of a row."""
    return tuple(row[column.name] for column in table.primary_key.columns)


def put_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows as they are; those for PostgreSQL lose their NUL characters."""
    if rows:
        mended = map(_without_nul, rows) if connection.dialect.name == "postgresql" else rows
        connection.execute(insert(table), list(mended))


def _without_nul(row: Row) -> Row:
    return {name: _mended(value) if isinstance(value, str) else value for name, value in row.items()}


def _mended(value: str) -> str:
    return _ESCAPED_NUL.sub(rf"\1{_REPLACEMENT}", value) if "\\u0000" in value else value.replace("\0", _REPLACEMENT)


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables_of(connection)
    }


def numbers(connection: Connection) -> dict[str, int]:
    """Return the last number that each numbered table gave out; those numbers are never given out again."""
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return {}
        known = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {row.name: row.seq for row in known}
    found: dict[str, int] = {}
    for name, sequence in _sequences(connection):
        last, used = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - a name of the database's own
        if used:
            found[name] = last
    return found


def continue_after(connection: Connection, given: Mapping[str, int]) -> None:
    """Let numbered tables go on where they were, and behind every number that is in them."""
    if connection.dialect.name == "sqlite":
        for name, last in given.items():
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": name, "last": last})
        return
    for name, sequence in _sequences(connection):
        table = metadata.tables[name]
        highest = connection.scalar(select(func.max(_number(table)))) or 0
        if last := max(given.get(name, 0), highest):
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": sequence, "last": last})


def _sequences(connection: Connection) -> Iterator[tuple[str, str]]:
    there = set(inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        column = _number(table)
        if column is None or table.name not in there:
            continue
        query = text("SELECT pg_get_serial_sequence(:name, :column)")
        sequence = connection.scalar(query, {"name": table.name, "column": column.name})
        if sequence:
            yield table.name, sequence


def _number(table: Table) -> Any:
    """Return the column by which the database numbers the rows of a table; None: it does not."""
    keys = list(table.primary_key.columns)
    return keys[0] if len(keys) == 1 and isinstance(keys[0].type, Integer) else None


def to_line(row: Row) -> str:
    """Write a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, default=_written)


def from_line(line: str, readers: Mapping[str, Callable[[Any], Any]]) -> Row:
    """Read a line that `to_line` wrote, with the `readers` of its table."""
    row: Row = json.loads(line)
    return {
        name: readers[name](value) if name in readers and value is not None else value for name, value in row.items()
    }


def readers(table: Table) -> Mapping[str, Callable[[Any], Any]]:
    """Return how those columns of a table are read whose values JSON does not know."""
    found: dict[str, Callable[[Any], Any]] = {}
    for column in table.columns:
        if isinstance(column.type, Instant):
            found[column.name] = datetime.fromisoformat
        elif isinstance(column.type, Date):
            found[column.name] = date.fromisoformat
        elif isinstance(column.type, LargeBinary):
            found[column.name] = partial(base64.b64decode, validate=True)
    return found


def _written(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no form in an archive")
