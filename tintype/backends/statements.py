"""Statements that are put together once, and that SQLite's driver is handed as they are.

To find a statement's text again, to bind its values and to wrap its rows takes SQLAlchemy a hundred microseconds, and SQLite
ten for all the rest. So what is asked often is a `Statement`: compiled once, its values bound and its rows read by their place.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

Query = Select[*tuple[Any, ...]] | Insert | Update | Delete
Values = Mapping[str, Any]
Record = Sequence[Any]  # a row's values, as the statement names them

_Form = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Text:
    """A compiled statement: what is bound, by name, with what stands fast of it; and what is read, by place."""

    sql: str
    bound: tuple[tuple[str, _Form | None, Any], ...]
    read: tuple[tuple[int, _Form], ...]

    def given(self, values: Values) -> Sequence[Any]:
        return [form(values.get(name, fast)) if form else values.get(name, fast) for name, form, fast in self.bound]

    def taken(self, rows: Sequence[Record]) -> Sequence[Record]:
        if not self.read:
            return rows
        found = [list(row) for row in rows]
        for row in found:
            for place, form in self.read:
                row[place] = form(row[place])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Something that is asked again and again, with other values. A list among its values has always the same length."""

    query: Query
    _texts: dict[tuple[str, ...], _Text] = field(default_factory=dict[tuple[str, ...], _Text])

    def all(self, connection: Connection, values: Values) -> Sequence[Record]:
        """Return all rows."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self.query, dict(values)).all()
        text = self._text(connection.dialect, values)
        return text.taken(_done(connection, text.sql, driver.execute, text.given(values)).fetchall())

    def one(self, connection: Connection, values: Values) -> Record | None:
        """Return the only row, if there is one."""
        rows = self.all(connection, values)
        if len(rows) > 1:
            raise LookupError("one row was asked for, and there are more")
        return rows[0] if rows else None

    def value(self, connection: Connection, values: Values) -> Any:
        """Return the first value of the only row; None without a row."""
        row = self.one(connection, values)
        return row[0] if row else None

    def run(self, connection: Connection, values: Values) -> int:
        """Change rows, and return how many that were."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self.query, dict(values)).rowcount
        text = self._text(connection.dialect, values)
        return _done(connection, text.sql, driver.execute, text.given(values)).rowcount

    def run_each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Change rows once for each set of values; all of them name the same."""
        driver = _driver(connection)
        if driver is None:
            connection.execute(self.query, [dict(row) for row in rows])
            return
        text = self._text(connection.dialect, rows[0])
        _done(connection, text.sql, driver.executemany, [text.given(row) for row in rows])

    def _text(self, dialect: Dialect, values: Values) -> _Text:
        names = tuple(values)
        text = self._texts.get(names)
        if text is None:
            text = self._texts[names] = _compiled(self.query, dialect, values)
        return text


def _driver(connection: Connection) -> sqlite3.Connection | None:
    """Return SQLite's own connection, where it is used in this thread."""
    driver = connection.connection.driver_connection
    return driver if type(driver) is sqlite3.Connection else None


def _done(connection: Connection, sql: str, do: Callable[[str, Any], sqlite3.Cursor], given: Any) -> sqlite3.Cursor:
    try:
        return do(sql, given)
    except sqlite3.Error as error:
        raise said(error, sql, connection.dialect) from error


def said(error: sqlite3.Error, sql: str, dialect: Dialect) -> Exception:
    """Return a driver's error as SQLAlchemy raises it."""
    return DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect)


def _compiled(query: Query, dialect: Dialect, values: Values) -> _Text:
    compiled = query.compile(dialect=dialect, column_keys=list(values))
    state = compiled.construct_expanded_state(dict(values))
    whole = {part: name for name, parts in state.parameter_expansion.items() for part in parts}  # of lists

    def bound(name: str) -> tuple[str, _Form | None, Any]:
        kind = compiled.binds[whole.get(name, name)].type.dialect_impl(dialect)
        return name, kind.bind_processor(dialect), None if name in values else state.parameters[name]

    kinds = [column.type.dialect_impl(dialect) for column in query.exported_columns]
    forms = [kind.result_processor(dialect, None) for kind in kinds]
    read = tuple((place, form) for place, form in enumerate(forms) if form)
    return _Text(state.statement, tuple(bound(name) for name in state.positiontup or ()), read)
