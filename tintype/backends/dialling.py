"""Connections of the way out, on the loop itself: bytes lie ready in the order in which they came, and nothing else happens.

What httpcore brings along lays a second library's streams, scopes and checkpoints around every piece that is read.
"""

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any, cast

import httpcore2

from tintype.backends.journeys import step

_AHEAD = 256 * 1024  # bytes taken in before anybody wants them; past that the other side has to wait


class Dialler(httpcore2.AsyncNetworkBackend):
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a connection; raises httpcore's connect errors."""
        del socket_options
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                _, wire = await asyncio.get_running_loop().create_connection(_Wire, host, port, local_addr=local)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return _Connection(wire)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Nothing out there is a file."""
        raise httpcore2.UnsupportedProtocol("sockets of this machine are not called")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Wire(asyncio.Protocol):
    """One end of a connection: what came and was not read, and who waits for more."""

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()
        self.over = False
        self.failure: Exception | None = None
        self._size = 0
        self._held = False  # the other side has to wait
        self._full = False  # we have to
        self._waiting: asyncio.Future[bool] | None = None
        self._looking: select.poll | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self._size += len(data)
        if self._size > _AHEAD and not self._held:
            self._held = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self.failure = self.failure or exc
        self._full = False
        self._wake()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    async def read(self, most: int, seconds: float | None) -> bytes:
        """Return what came first, `most` bytes of it; nothing at the end."""
        while not self.pieces:
            if self.failure is not None:
                raise self.failure
            if self.over:
                return b""
            await self._change(seconds)
        piece = self.pieces.popleft()
        if len(piece) > most:
            self.pieces.appendleft(piece[most:])
            piece = piece[:most]
        self._size -= len(piece)
        if self._held and self._size <= _AHEAD // 2:
            self._held = False
            self.transport.resume_reading()
        return piece

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Hand bytes on, no faster than they go out."""
        if self.over:
            raise self.failure or ConnectionResetError("the connection is closed")
        self.transport.write(data)
        while self._full:
            await self._change(seconds)

    def has_news(self) -> bool:
        """Tell whether something came that nobody has read, be it the connection's end; also what the loop has not seen yet."""
        if self.pieces or self.over or self.transport.is_closing():
            return True
        if self._looking is None:
            self._looking = select.poll()
            self._looking.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(self._looking.poll(0))

    async def _change(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        # One alarm where asyncio.timeout() would be told, entered and left, for each piece of each answer.
        alarm = None if seconds is None else loop.call_later(seconds, _settle, waiting, False)
        try:
            if not await waiting:
                raise TimeoutError
        finally:
            self._waiting = None
            if alarm is not None:
                alarm.cancel()

    def _wake(self) -> None:
        if self._waiting is not None:
            _settle(self._waiting, True)


def _settle(waiting: "asyncio.Future[bool]", came: bool) -> None:
    if not waiting.done():
        waiting.set_result(came)


class _Connection(httpcore2.AsyncNetworkStream):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._wire.read(max_bytes, timeout)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        try:
            await self._wire.write(buffer, timeout)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._wire.transport.abort()
        await asyncio.sleep(0)  # the loop lets go of it in its next round

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        loop, wire = asyncio.get_running_loop(), self._wire
        try:
            with step("handshake"):
                async with asyncio.timeout(timeout):
                    secured = await loop.start_tls(wire.transport, wire, ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            wire.transport.abort()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:  # ssl.SSLError among them
            wire.transport.abort()
            raise httpcore2.ConnectError(str(error)) from error
        except BaseException:
            wire.transport.abort()
            raise
        assert secured is not None
        wire.transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        transport = self._wire.transport
        match info:
            case "is_readable":  # of a connection nobody waits for: it was closed, or it is of no use any more
                return self._wire.has_news()
            case "client_addr":
                return transport.get_extra_info("sockname")
            case "server_addr":
                return transport.get_extra_info("peername")
            case _:
                return transport.get_extra_info(info)
