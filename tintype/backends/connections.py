"""Kept connections of the way out, by the place they lead to.

The one that was used last is used again first, so that what nobody needs grows old. Finding one does not depend on how many
there are, where httpcore's own pool looks at each of them at every beginning and end of a request.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, cast

import httpcore2

_Place = tuple[bytes, bytes, int]


class Connections:
    """Sends requests over at most `most` connections at a time; an idle one is kept for `kept` seconds."""

    def __init__(self, dial: httpcore2.AsyncNetworkBackend, context: ssl.SSLContext, *, most: int, kept: float) -> None:
        self._dial = dial
        self._context = context
        self._kept = kept
        self._room = asyncio.Semaphore(most)
        self._idle: defaultdict[_Place, list[httpcore2.AsyncHTTPConnection]] = defaultdict(list)
        self._busy: set[httpcore2.AsyncHTTPConnection] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, request: httpcore2.Request, seconds: float) -> httpcore2.Response:
        """Return the answer's beginning; whoever reads its body closes it. Raises httpcore's errors.

        Raises `PoolTimeout` when no connection is free for so many seconds.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpcore2.PoolTimeout("no connection is free") from error
        origin = request.url.origin
        idle = self._idle[origin.scheme, origin.host, origin.port]
        while True:
            connection = self._chosen(idle) or self._opened(origin)
            self._busy.add(connection)
            try:
                response = await connection.handle_async_request(request)
            except httpcore2.ConnectionNotAvailable:  # its server closed it at this very moment
                self._busy.discard(connection)
            except BaseException:
                self._given_back(connection, idle)
                raise
            else:
                break
        body = _Body(cast("AsyncIterable[bytes]", response.stream), partial(self._given_back, connection, idle))
        said = cast("dict[str, Any]", response.extensions)
        return httpcore2.Response(response.status, headers=response.headers, content=body, extensions=said)

    async def close(self) -> None:
        """End all connections."""
        for connection in [*self._busy, *(one for idle in self._idle.values() for one in idle)]:
            self._end(connection)
        self._idle.clear()
        await asyncio.gather(*self._closing)

    def _opened(self, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        return httpcore2.AsyncHTTPConnection(
            origin, ssl_context=self._context, keepalive_expiry=self._kept, network_backend=self._dial
        )

    def _chosen(self, idle: list[httpcore2.AsyncHTTPConnection]) -> httpcore2.AsyncHTTPConnection | None:
        while idle:
            connection = idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            self._end(connection)
        return None

    def _given_back(self, connection: httpcore2.AsyncHTTPConnection, idle: list[httpcore2.AsyncHTTPConnection]) -> None:
        self._room.release()
        self._busy.discard(connection)
        if connection.is_idle() and not connection.is_closed():
            idle.append(connection)
        else:
            self._end(connection)
        if idle and idle[0].has_expired():  # the one that nobody needed for longest
            self._end(idle.pop(0))

    def _end(self, connection: httpcore2.AsyncHTTPConnection) -> None:
        if connection.is_closed():
            return
        task = asyncio.get_running_loop().create_task(connection.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Body:
    """An answer's body, whose end gives its connection back."""

    def __init__(self, stream: AsyncIterable[bytes], ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended = ended
        self._closed = False

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async with aclosing(cast("AsyncGenerator[bytes]", aiter(self._stream))) as pieces:
            async for piece in pieces:
                yield piece

    async def aclose(self) -> None:
        """Be done with it, whether it was read to its end or not."""
        if self._closed:
            return
        self._closed = True
        try:
            await cast("Any", self._stream).aclose()
        finally:
            self._ended()
