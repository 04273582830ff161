"""Kept connections of the way out, by the place they lead to.

The one that was used last is used again first, so that what nobody needs grows old. Finding one does not depend on how many
there are, where httpcore's own pool looks at each of them at every beginning and end of a request.
"""

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import httpcore2

from tintype.backends.speaking import Head, Line, Patience, Place, Request

_REPEATABLE = frozenset({"GET", "HEAD"})  # nothing happens by them, so nothing happens twice


@dataclass(slots=True)
class _Kept:
    """A connection that nobody uses, and when it is given up."""

    line: Line
    until: float


class Connections:
    """Sends requests over at most `most` connections at a time; an idle one is kept for `kept` seconds."""

    def __init__(self, dial: httpcore2.AsyncNetworkBackend, context: ssl.SSLContext, *, most: int, kept: float) -> None:
        self._dial = dial
        self._context = context
        context.set_alpn_protocols(["http/1.1"])
        self._kept = kept
        self._room = asyncio.Semaphore(most)
        self._idle: defaultdict[Place, list[_Kept]] = defaultdict(list)
        self._busy: set[Line] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_over = False  # as a whole: what ends now was ended here

    async def send(self, request: Request, patience: Patience) -> "Reply":
        """Return the answer's beginning; whoever reads its body closes it. Raises httpcore's errors.

        A GET or HEAD is sent once more, over a new connection, when a kept one ends before anything of the answer came.
        Raises `PoolTimeout` when no connection is free for as long as silence is borne, `TimeoutError` at the deadline.
        """
        await self._enter(patience)
        try:
            line, head = await self._asked(request, patience)
        except BaseException:
            self._room.release()
            raise
        return Reply(self, line, request.place, patience, head.status, head.headers)

    async def close(self) -> None:
        """End all connections; what is under way on them is not asked again."""
        self._is_over = True
        for line in [*self._busy, *(one.line for idle in self._idle.values() for one in idle)]:
            self._end(line)
        self._idle.clear()
        await asyncio.gather(*self._closing)

    def give_back(self, line: Line, place: Place) -> None:
        """Take back a connection whose answer nobody reads any more, to its end or not."""
        self._room.release()
        now, idle = time.monotonic(), self._idle[place]
        if line in self._busy and line.is_over():
            self._busy.discard(line)
            idle.append(_Kept(line, now + self._kept))
        else:
            self._end(line)
        if idle and idle[0].until < now:  # the one that nobody needed for longest
            self._end(idle.pop(0).line)

    async def _asked(self, request: Request, patience: Patience) -> tuple[Line, Head]:
        kept = self._chosen(request.place)
        if kept is not None:
            try:
                return kept, await self._over(kept, request, patience)
            except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
                # Its server may have closed it while the request was on its way, which says nothing about the server.
                if kept.heard or self._is_over or not _is_repeatable(request):
                    raise
        fresh = await self._opened(request.place, patience)
        return fresh, await self._over(fresh, request, patience)

    async def _over(self, line: Line, request: Request, patience: Patience) -> Head:
        self._busy.add(line)
        try:
            return await line.ask(request, patience)
        except BaseException:
            self._end(line)
            raise

    async def _enter(self, patience: Patience) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(patience.left()):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpcore2.PoolTimeout("no connection is free") from error

    async def _opened(self, place: Place, patience: Patience) -> Line:
        host = place.host.decode("ascii")
        async with asyncio.timeout_at(patience.deadline):
            stream = await self._dial.connect_tcp(host, place.port, patience.silence)
            if place.scheme == "https":
                stream = await stream.start_tls(self._context, host, patience.silence)
        return Line(stream)

    def _chosen(self, place: Place) -> Line | None:
        idle, now = self._idle[place], time.monotonic()
        while idle:
            kept = idle.pop()
            # What can be read from one that nobody uses is its end, or nothing that was asked for.
            if kept.until >= now and not kept.line.stream.get_extra_info("is_readable"):
                return kept.line
            self._end(kept.line)
        return None

    def _end(self, line: Line) -> None:
        self._busy.discard(line)
        task = asyncio.get_running_loop().create_task(line.stream.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


@dataclass(slots=True)
class Reply:
    """An answer whose body is still to come; closing it gives its connection back."""

    connections: Connections
    line: Line
    place: Place
    patience: Patience
    status: int
    headers: Sequence[tuple[bytes, bytes]]
    is_closed: bool = False

    @property
    def stream(self) -> httpcore2.AsyncNetworkStream:
        """The connection itself, for whoever wants to know where it leads."""
        return self.line.stream

    async def piece(self) -> bytes:
        """Return the next bytes of the body; nothing at its end. Raises httpcore's errors."""
        return await self.line.piece(self.patience)

    def close(self) -> None:
        """Be done with it, whether it was read to its end or not."""
        if not self.is_closed:
            self.is_closed = True
            self.connections.give_back(self.line, self.place)


def _is_repeatable(request: Request) -> bool:
    return request.method in _REPEATABLE and isinstance(request.body, bytes)
