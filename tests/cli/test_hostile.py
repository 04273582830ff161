"""`tintype doctor --hostile`: everything is tried on a server that stands, and on one that gives way."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.programs import run
from tests.served import served
from tintype.cli.hostility import Target, attack
from tintype.errors import Invalid, Unavailable


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


async def test_nothing_gets_through(tmp_path: Path) -> None:
    async with served(rate_limit_per_minute=0, rate_limit_max_requests=0, picker_writes_per_minute=0) as door:
        workspace, issued = await door.house.access.register("Ours")
        url, token = str(door.client.base_url), issued.secret
        done = await asyncio.to_thread(run, tmp_path, "doctor", "--hostile", url, "--json", TINTYPE_TOKEN=token)
        found = json.loads(done.stdout)
        assert [one for one in found if one["state"] != "ok"] == []
        assert done.returncode == 0, done.stderr
        assert len(found) > 20
        assert await door.house.picking.apps.of_workspace(workspace.id) == []


@asynccontextmanager
async def pushover() -> AsyncGenerator[str]:
    """A server that believes everything: it repeats whatever it is told, and lets every page read it."""

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.read(65_536)
        said = heard.replace(b"\r\n", b" ")[:2000]
        headers = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nSet-Cookie: a=b\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(said)}\r\n\r\n".encode() + said)
        writer.close()

    server = await asyncio.start_server(obey, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_server_that_believes_everything_is_found_out() -> None:
    async with pushover() as url:
        found = {one.name: one.trouble for one in await attack(Target(url))}
    named = {
        "two lengths",
        "large bodies",
        "false hosts",
        "foreign pages",
        "foreign forms",
        "inner addresses",
        "odd methods",
    }
    assert {name for name in named if not found[name]} == set()


@pytest.mark.parametrize("url", ["https://instagram.example", "ftp://127.0.0.1", "nonsense"])
def test_nobody_elses_server_is_attacked(url: str) -> None:
    with pytest.raises(Invalid):
        Target(url).check(["127.0.0.1", "tintype.example"])
    Target("https://tintype.example/").check(["127.0.0.1", "tintype.example"])


async def test_nobody_there_is_said() -> None:
    with pytest.raises(Unavailable):
        await attack(Target("http://127.0.0.1:9"))
