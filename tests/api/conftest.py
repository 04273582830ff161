"""What the tests of the HTTP dialects share: asyncio alone, as in the product, and one served house per module."""

from collections.abc import AsyncIterator

import pytest

from tests.api.projects import CURRENT_KEY, NEXT_KEY, SYNC_SECRET, VERIFY_TOKEN
from tests.served import Served, served
from tests.walks.stage import Stage, staged


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    """A house that is open to everybody and counts nobody's requests."""
    async with served(
        sync_internal_secret=SYNC_SECRET,
        qstash_current_signing_key=CURRENT_KEY,
        qstash_next_signing_key=NEXT_KEY,
        webhook_verify_token=VERIFY_TOKEN,
        rate_limit_per_minute=0,
        max_body_bytes=65_536,
    ) as house:
        yield house


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncIterator[Stage]:
    """A house and the pretend Instagram under one clock; never in a module that opens another house."""
    del anyio_backend
    async with staged() as one:
        yield one
