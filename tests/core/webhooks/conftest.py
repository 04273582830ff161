"""Webhooks on both kinds of database."""

from collections.abc import AsyncGenerator

import pytest

from tests.core.webhooks.desk import Desk, migrated, opened
from tests.servers import postgres_server
from tintype.backends.database import Database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
async def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Database]:
    if request.param == "sqlite":
        async with migrated(f"sqlite:///{tmp_path_factory.mktemp('webhooks') / 'test.db'}") as found:
            yield found
        return
    with postgres_server() as url:
        async with migrated(url) as found:
            yield found


@pytest.fixture
async def desk(database: Database) -> AsyncGenerator[Desk]:
    async with opened(database) as found:
        yield found
