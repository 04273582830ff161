"""SQLite's own connections, by the face that every records module uses."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, event, insert, select
from sqlalchemy.exc import IntegrityError

from tintype.backends.database import Database, open_database
from tintype.backends.scribe import COMMITS
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


async def test_what_several_store_at_the_same_moment_is_there_for_each_of_them(database: Database) -> None:
    def store(name: str) -> Callable[[Connection], int]:
        adding = insert(things).values(name=name).returning(things.c.id)
        return lambda connection: connection.execute(adding).scalar_one()

    found = await asyncio.gather(*(database.store(store(f"thing {at}"), durable=at % 2 == 0) for at in range(9)))
    assert list(found) == list(range(1, 10))
    assert await database.look(lambda connection: list(connection.scalars(select(things.c.id)))) == list(found)
    assert len(await names(database)) == 9


async def test_what_one_of_several_raises_concerns_that_one_alone(database: Database) -> None:
    def store(name: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            connection.execute(insert(things).values(name=f"{name}, first"))
            connection.execute(insert(things).values(name=name))

        return work

    wanted = [store("one"), store("two"), store("one"), store("three")]
    found = await asyncio.gather(*map(database.store, wanted), return_exceptions=True)
    assert [type(one) for one in found] == [type(None), type(None), IntegrityError, type(None)]
    assert await names(database) == ["one, first", "one", "two, first", "two", "three, first", "three"]


async def test_storing_waits_for_another_process_that_writes(database: Database) -> None:
    async with database.engine.connect() as other:
        await other.execution_options(sqlite_begin="IMMEDIATE")
        async with other.begin():
            await other.execute(insert(things).values(name="one"))
            adding = insert(things).values(name="two")
            storing = asyncio.create_task(database.store(lambda connection: connection.execute(adding).rowcount))
            await asyncio.sleep(0.05)
            assert not storing.done()
    assert await storing == 1
    assert await names(database) == ["one", "two"]


async def test_the_log_stays_short_however_often_something_is_stored(database: Database, tmp_path: Path) -> None:
    def store(name: str) -> Callable[[Connection], int]:
        adding = insert(things).values(name=name)
        return lambda connection: connection.execute(adding).rowcount

    longest = 0
    for at in range(4 * COMMITS):
        await database.store(store(f"thing {at}"))
        longest = max(longest, (tmp_path / "house.db-wal").stat().st_size)
    assert len(await names(database)) == 4 * COMMITS
    assert longest < (COMMITS + 2) * 8 * 4096


async def test_nobody_stores_while_he_holds_a_transaction_open(database: Database) -> None:
    async with database.write():
        with pytest.raises(RuntimeError, match="wait for itself"):
            await database.store(lambda connection: None)
