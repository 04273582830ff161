"""Connections are used again, closed ones are not, and none of them is lost to whoever asks next."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore2
import pytest

from tintype.backends.connections import Connections, Reply
from tintype.backends.dialling import Dialler
from tintype.backends.speaking import Patience, Place, Request

pytestmark = pytest.mark.anyio

BODY = b"x" * 1000
SECONDS = 5.0


@dataclass(slots=True)
class Shop:
    """A server that answers one request after the other on each connection; `gate` holds its answers back."""

    port: int = 0
    opened: int = 0
    closes: bool = False
    beside: bytes = b""  # sent with each answer, and no part of it
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))  # once for each request

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.writers.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.came.release()
                await self.gate.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY + self.beside)
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def shop(*, most: int = 10, kept: float = 30.0) -> AsyncGenerator[tuple[Shop, Connections]]:
    here = Shop()
    here.gate.set()
    server = await asyncio.start_server(here.serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    connections = Connections(Dialler(), ssl.create_default_context(), most=most, kept=kept)
    try:
        yield here, connections
    finally:
        here.gate.set()
        await connections.close()
        server.close()


async def asked(here: Shop, connections: Connections, seconds: float = SECONDS) -> bytes:
    """Ask, and read the answer to its end."""
    reply = await opened(here, connections, seconds)
    try:
        body = b""
        while piece := await reply.piece():
            body += piece
        return body
    finally:
        reply.close()


async def opened(here: Shop, connections: Connections, seconds: float = SECONDS) -> Reply:
    request = Request(Place("http", b"127.0.0.1", here.port), "GET", b"/", [(b"host", b"shop")])
    patience = Patience(seconds, asyncio.get_running_loop().time() + 10 * seconds)
    return await connections.send(request, patience)


async def test_one_after_the_other_uses_one_connection() -> None:
    async with shop() as (here, connections):
        for _ in range(5):
            assert await asked(here, connections) == BODY
        assert here.opened == 1


async def test_several_at_once_use_several_and_later_ones_the_same() -> None:
    async with shop() as (here, connections):
        here.gate.clear()
        asking = [asyncio.create_task(asked(here, connections)) for _ in range(4)]
        for _ in range(4):
            await here.came.acquire()
        here.gate.set()
        assert await asyncio.gather(*asking) == [BODY] * 4
        await asyncio.gather(*(asked(here, connections) for _ in range(4)))
        assert here.opened == 4


async def test_one_that_its_server_closed_is_not_used_again() -> None:
    async with shop() as (here, connections):
        here.closes = True
        for _ in range(3):
            assert await asked(here, connections) == BODY
            await here.writers[-1].wait_closed()
        assert here.opened == 3


async def test_one_that_brought_more_than_was_asked_for_is_not_used_again() -> None:
    async with shop() as (here, connections):
        here.beside = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake"
        for _ in range(3):
            assert await asked(here, connections) == BODY
        assert here.opened == 3


async def test_one_that_nobody_used_for_too_long_is_closed() -> None:
    async with shop(kept=0.0) as (here, connections):
        for _ in range(2):
            assert await asked(here, connections) == BODY
        assert here.opened == 2


async def test_an_answer_that_is_left_early_takes_its_connection_with_it() -> None:
    async with shop() as (here, connections):
        (await opened(here, connections)).close()
        assert await asked(here, connections) == BODY
        assert here.opened == 2


async def test_whoever_finds_no_room_waits_and_is_told_when_that_takes_too_long() -> None:
    async with shop(most=1) as (here, connections):
        here.gate.clear()
        first = asyncio.create_task(asked(here, connections))
        await here.came.acquire()
        with pytest.raises(httpcore2.PoolTimeout):
            await asked(here, connections, 0.05)
        second = asyncio.create_task(asked(here, connections))
        here.gate.set()
        assert [await first, await second] == [BODY, BODY]
        assert here.opened == 1


async def test_who_gives_up_leaves_room_for_others() -> None:
    async with shop(most=1) as (here, connections):
        here.gate.clear()
        for _ in range(3):
            asking = asyncio.create_task(asked(here, connections))
            await here.came.acquire()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        here.gate.set()
        assert await asked(here, connections) == BODY
