"""A statement gives the same on its short way to SQLite's driver as on SQLAlchemy's."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from tintype.backends.database import Database, Instant, Json, open_database
from tintype.backends.statements import Statement

pytestmark = pytest.mark.anyio

things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String, unique=True),
    Column("at", Instant),
    Column("parts", Json),
    Column("sealed", LargeBinary),
    Column("gone", Boolean),
)

NOW = datetime(2026, 3, 29, 1, 59, 59, 7, tzinfo=UTC)
ADDING = Statement(insert(things).returning(things.c.id))
ADDING_MANY = Statement(insert(things))
ALL = Statement(select(things).order_by(things.c.id))
LATEST = Statement(select(func.max(things.c.at)).where(things.c.name.in_(["one", "two"])))
CHANGING = Statement(update(things).where(things.c.id == bindparam("thing_id"), things.c.name.in_(["one", "two"])))


def row(name: str | None, **more: object) -> Mapping[str, object]:
    return {"name": name, "at": NOW, "parts": [{"a": 1}], "sealed": b"\0\1", "gone": True, **more}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    found = open_database(f"sqlite:///{tmp_path}/house.db")
    async with found.write() as connection:
        await connection.run_sync(things.create)
    yield found
    await found.close()


async def by_both_ways(database: Database, statement: Statement, values: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows that the two ways give, which are the same."""
    near = await database.look(lambda connection: statement.all(connection, values))
    async with database.read() as connection:  # in the driver's thread, where a statement goes the long way
        far = await connection.run_sync(lambda inner: statement.all(inner, values))
    assert [list(one) for one in near] == [list(one) for one in far]
    return [list(one) for one in near]


async def test_what_was_stored_by_one_way_is_read_by_both(database: Database) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert await database.store(lambda connection: ADDING.value(connection, row("one", at=elsewhere))) == 1
    empty = row(None, at=None, parts=None, sealed=None, gone=None)
    async with database.write() as connection:
        assert await connection.run_sync(lambda inner: ADDING.value(inner, empty)) == 2
    assert await by_both_ways(database, ALL, {}) == [
        [1, "one", NOW, [{"a": 1}], b"\0\1", True],
        [2, None, None, None, None, None],
    ]
    assert await by_both_ways(database, LATEST, {}) == [[NOW]]


async def test_only_what_is_meant_is_changed_and_counted(database: Database) -> None:
    rows = [row(name) for name in ("one", "two", "three")]
    await database.store(lambda connection: ADDING_MANY.run_each(connection, rows))
    later = {"thing_id": 2, "at": NOW + timedelta(days=1)}
    assert await database.store(lambda connection: CHANGING.run(connection, later)) == 1
    assert await database.store(lambda connection: CHANGING.run(connection, {**later, "thing_id": 3})) == 0
    assert await database.store(lambda connection: CHANGING.run(connection, {"thing_id": 1, "gone": False})) == 1
    found = await by_both_ways(database, ALL, {})
    assert [(one[2], one[5]) for one in found] == [(NOW, False), (NOW + timedelta(days=1), True), (NOW, True)]


async def test_the_drivers_errors_are_those_that_everybody_knows(database: Database) -> None:
    await database.store(lambda connection: ADDING.value(connection, row("one")))
    with pytest.raises(IntegrityError):
        await database.store(lambda connection: ADDING.value(connection, row("one")))
    with pytest.raises(DBAPIError) as caught:
        await database.store(lambda connection: ADDING.value(connection, row("two", id=object())))
    assert "two" not in str(caught.value)
    await database.store(lambda connection: ADDING.value(connection, row("two")))
    with pytest.raises(LookupError):
        await database.look(lambda connection: ALL.one(connection, {}))
    with pytest.raises(ValueError, match="time zone"):
        await database.store(lambda connection: ADDING.value(connection, row("three", at=NOW.replace(tzinfo=None))))


moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]))


@given(moments.filter(lambda at: 1 < at.year < 9999))
def test_a_moment_comes_back_as_it_was_and_sorts_as_text(at: datetime) -> None:
    engine = create_engine("sqlite://")
    written, read = Instant().bind_processor(engine.dialect), Instant().result_processor(engine.dialect, None)
    assert read(written(at)) == at
    assert read(written(at)).tzinfo is UTC
    assert (written(at) < written(NOW)) == (at < NOW)
