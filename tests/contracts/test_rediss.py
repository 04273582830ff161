"""Redis by `rediss://`, as Upstash serves it: TLS, a certificate that is looked at, a user and a password with special letters."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from redis import Redis

from tests.authority import certify
from tests.servers import redis_server
from tintype.backends.bus import RedisBus
from tintype.backends.cache import RedisCache
from tintype.errors import Unavailable
from tintype.events import Event, MediaSynced

PASSWORD = "AX+/=@:planted"
SYNCED = MediaSynced("w", "a", changed=True)


@asynccontextmanager
async def veiled(port: int, tls: ssl.SSLContext) -> AsyncGenerator[int]:
    """Speak TLS on a free port for a server on another one that speaks none."""

    async def flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(flow(reader, far_writer), flow(far_reader, writer))

    server = await asyncio.start_server(both_ways, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    tls, authority = certify(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with redis_server() as plain:
        behind: Any = Redis.from_url(plain)  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
        with behind:
            behind.config_set("requirepass", PASSWORD)
        async with veiled(urlsplit(plain).port or 0, tls) as port:
            yield f"rediss://default:{quote(PASSWORD, safe='')}@localhost:{port}"


async def test_a_cache_works_by_tls_with_user_and_password(address: str) -> None:
    cache = RedisCache(address, prefix="mine:")
    await cache.health()
    await cache.set("k", b"value", 60)
    assert await cache.get("k") == b"value"
    assert await cache.incr("n", 60) == 1
    await cache.close()


async def test_nodes_tell_each_other_by_tls(address: str) -> None:
    one, other, heard = RedisBus(address, prefix="mine:"), RedisBus(address, prefix="mine:"), asyncio.Queue[Event]()
    other.subscribe(heard.put_nowait)
    await one.start()
    await other.start()
    await one.publish(SYNCED)
    assert await asyncio.wait_for(heard.get(), 30) == SYNCED
    await one.close()
    await other.close()


@pytest.mark.parametrize("wrong", ["password", "name", "authority"])
async def test_who_cannot_be_trusted_is_away(address: str, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    if wrong == "password":
        address = address.replace(quote(PASSWORD, safe=""), "another")
    elif wrong == "name":
        address = address.replace("@localhost:", "@127.0.0.1:")
    else:
        monkeypatch.delenv("SSL_CERT_FILE")
    cache = RedisCache(address, prefix="mine:")
    with pytest.raises(Unavailable) as found:
        await cache.health()
    assert "planted" not in found.value.message
    await cache.close()
