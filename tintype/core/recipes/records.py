"""The tables of the recipe queue and their SQL: items with their way, and the log of what became of them.

A change's number is its place in the log: whoever read the log up to a number and asks for what follows misses nothing,
because numbers are given in the order in which transactions end.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    asc,
    delete,
    desc,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, Json, lock_key, metadata
from tintype.core.recipes.items import (
    ACTIVE,
    RANKS,
    Extract,
    Failure,
    Given,
    Item,
    Phase,
    Status,
    Upload,
    end_of,
    touched,
)
from tintype.core.recipes.model import Parsed, Recipe

items = Table(
    "recipe_items",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False),
    Column("url", Text),
    Column("link", Text),
    Column("shortcode", String(64)),
    Column("current", String(64)),  # the shortcode while the item is on its way: there is one of it at a time
    Column("given", Json, nullable=False),
    Column("status", String(12), nullable=False),
    Column("rank", Integer, nullable=False),  # of the status, in lists
    Column("phases", Json, nullable=False),
    Column("source", Json),
    Column("parsed", Json),
    Column("upload", Json),
    Column("warnings", Json, nullable=False),
    Column("failure", Json),
    Column("force", Boolean, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("told", String(24)),
    Column("duplicate_of", String(36)),
    Column("batch", String(36)),
    Column("due_at", Instant),
    Column("lease_owner", String(80)),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "id", unique=True),
    Index(None, "current", unique=True),
    Index(None, "due_at"),
    Index(None, "shortcode"),
    Index(None, "batch"),
    Index(None, "status", "number"),
    sqlite_autoincrement=True,
)

changes = Table(
    "recipe_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("item_id", String(36), nullable=False),
    Column("item", Json),  # as it was then; nothing: it was removed
    Column("tell", Boolean, nullable=False),  # people should be told of it
    Column("closes", String(36)),  # the batch whose last item has come to its end
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# Columns that hold words of ours as JSON, and how those are read and written.
_FORMS: Mapping[str, Any] = {
    "given": Given,
    "phases": tuple[Phase, ...],
    "source": Extract | None,
    "parsed": Parsed[Recipe] | None,
    "upload": Upload | None,
    "warnings": tuple[str, ...],
    "failure": Failure | None,
}
_WORDS = tuple(Item.__dataclass_fields__)
_ORDER = lock_key("the order of recipe changes")
_LINES = 500  # of a list in one statement


class OvertakenError(Exception):
    """Somebody else moved the item meanwhile: a person took it back, or another process took it over."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log: an item as it was then, or None when it was removed.

    `tell` is set when people should be told of its end, `closes` names the batch whose last item has come to its end.
    """

    number: int
    item_id: str
    item: Item | None
    at: datetime
    tell: bool
    closes: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step stored: the item, its place in the log, and whether people should be told of that."""

    item: Item
    number: int
    tell: bool


