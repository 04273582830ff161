"""One fresh pretend Instagram per test."""

from collections.abc import AsyncGenerator

import pytest

from tests.simulator.visitor import Visitor, visiting


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio is what the servers run on."""
    return "asyncio"


@pytest.fixture
async def visitor() -> AsyncGenerator[Visitor]:
    async with visiting() as one:
        yield one
