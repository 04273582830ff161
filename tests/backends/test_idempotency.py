"""Keys whose requests were cut off are free again soon, and those of slow requests are not, on both kinds of database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers import postgres_server
from tintype.backends import idempotency as here
from tintype.backends.database import open_database
from tintype.backends.idempotency import Idempotency, Stored
from tintype.backends.migrations import upgrade
from tintype.backends.vault import Vault, new_key
from tintype.errors import Conflict

PATIENCE = timedelta(seconds=0.8)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
async def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Idempotency]:
    with ExitStack() as stack:
        folder: Path = tmp_path_factory.mktemp("idempotency")
        sqlite = request.param == "sqlite"
        url = f"sqlite:///{folder / 'test.db'}" if sqlite else stack.enter_context(postgres_server())
        database = open_database(url)
        try:
            await upgrade(database)
            yield Idempotency(database, Vault.of(new_key()))
        finally:
            await database.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "RUNNING", PATIENCE)


async def test_a_request_that_was_cut_off_may_be_tried_again_soon(kept: Idempotency) -> None:
    assert await kept.begin("scope", "cut off", b"body") is None
    with pytest.raises(Conflict):
        await kept.begin("scope", "cut off", b"body")
    await asyncio.sleep(PATIENCE.total_seconds() + 0.1)
    assert await kept.begin("scope", "cut off", b"body") is None


async def test_a_slow_request_keeps_its_key(kept: Idempotency) -> None:
    assert await kept.begin("scope", "slow", b"body") is None
    async with kept.held("scope", "slow"):
        await asyncio.sleep(3 * PATIENCE.total_seconds())
        with pytest.raises(Conflict):
            await kept.begin("scope", "slow", b"body")
    await kept.finish("scope", "slow", Stored(201, "{}"))
    await asyncio.sleep(PATIENCE.total_seconds() + 0.1)
    assert await kept.begin("scope", "slow", b"body") == Stored(201, "{}")