@dataclass(frozen=True, slots=True)
class Query:
    """Which items are asked for, and in which order."""

    statuses: tuple[Status, ...] = ()
    in_review: bool = False  # only those that wait for a person
    limit: int = 50
    offset: int = 0
    sort: str = "createdAt"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items and how many there are in all."""

    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ItemRecords:
    """Reads and writes items, one short transaction a method."""

    database: Database

    async def add(self, fresh: Sequence[Item]) -> tuple[Sequence[Item], int]:
        """Store new items and return them in their order, with the last change's number.

        For one whose post is on its way already, the item that is is returned instead.
        """
        rows = [_row(item) for item in fresh]
        if not rows:
            return (), 0
        async with self.database.write(durable=True) as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            adding = dialect.insert(items).on_conflict_do_nothing(index_elements=["current"])
            made = {
                row.id: row.number
                for row in await connection.execute(adding.returning(items.c.id, items.c.number), rows)
            }
            stored = [replace(item, number=made[item.id]) for item in fresh if item.id in made]
            number = await _log(connection, stored)
            clashing = [item.shortcode for item in fresh if item.id not in made]
            known = await _of_current(connection, [code for code in clashing if code])
        by_id = {item.id: item for item in stored}
        return [by_id.get(item.id) or known[item.shortcode or ""] for item in fresh], number

    async def get(self, item_id: str) -> Item | None:
        """Return an item."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(items).where(items.c.id == item_id))).one_or_none()
        return _item(row) if row else None

    async def page(self, query: Query) -> Page:
        """Return a page, and how many there are in all, as of one moment."""
        counted = items.alias()
        count = select(func.count()).select_from(counted).where(*_wanted(query, counted))
        rows = select(items).where(*_wanted(query, items))
        rows = rows.order_by(*_ordered(query)).limit(query.limit).offset(query.offset)
        async with self.database.read() as connection:
            # One statement sees one moment on Postgres, so the count rides on the rows, and is asked alone when none do.
            total = count.scalar_subquery().label("total_items")
            found = (await connection.execute(rows.add_columns(total))).all()
            number = found[0].total_items if found else (await connection.execute(count)).scalar_one()
        return Page(tuple(_item(row) for row in found), number)

    async def successes(self, shortcodes: Collection[str]) -> Mapping[str, Item]:
        """Return for each post its newest item that became a recipe."""
        codes = sorted(shortcodes)
        found: dict[str, Item] = {}
        async with self.database.read() as connection:
            for at in range(0, len(codes), _LINES):
                done = items.c.shortcode.in_(codes[at : at + _LINES]) & (items.c.status == Status.SUCCESS.value)
                query = select(items).where(done).order_by(items.c.number)
                found |= {row.shortcode: _item(row) for row in await connection.execute(query)}
        return found

    async def uploads(self, item: Item, outlet: str) -> Sequence[Item]:
        """Return other items of the same post that an outlet has taken, newest first."""
        if item.shortcode is None:
            return ()
        twin = (items.c.shortcode == item.shortcode) & (items.c.id != item.id)
        async with self.database.read() as connection:
            rows = await connection.execute(select(items).where(twin).order_by(items.c.number.desc()))
            found = [_item(row) for row in rows]
        return [one for one in found if one.upload and one.upload.outlet == outlet and one.upload.id]

    async def claim(self, owner: str, now: datetime, lease: timedelta, limit: int) -> Sequence[Item]:
        """Take so many due items whose lease is free; of several who ask at once each gets others."""
        free = or_(items.c.lease_until.is_(None), items.c.lease_until < now)
        due = select(items.c.number).where(items.c.due_at <= now, free).order_by(items.c.due_at, items.c.number)
        taken = (
            update(items)
            .where(items.c.number.in_(due.limit(limit).with_for_update(skip_locked=True)))
            .values(lease_owner=owner, lease_until=now + lease, fence=items.c.fence + 1)
            .returning(items)
        )
        async with self.database.write() as connection:
            found = [_item(row) for row in await connection.execute(taken)]
        return sorted(found, key=lambda item: (item.due_at or now, item.number))

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next item that nobody holds is due; whoever let a lease run out holds nothing any more."""
        free = or_(items.c.lease_until.is_(None), items.c.lease_until < now)
        async with self.database.read() as connection:
            return await connection.scalar(select(func.min(items.c.due_at)).where(free))

    async def move(self, item: Item, now: datetime, *, lease: timedelta | None = None, **changed: Any) -> Moved:
        """Store a step of whoever holds the item, with a line in the log; without a `lease` it is free afterwards.

        Raises `OvertakenError` when somebody else moved it meanwhile; then nothing is stored.
        """
        moved = replace(item, **changed, updated_at=touched(item, now))
        end = end_of(moved)
        tell = end is not None and end != item.told
        moved = replace(moved, told=end or moved.told)
        mine = (items.c.id == item.id) & (items.c.fence == item.fence)
        async with self.database.write(durable=end is not None) as connection:
            values = await _moved(connection, item, moved) | {"lease_until": now + lease if lease else None}
            if not (await connection.execute(update(items).where(mine).values(values))).rowcount:
                raise OvertakenError
            await _in_order(connection)
            # Of a batch people are told once, when its last item has come to its end.
            is_one_of_many = moved.batch is not None and moved.attempt == 1
            closes = moved.batch if tell and is_one_of_many and not await _open(connection, moved.batch) else None
            tell = tell and not is_one_of_many
            number = await _log(connection, [moved], tell=tell, closes=closes)
        return Moved(moved, number, tell or closes is not None)

    async def note(self, item: Item, **changed: Any) -> Item:
        """Store what only we need to know of an item that is held, without a line in the log.

        Raises `OvertakenError` when somebody else moved it meanwhile.
        """
        values = {name: _formed(name, value) for name, value in changed.items()}
        query = update(items).where(items.c.id == item.id, items.c.fence == item.fence).values(values)
        async with self.database.write(durable=True) as connection:
            if not (await connection.execute(query)).rowcount:
                raise OvertakenError
        return replace(item, **changed)

    async def free(self, item: Item, due_at: datetime | None) -> None:
        """Let go of an item, which is due again at another time."""
        mine = (items.c.id == item.id) & (items.c.fence == item.fence)
        async with self.database.write() as connection:
            await connection.execute(update(items).where(mine).values(lease_until=None, due_at=due_at))

    async def renew(self, item: Item, until: datetime) -> bool:
        """Hold an item longer; tell whether it was still held."""
        # One that was let go of meanwhile stays free.
        mine = (items.c.id == item.id) & (items.c.fence == item.fence) & items.c.lease_until.is_not(None)
        async with self.database.write() as connection:
            return (await connection.execute(update(items).where(mine).values(lease_until=until))).rowcount > 0

    async def change(self, item: Item, now: datetime, **changed: Any) -> Moved | None:
        """Store what a person changed, taking the item from whoever holds it; None when it is not as read any more."""
        moved = replace(item, **changed, updated_at=touched(item, now), fence=item.fence + 1)
        same = (items.c.id == item.id) & (items.c.fence == item.fence) & (items.c.status == item.status.value)
        async with self.database.write(durable=True) as connection:
            values = await _moved(connection, item, moved) | {"lease_until": None}
            if not (await connection.execute(update(items).where(same).values(values))).rowcount:
                return None
            number = await _log(connection, [moved])
        return Moved(moved, number, tell=False)

    async def remove(self, item: Item, now: datetime) -> int | None:
        """Remove an item that is as it was read; return the change's number, or None when it is not so any more."""
        same = (items.c.id == item.id) & (items.c.fence == item.fence) & (items.c.status == item.status.value)
        async with self.database.write(durable=True) as connection:
            if not (await connection.execute(delete(items).where(same))).rowcount:
                return None
            await _in_order(connection)
            gone = {"item_id": item.id, "item": None, "at": now, "tell": False, "closes": None}
            made = insert(changes).values(gone).returning(changes.c.number)
            return (await connection.execute(made)).scalar_one()

    async def release(self, owner: str | None = None) -> int:
        """Free the leases of a process that is dead, or all: on SQLite one process works; return how many those were."""
        held = items.c.lease_until.is_not(None) & (true() if owner is None else items.c.lease_owner == owner)
        async with self.database.write() as connection:
            return (await connection.execute(update(items).where(held).values(lease_until=None))).rowcount

    async def active(self) -> Sequence[Item]:
        """Return the items on their way, oldest first."""
        query = select(items).where(items.c.status.in_([status.value for status in ACTIVE])).order_by(items.c.number)
        async with self.database.read() as connection:
            return [_item(row) for row in await connection.execute(query)]

    async def counts(self, batch: str) -> Mapping[Status, int]:
        """Return how many items of a batch stand where."""
        query = select(items.c.status, func.count()).where(items.c.batch == batch).group_by(items.c.status)
        async with self.database.read() as connection:
            return {Status(status): number for status, number in await connection.execute(query)}

    async def ends(self) -> tuple[int, int]:
        """Return the numbers of the log's first and last lines; 0 and 0 when it is empty."""
        query = select(func.min(changes.c.number), func.max(changes.c.number))
        async with self.database.read() as connection:
            first, last = (await connection.execute(query)).one()
        return first or 0, last or 0

    async def after(self, number: int, limit: int) -> Sequence[Change]:
        """Return the log's lines that follow a number, oldest first."""
        query = select(changes).where(changes.c.number > number).order_by(changes.c.number).limit(limit)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Change(row.number, row.item_id, _logged(row.item), row.at, row.tell, row.closes) for row in rows]

    async def told_after(self, number: int, limit: int) -> Sequence[Change]:
        """Return the log's lines that people should be told of and that follow a number, oldest first."""
        told = changes.c.tell | changes.c.closes.is_not(None)
        query = select(changes).where(changes.c.number > number, told).order_by(changes.c.number).limit(limit)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Change(row.number, row.item_id, _logged(row.item), row.at, row.tell, row.closes) for row in rows]

    async def forget(self, before: datetime, most: int) -> int:
        """Cut off the log's lines that are old, or too many, but never the last one; return how many those were."""
        last = select(func.max(changes.c.number)).scalar_subquery()
        old = (changes.c.at < before) | (changes.c.number <= last - most)
        async with self.database.write() as connection:
            return (await connection.execute(delete(changes).where(old, changes.c.number < last))).rowcount

    async def blobs(self) -> frozenset[str]:
        """Return the keys of all files that items refer to."""
        query = select(items.c.given, items.c.source)
        found: set[str] = set()
        async with self.database.read() as connection:
            for row in await connection.execute(query):
                found.update(_form("given").validate_python(row.given).pictures)
                source = _form("source").validate_python(row.source)
                found.update([source.cover] if source and source.cover else [])
        return frozenset(found)


