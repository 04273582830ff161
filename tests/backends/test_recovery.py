"""A node's place among the others, on Postgres: whoever is dead has heirs, whoever lives keeps what is his, however slow he is."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.servers import postgres_server
from tintype.backends.database import Database, lock_key, open_database
from tintype.backends.migrations import upgrade
from tintype.backends.recovery import Watch

PATIENCE = 60.0
OFTEN = 0.05  # seconds between two looks
SLOW = "SELECT pg_sleep(600)"
LISTED = "SELECT name FROM nodes"
SESSIONS = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = "
)


@pytest.fixture
async def database() -> AsyncGenerator[Database]:
    with postgres_server() as url:
        opened = open_database(url)
        await upgrade(opened)
        yield opened
        await opened.close()


@asynccontextmanager
async def watching(database: Database, node: str, *heirs: Callable[[str], Awaitable[int]]) -> AsyncGenerator[Watch]:
    watch = Watch(database, node, heirs=list(heirs), seconds=OFTEN)
    await watch.start()
    watch.look_after_others()
    try:
        yield watch
    finally:
        await watch.close()


async def test_a_node_that_is_told_to_end_in_the_middle_of_a_look_ends(database: Database) -> None:
    assert database.lock_engine is not None
    event.listen(database.lock_engine.sync_engine, "before_cursor_execute", _slowly, retval=True)
    watch = Watch(database, "a node", seconds=OFTEN)
    await watch.start()
    await _until(database, f"SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query = '{SLOW}'")
    closing = asyncio.create_task(watch.close())
    await asyncio.wait({closing}, timeout=PATIENCE)
    assert closing.done()
    await _until(database, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")


async def test_what_a_dead_node_had_goes_on_once_and_in_order(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    other = Watch(database, "dead", seconds=OFTEN)
    await other.start()
    async with watching(database, "alive", _heir("first", heard), _heir("then", heard)):
        await asyncio.sleep(20 * OFTEN)
        assert heard == [], "it lives"
        await other.close()
        await _until(database, "SELECT count(*) = 1 FROM nodes")
        await asyncio.sleep(20 * OFTEN)
    assert heard == [("first", "dead"), ("then", "dead")]
    assert await _names(database) == {"alive"}, "for the next to look after"


async def test_an_heir_who_fails_is_asked_again(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    await _list(database, "dead")

    async def fail_once(node: str) -> int:
        heard.append(("fails", node))
        if len(heard) == 1:
            raise OSError("not now")
        return 1

    async with watching(database, "alive", fail_once, _heir("then", heard)):
        await _until(database, "SELECT count(*) = 1 FROM nodes")
    assert heard == [("fails", "dead"), ("fails", "dead"), ("then", "dead")]


async def test_a_node_of_a_version_that_lists_none_is_known_by_its_jobs(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    busy = {"old"}

    async def requeue(node: str) -> int:
        heard.append(("requeued", node))
        busy.discard(node)
        return 1

    async with watching(database, "alive", requeue) as watch:
        watch.busy = lambda: _given(busy)
        async with asyncio.timeout(PATIENCE):
            while busy:  # noqa: ASYNC110 - a set has no such event
                await asyncio.sleep(OFTEN)
    assert heard == [("requeued", "old")]


async def test_a_node_whose_session_was_cut_is_among_the_others_again_whatever_they_thought(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    other = Watch(database, "cut off", seconds=OFTEN)
    await other.start()
    try:
        async with watching(database, "hasty", _heir("heir", heard)):
            for _ in range(3):
                session = await _session(database, "cut off")
                async with database.write() as connection:
                    await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": session})
                async with asyncio.timeout(PATIENCE):
                    while await _session(database, "cut off") in (None, session):  # noqa: ASYNC110 - the database tells nobody
                        await asyncio.sleep(OFTEN)
                    while await _names(database) != {"cut off", "hasty"}:  # noqa: ASYNC110 - as above
                        await asyncio.sleep(OFTEN)
            count = len(heard)
            await asyncio.sleep(20 * OFTEN)
            assert len(heard) == count, "it lives"
    finally:
        await other.close()


def _heir(name: str, heard: list[tuple[str, str]]) -> Callable[[str], Awaitable[int]]:
    async def inherit(node: str) -> int:
        heard.append((name, node))
        return 1

    return inherit


async def _given(names: set[str]) -> set[str]:
    return set(names)


def _slowly(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> tuple[str, Any]:
    """Let the look at who is listed last."""
    del connection, cursor, more
    return (SLOW if statement.startswith("SELECT nodes.name") else statement), parameters


async def _list(database: Database, node: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO nodes (name) VALUES (:name)"), {"name": node})


async def _names(database: Database) -> set[str]:
    async with database.read() as connection:
        return set((await connection.execute(text(LISTED))).scalars())


async def _session(database: Database, node: str) -> int | None:
    """The process of the database that holds a node's lock."""
    async with database.read() as connection:
        return await connection.scalar(text(SESSIONS + str(lock_key(f"node:{node}"))))


async def _until(database: Database, holds: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.read() as connection:
                if (await connection.execute(text(holds))).scalar_one():
                    return
            await asyncio.sleep(0.02)
