"""Last uses of credentials: written once in some minutes, by whichever process comes first, and never worth an error."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import postgres_server
from tintype.backends.bus import MemoryBus
from tintype.backends.database import Database, open_database
from tintype.backends.migrations import upgrade
from tintype.core.access import Access, AccessRecords, Grant, Issued, Uses

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Database]:
    async with opened(f"sqlite:///{tmp_path / 'test.db'}") as one:
        if request.param == "sqlite":
            yield one
            return
    with postgres_server() as url:
        async with opened(url) as one:
            yield one


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    database = open_database(url)
    try:
        await upgrade(database)
        yield database
    finally:
        await database.close()


def access_to(database: Database, clock: list[datetime]) -> Access:
    """Return what one process has, at the time of `clock`."""
    records = AccessRecords(database)
    return Access(records, MemoryBus(), Uses(records.uses(), lambda: clock[0]))


async def used(access: Access, issued: Issued, grant: Grant = Grant.WORKSPACE) -> datetime | None:
    """Show a credential, and return when it was last used as its owner sees it then."""
    await access.who(issued.secret, grant)
    await access.uses.close()
    found = {one.id: one for one in await access.credentials(issued.credential.workspace_id)}
    return found[issued.credential.id].used_at


async def test_a_use_is_written_once_in_five_minutes(database: Database) -> None:
    clock = [NOW]
    access = access_to(database, clock)
    _, token = await access.register("Bakery")
    assert (await access.credentials(token.credential.workspace_id))[0].used_at is None
    assert await used(access, token) == NOW
    clock[0] = NOW + 4 * MINUTE
    assert await used(access, token) == NOW
    clock[0] = NOW + 5 * MINUTE
    assert await used(access, token) == NOW + 5 * MINUTE


async def test_each_credential_has_a_time_of_its_own(database: Database) -> None:
    clock = [NOW]
    access = access_to(database, clock)
    workspace, token = await access.register("Bakery")
    key = await access.issue(workspace.id, Grant.FEED)
    assert await used(access, token) == NOW
    clock[0] = NOW + MINUTE
    assert await used(access, key, Grant.FEED) == NOW + MINUTE
    assert await used(access, token) == NOW


async def test_what_another_process_wrote_lately_stays(database: Database) -> None:
    first, second = [NOW], [NOW + 3 * MINUTE]
    access = access_to(database, first)
    _, token = await access.register("Bakery")
    assert await used(access, token) == NOW
    assert await used(access_to(database, second), token) == NOW
    assert await used(access_to(database, [NOW - MINUTE]), token) == NOW  # its clock is behind


async def test_where_nothing_can_be_written_a_credential_is_as_good(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    access = access_to(database, [NOW])
    _, token = await access.register("Bakery")
    async with database.write() as connection:
        await connection.exec_driver_sql(READ_ONLY[database.engine.dialect.name])
    async with opened(database.url) as read_only:
        assert await used(access_to(read_only, [NOW]), token) is None
    assert "last uses of 1 credentials were not written" in caplog.text


# What a copy that is only read from says to a writer; each database says it in a way of its own.
READ_ONLY = {
    "sqlite": "CREATE TRIGGER read_only BEFORE UPDATE ON credentials BEGIN SELECT RAISE(ABORT, 'read-only'); END",
    "postgresql": "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database())"
    " || ' SET default_transaction_read_only = on'; END $$",
}