async def _log(
    connection: AsyncConnection, moved: Sequence[Item], *, tell: bool = False, closes: str | None = None
) -> int:
    if not moved:
        return 0
    await _in_order(connection)
    lines = [
        {
            "item_id": item.id,
            "item": _whole().dump_python(item, mode="json"),
            "at": item.updated_at,
            "tell": tell,
            "closes": closes,
        }
        for item in moved
    ]
    made = await connection.execute(insert(changes).returning(changes.c.number), lines)
    return max(made.scalars())


async def _moved(connection: AsyncConnection, item: Item, moved: Item) -> dict[str, Any]:
    """Return the row of an item that moved; one that comes back to life leaves a newer one of its post alone."""
    values = _row(moved)
    del values["number"]
    if moved.status in ACTIVE and item.status in ACTIVE:
        del values["current"]
    elif values["current"] is not None and await _of_current(connection, [values["current"]]):
        values["current"] = None
    return values


async def _in_order(connection: AsyncConnection) -> None:
    # Postgres gives numbers out before transactions end: one after the other, so that a reader never meets a gap.
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER})


async def _of_current(connection: AsyncConnection, shortcodes: Sequence[str]) -> Mapping[str, Item]:
    found: dict[str, Item] = {}
    for at in range(0, len(shortcodes), _LINES):
        rows = await connection.execute(select(items).where(items.c.current.in_(shortcodes[at : at + _LINES])))
        found |= {row.current: _item(row) for row in rows}
    return found


