"""A call to stop is heard also when something became due at that very moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tintype.core.recipes import Runner


class NothingDue:
    """An empty queue."""

    async def next_due(self, now: datetime) -> datetime | None:
        del now
        return None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_runner_that_was_just_woken_closes(anyio_backend: str) -> None:
    del anyio_backend
    policy = SimpleNamespace(at_once=1, idle=timedelta(seconds=30), lease=timedelta(seconds=7))
    empty = SimpleNamespace(policy=policy, records=NothingDue(), now=lambda: datetime.now(UTC))
    runner = Runner(cast("Any", empty), "a test")
    await runner.start(alone=False)
    for _ in range(3):
        await asyncio.sleep(0)
    runner.wake()
    async with asyncio.timeout(60):
        await runner.close()
