"""One house and one browser for a module; each test opens a shop and a context of its own."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser

from tests.browser.shop import Shop, opened_shop
from tests.walks.stage import Stage, staged
from tests.windows import chromium
from tintype.core.files import CALLBACK


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio is what the product runs on."""
    return "asyncio"


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        one.pretend.post("/reset", redirect_uris=[one.house.settings.address() + CALLBACK])
        yield one


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium() as one:
        yield one


@pytest.fixture
async def shop(stage: Stage) -> AsyncGenerator[Shop]:
    async with opened_shop(stage) as one:
        yield one
