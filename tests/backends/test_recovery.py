"""A node's place among the others, on Postgres: it is given up whenever the node is told to end."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.backends.recovery import Watch

PATIENCE = 60.0
SLOW = "SELECT pg_sleep(600)"


@pytest.fixture
async def database() -> AsyncGenerator[Database]:
    with postgres_server() as url:
        opened = open_database(url)
        yield opened
        await opened.close()


async def test_a_node_that_is_told_to_end_in_the_middle_of_a_look_ends(database: Database) -> None:
    watch = Watch(database, "a node", _nobody, _nothing, seconds=0.01)
    event.listen(database.engine.sync_engine, "before_cursor_execute", _slowly, retval=True)
    await watch.start()
    await _until(database, "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query = :query")
    closing = asyncio.create_task(watch.close())
    await asyncio.wait({closing}, timeout=PATIENCE)
    assert closing.done()
    await _until(database, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND :query = :query")


async def _nobody() -> set[str]:
    return set()


async def _nothing(node: str) -> int:
    del node
    return 0


def _slowly(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> tuple[str, Any]:
    """Let the look at the own session last."""
    del connection, cursor, more
    return (SLOW if statement == "SELECT 1" else statement), parameters


async def _until(database: Database, holds: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.read() as connection:
                if (await connection.execute(text(holds), {"query": SLOW})).scalar_one():
                    return
            await asyncio.sleep(0.02)
