"""What the tests of recipes share: they run on asyncio alone, as the product does."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
