"""One house per module: opening one takes a second, and people in it do not disturb each other."""

from collections.abc import AsyncGenerator

import pytest

from tests.walks.stage import Stage, staged


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio is what the product runs on."""
    return "asyncio"


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        yield one
