"""Keys whose requests were cut off are free again soon, and those of slow requests are not, on both kinds of database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.servers import postgres_server
from tintype.backends import idempotency as here
from tintype.backends.database import open_database
from tintype.backends.idempotency import Idempotency, Running, Stored
from tintype.backends.migrations import upgrade
from tintype.backends.vault import Vault, new_key
from tintype.errors import Conflict, Mismatch


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
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs says so every second."""
    monkeypatch.setattr(here, "RUNNING", timedelta(seconds=4))


@pytest.fixture(autouse=True)
async def clean(kept: Idempotency) -> None:
    async with kept.database.write() as connection:
        await connection.execute(here.answers.delete())


async def aged(kept: Idempotency) -> None:
    """Let a while pass since anybody said that a request is still running."""
    async with kept.database.write() as connection:
        await connection.execute(here.answers.update().values(at=datetime.now(UTC) - 2 * here.RUNNING))


async def oldest(kept: Idempotency) -> datetime:
    """Return when something was last heard of the request that was heard of least."""
    async with kept.database.read() as connection:
        return (await connection.execute(select(here.answers.c.at).order_by(here.answers.c.at))).scalars().all()[0]


async def test_a_request_that_was_cut_off_may_be_tried_again_soon(kept: Idempotency) -> None:
    assert await kept.begin("scope", "cut off", b"body") is None
    with pytest.raises(Conflict):
        await kept.begin("scope", "cut off", b"body")
    await aged(kept)
    assert await kept.begin("scope", "cut off", b"body") is None


async def test_a_slow_request_keeps_its_key(kept: Idempotency) -> None:
    assert await kept.begin("scope", "slow", b"body") is None
    async with kept.held("scope", "slow"):
        for _ in range(2):
            await aged(kept)
            while await oldest(kept) < datetime.now(UTC) - here.RUNNING:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
            with pytest.raises(Conflict):
                await kept.begin("scope", "slow", b"body")
    await kept.finish("scope", "slow", Stored(201, "{}"))
    await aged(kept)
    assert await kept.begin("scope", "slow", b"body") == Stored(201, "{}")


async def test_an_answer_is_forgotten_after_a_day_by_its_key_and_by_the_way_others_are(kept: Idempotency) -> None:
    for key in ("old", "other"):
        assert await kept.begin("scope", key, b"body") is None
        await kept.finish("scope", key, Stored(201, "{}"))
    with pytest.raises(Mismatch):
        await kept.begin("scope", "old", b"another body")
    async with kept.database.write() as connection:
        await connection.execute(here.answers.update().values(at=datetime.now(UTC) - here.KEPT))
    assert await kept.begin("scope", "old", b"another body") is None
    for number in range(2000):  # one in 256 sweeps
        await kept.begin("scope", f"new {number}", b"body")
        if await stored(kept) == 2 + number:
            return
    raise AssertionError("what was too old is still there")


async def stored(kept: Idempotency) -> int:
    async with kept.database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(here.answers)) or 0


async def test_of_several_at_once_one_has_the_key(kept: Idempotency) -> None:
    begun = [kept.begin("scope", "at once", b"body") for _ in range(8)]
    found = await asyncio.gather(*begun, return_exceptions=True)
    assert [each for each in found if not isinstance(each, Running)] == [None]
