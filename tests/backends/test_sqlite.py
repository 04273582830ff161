"""SQLite's own connections, by the face that every records module uses."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert, select
from sqlalchemy.exc import IntegrityError

from tintype.backends.database import Database, open_database
from tintype.errors import Unavailable

pytestmark = pytest.mark.anyio

things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", String, unique=True))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    found = open_database(f"sqlite:///{tmp_path}/house.db")
    event.listen(found.engine.sync_engine, "connect", be_impatient)
    async with found.write() as connection:
        await connection.run_sync(things.create)
    yield found
    await found.close()


def be_impatient(connection: Any, record: object) -> None:
    del record
    connection.cursor().execute("PRAGMA busy_timeout=50")


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(things.c.name).order_by(things.c.id))).scalars())


async def test_what_a_block_wrote_is_there_once_it_ended_well(database: Database) -> None:
    async with database.write() as connection:
        made = await connection.execute(insert(things).values(name="one"))
        assert made.inserted_primary_key is not None
        assert list(made.inserted_primary_key) == [1]
        many = await connection.execute(insert(things), [{"name": "two"}, {"name": "three"}])
        assert many.rowcount == 2
    assert await names(database) == ["one", "two", "three"]


async def test_nothing_of_a_block_that_failed_is_there(database: Database) -> None:
    async def twice() -> None:
        async with database.write() as connection:
            await connection.execute(insert(things).values(name="one"))
            await connection.execute(insert(things).values(name="one"))

    with pytest.raises(IntegrityError):
        await twice()
    assert await names(database) == []
    async with database.write() as connection:
        await connection.execute(insert(things).values(name="two"))
    assert await names(database) == ["two"]


async def test_a_block_without_a_statement_holds_no_lock(database: Database) -> None:
    async with database.write(), database.engine.connect() as other:
        await other.execution_options(sqlite_begin="IMMEDIATE")
        async with other.begin():
            await other.execute(insert(things).values(name="one"))
    assert await names(database) == ["one"]


async def test_a_reader_sees_one_moment(database: Database) -> None:
    async with database.read() as connection:
        before = (await connection.execute(select(things.c.name))).all()
        async with database.write() as writing:
            await writing.execute(insert(things).values(name="one"))
        assert (await connection.execute(select(things.c.name))).all() == before == []
    assert await names(database) == ["one"]


async def test_a_writer_that_never_gets_the_lock_is_told_so(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(insert(things).values(name="two"))

    async with database.engine.connect() as other:
        await other.execution_options(sqlite_begin="IMMEDIATE")
        async with other.begin():
            await other.execute(insert(things).values(name="one"))
            with pytest.raises(Unavailable):
                await write()
    assert await names(database) == ["one"]
