"""A database brought up by the migrations is the one that the code's tables describe, on both kinds."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import Connection

from tests.servers import postgres_server
from tintype.backends.database import Database, metadata, open_database, revision
from tintype.backends.migrations import HEAD, upgrade

for name in (
    "core.access",
    "core.accounts",
    "core.downloads",
    "core.feed",
    "core.files",
    "core.insights",
    "core.notifications",
    "core.notifications",
    "core.publishing",
    "core.recipes",
    "core.recipes",
    "core.webhooks",
    "backends.idempotency",
    "backends.recovery",
    "backends.journal",
):
    importlib.import_module(f"tintype.{name}")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path / 'test.db'}")
        yield opened
        await opened.close()
        return
    with postgres_server() as url:
        opened = open_database(url)
        yield opened
        await opened.close()


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_what_the_code_describes(database: Database) -> None:
    assert await revision(database) is None
    assert await upgrade(database) is True
    assert await revision(database) == HEAD
    assert await upgrade(database) is False
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_node_that_stands_in_the_way_of_a_migration_only_holds_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tintype.backends.migrations.PAUSE_SECONDS", 0.05)
    with postgres_server() as url:
        await _patient(url)
        opened = open_database(url)
        await upgrade(opened, "0011")
        async with await psycopg.AsyncConnection.connect(url) as node:
            # Who looks for a deadlock first is given up: here the migration.
            await node.execute("SET deadlock_timeout = '60s'")
            await node.execute("SELECT count(*) FROM picker_apps")  # 0012 changes this one last
            migrating = asyncio.create_task(upgrade(opened, "0012"))
            await _until_waiting(url)
            await node.execute("SELECT count(*) FROM credentials")  # which it has changed: each waits for the other
        assert await migrating is True
        assert await revision(opened) == "0012"
        await opened.close()


async def _patient(url: str) -> None:
    """Have everybody wait three seconds for a lock before a deadlock is looked for, once: it has to be there by then."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute(
            sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '3s'").format(sql.Identifier(owner.info.dbname))
        )


async def _until_waiting(url: str) -> None:
    async with asyncio.timeout(30), await psycopg.AsyncConnection.connect(url, autocommit=True) as looking:
        while True:
            if await (await looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted")).fetchall():
                return
            await asyncio.sleep(0.02)
