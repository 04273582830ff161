"""Connections are used again, closed ones are not, and none of them is lost to whoever asks next."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore2
import pytest

from tintype.backends.connections import Connections, Reply
from tintype.backends.dialling import Dialler
from tintype.backends.outbound import HttpOutbound, Outgoing, Policy
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
    sheds: str = ""  # what a kept connection gives instead of an answer: "end", "reset" or "half"
    shuts: bool = False  # its fresh ones too
    asked: list[bytes] = field(default_factory=list[bytes])  # the methods, as they came
    beside: bytes = b""  # sent with each answer, and no part of it
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))  # once for each request

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.writers.append(writer)
        answered = 0
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.came.release()
                self.asked.append(head.partition(b" ")[0])
                if (answered or self.shuts) and self.sheds:
                    self._shed(writer)
                    break
                await self.gate.wait()
                answered += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY + self.beside)
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _shed(self, writer: asyncio.StreamWriter) -> None:
        """End a connection as one that was closed while the request was on its way."""
        if self.sheds == "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        elif self.sheds == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


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


async def opened(here: Shop, connections: Connections, seconds: float = SECONDS, method: str = "GET") -> Reply:
    request = Request(Place("http", b"127.0.0.1", here.port), method, b"/", [(b"host", b"shop")])
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


@pytest.mark.parametrize("end", ["end", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_one_that_ends_just_when_it_is_used_again_is_replaced(end: str, method: str) -> None:
    async with shop() as (here, connections):
        here.sheds = end
        assert await asked(here, connections) == BODY
        reply = await opened(here, connections, method=method)
        reply.close()
        assert (reply.status, here.opened) == (200, 2)
        assert here.asked == [b"GET", method.encode(), method.encode()]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_may_have_changed_something_is_not_sent_again(method: str) -> None:
    async with shop() as (here, connections):
        here.sheds = "end"
        assert await asked(here, connections) == BODY
        with pytest.raises((httpcore2.NetworkError, httpcore2.RemoteProtocolError)):
            await opened(here, connections, method=method)
        assert here.asked == [b"GET", method.encode()]


async def test_what_was_answered_in_part_is_not_asked_again() -> None:
    async with shop() as (here, connections):
        here.sheds = "half"
        assert await asked(here, connections) == BODY
        with pytest.raises(httpcore2.RemoteProtocolError):
            await asked(here, connections)
        assert here.asked == [b"GET", b"GET"]


async def test_a_fresh_one_that_ends_is_not_replaced() -> None:
    async with shop() as (here, connections):
        assert await asked(here, connections) == BODY
        here.sheds, here.shuts = "end", True
        with pytest.raises(httpcore2.RemoteProtocolError):
            await asked(here, connections)
        assert here.opened == 2
        with pytest.raises(httpcore2.RemoteProtocolError):
            await asked(here, connections)
        assert here.opened == 3


async def test_asking_again_takes_no_longer_than_asking() -> None:
    async with shop(most=1) as (here, connections):
        here.sheds = "end"
        assert await asked(here, connections) == BODY
        here.gate.clear()  # nobody answers over the fresh one
        with pytest.raises(httpcore2.ReadTimeout):
            await asked(here, connections, 1.0)
        assert (here.opened, len(here.asked)) == (2, 3)
        here.sheds = ""
        here.gate.set()
        assert await asked(here, connections) == BODY  # and there is room


async def test_what_was_under_way_when_all_connections_ended_is_not_asked_again() -> None:
    async with shop() as (here, connections):
        assert await asked(here, connections) == BODY
        await here.came.acquire()
        here.gate.clear()
        asking = asyncio.create_task(asked(here, connections))
        await here.came.acquire()
        await connections.close()
        with pytest.raises((httpcore2.NetworkError, httpcore2.RemoteProtocolError)):
            await asking
        assert (here.opened, len(here.asked)) == (1, 2)


async def test_nobody_hears_of_a_kept_connection_that_ended() -> None:
    async with shop() as (here, _):
        here.sheds = "end"
        outbound = HttpOutbound(allow=(f"127.0.0.1:{here.port}",))
        policy = Policy(total_seconds=SECONDS, first_byte_seconds=SECONDS)
        try:
            for _ in range(4):
                answer = await outbound.send(Outgoing("GET", f"http://127.0.0.1:{here.port}/"), policy)
                assert answer.body == BODY
        finally:
            await outbound.close()
        assert here.opened == 4
