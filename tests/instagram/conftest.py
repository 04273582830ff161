"""What the tests of the Instagram library share: asyncio alone, as in the product, and one pretend Instagram."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.instagram.pretend import Pretend, running
from tintype.backends.outbound import HttpOutbound
from tintype.instagram import Graph


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served() -> Iterator[Pretend]:
    with running() as pretend:
        yield pretend


@pytest.fixture
def pretend(served: Pretend) -> Pretend:
    """A world as new."""
    served.post("/reset", seed=7)
    return served


@pytest.fixture
async def graph(pretend: Pretend) -> AsyncIterator[Graph]:
    """The library pointed at the pretend Instagram, as one setting does it in the product."""
    outbound = HttpOutbound(instagram_origin=pretend.origin)
    yield Graph(outbound, "v25.0", 10)
    await outbound.close()
