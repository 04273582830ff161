"""Which rows belong to somebody: by their columns, by what they refer to, and by what their texts say.

A column named `workspace_id`, `account_id` or `user_id` refers to that table also where no foreign key says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, Text, delete, or_, select, text, tuple_
from sqlalchemy.types import String, TypeDecorator

from tintype.backends.archive.rows import Row, key_of, pieces, tables_of
from tintype.backends.database import metadata

REFERENCES = {"workspace_id": "workspaces", "account_id": "accounts", "user_id": "users"}
SLICE = 500  # keys named in one statement

_WORD = re.compile(r"[A-Za-z0-9_-]{5,}")

Chosen = Mapping[str, Sequence[Any]]  # table → primary keys


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a text is known to speak of somebody: ids and shortcodes as whole words, user names as whole values."""

    words: set[str]
    names: set[str] = field(default_factory=set[str])

    def are_in(self, said: str) -> bool:
        """Tell whether a text speaks of whom the marks are of."""
        if said.removeprefix("@") in self.names or any(_is_value(name, said) for name in self.names):
            return True
        return not self.words.isdisjoint(_WORD.findall(said))


def _is_value(name: str, said: str) -> bool:
    """Tell whether a name is a value in JSON; what is a key there is a word of ours, which somebody may be called by."""
    quoted = f'"{name}"'
    return quoted in said and re.search(rf"{re.escape(quoted)}(?!\s*:)", said) is not None


def told(connection: Connection, table: Table, marks: Marks) -> list[Row]:
    """Return those rows of a table whose texts speak of somebody."""
    texts = [column.name for column in table.columns if isinstance(column.type, Text | String | TypeDecorator)]
    return [
        row
        for some in pieces(connection, table)
        for row in some
        if any(marks.are_in(row[name]) for name in texts if isinstance(row[name], str))
    ]


def sliced(chosen: Chosen) -> Iterator[Chosen]:
    """Yield what was chosen in slices that one statement can name."""
    for start in range(0, max(map(len, chosen.values()), default=0), SLICE):
        found = {name: keys[start : start + SLICE] for name, keys in chosen.items()}
        yield {name: keys for name, keys in found.items() if keys}


def belonging(connection: Connection, chosen: Chosen) -> Iterator[tuple[Table, list[Row]]]:
    """Yield table by table the rows that were chosen, and all that belong to them, piece by piece."""
    for table in tables_of(connection):
        described, seen = metadata.tables[table.name], set[tuple[Any, ...]]()
        for part in sliced(chosen):
            if (condition := _condition(described, part)) is not None:
                # The table as it is and as it is described have one name: the condition is asked for in a query within.
                within = select(*described.primary_key.columns).where(condition)
                mine = tuple_(*table.primary_key.columns).in_(within)
                for some in pieces(connection, table, mine):
                    yield table, [row for row in some if key_of(table, row) not in seen]
                    seen.update(key_of(table, row) for row in some)


def erase(connection: Connection, chosen: Chosen) -> dict[str, int]:
    """Delete the rows that were chosen and all that belong to them; return how many of each table that were."""
    gone: dict[str, int] = {}
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA secure_delete=ON"))
    there = {table.name for table in tables_of(connection)}
    for table in reversed(metadata.sorted_tables):
        for part in sliced(chosen) if table.name in there else ():
            condition = _condition(table, part)
            if condition is not None:
                gone[table.name] = gone.get(table.name, 0) + connection.execute(delete(table).where(condition)).rowcount
    return {name: count for name, count in gone.items() if count}


def _condition(table: Table, chosen: Chosen) -> Any:
    """Return by what the rows of a table that belong to what was chosen are found; None: it never has any."""
    found: list[Any] = []
    if table.name in chosen:
        found.append(next(iter(table.primary_key.columns)).in_(chosen[table.name]))
    for column in table.columns:
        named = REFERENCES.get(column.name, "")
        if named in chosen:
            found.append(column.in_(chosen[named]))
        parents = [(key.column, _condition(key.column.table, chosen)) for key in column.foreign_keys]
        found += [column.in_(select(other).where(theirs)) for other, theirs in parents if theirs is not None]
    return or_(*found) if found else None
