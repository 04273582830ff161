"""Values that Postgres keeps in no column: the caller is told, as for anything else that is wrong, and nothing breaks."""

from collections.abc import AsyncGenerator, Generator

import pytest
from sqlalchemy import text

from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.errors import Invalid


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
async def database(address: str) -> AsyncGenerator[Database]:
    found = open_database(address)
    yield found
    await found.close()


VALUES: dict[str, tuple[str, object]] = {
    "text": ("SELECT CAST(:value AS VARCHAR)", "a\0b"),
    "json": ("SELECT CAST(:value AS JSONB) ->> 'a'", '{"a": "\\u0000"}'),
    "number": ("SELECT CAST(CAST(:value AS VARCHAR) AS INTEGER)", "9" * 30),
}


@pytest.mark.parametrize("kind", VALUES)
async def test_a_value_that_nothing_keeps_is_the_askers_fault(database: Database, kind: str) -> None:
    statement, value = VALUES[kind]
    with pytest.raises(Invalid):
        async with database.read() as connection:
            await connection.execute(text(statement), {"value": value})
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