async def _open(connection: AsyncConnection, batch: str | None) -> int:
    # What waits for a person has come as far as it can by itself.
    active = items.c.status.in_([status.value for status in ACTIVE]) & items.c.due_at.is_not(None)
    query = select(func.count()).select_from(items).where(items.c.batch == batch, active)
    return (await connection.execute(query)).scalar_one()


def _wanted(query: Query, table: FromClause) -> Sequence[ColumnElement[bool]]:
    statuses = [status.value for status in query.statuses]
    held = (table.c.status == Status.PENDING.value) & table.c.due_at.is_(None)
    return [*([table.c.status.in_(statuses)] if statuses else []), *([held] if query.in_review else [])]


def _ordered(query: Query) -> Sequence[Any]:
    direction = desc if query.descending else asc
    if query.sort == "status":
        return direction(items.c.rank), items.c.created_at.desc(), items.c.number.desc()
    column = items.c.updated_at if query.sort == "updatedAt" else items.c.created_at
    return direction(column), direction(items.c.number)


def _row(item: Item) -> dict[str, Any]:
    row = {name: _formed(name, getattr(item, name)) for name in _WORDS if name != "number" or item.number}
    is_current = item.status in ACTIVE and not item.again
    return {**row, "rank": RANKS[item.status], "current": item.shortcode if is_current else None}


def _formed(name: str, value: Any) -> Any:
    return _form(name).dump_python(value, mode="json") if name in _FORMS else value


def _item(row: Row[Any]) -> Item:
    found: dict[str, Any] = {name: getattr(row, name) for name in _WORDS}
    found |= {name: _form(name).validate_python(found[name]) for name in _FORMS}
    found |= {"status": Status(row.status)}
    return Item(**found)


def _logged(value: Any) -> Item | None:
    return None if value is None else _whole().validate_python(value)


@cache
def _form(column: str) -> TypeAdapter[Any]:
    return TypeAdapter(_FORMS[column])  # when it is first used: together they take as long as a small library to load


@cache
def _whole() -> TypeAdapter[Item]:
    return TypeAdapter(Item)
