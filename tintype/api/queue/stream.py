"""GET /api/queue/stream as plain ASGI: with five thousand clients every layer in between would be paid five thousand times.

First the greeting, so that no proxy waits for bytes; then what the client missed (Last-Event-ID), or how things stand; then
what happens, as it happens.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tintype.api.callers import address
from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.dialect import QUEUE
from tintype.api.queue.hub import Stream
from tintype.api.queue.reading import item_id_of, statuses_of
from tintype.api.queue.wire import frame, stamp
from tintype.errors import RateLimited, Trouble

PATH = "/api/queue/stream"
RECONNECT = b"retry: 5000\n\n"  # the document says that clients come back after 5 to 10 seconds
# The web server takes whatever it is given and never says that a client does not read. So a stream ends after so many
# bytes, and the client comes back at once with its place: who does not read holds that much of our memory, and no more.
BUDGET = 1024 * 1024
AT_ONCE = b"retry: 100\n\n"

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"connection", b"keep-alive"),
)


class StreamRoute:
    """Answers requests for the stream."""

    def __init__(self, desk: QueueDesk) -> None:
        self._desk = desk
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it goes away, is too slow, or the house closes."""
        request = Request(scope, receive)
        try:
            stream = await self._admitted(request)
        except Trouble as trouble:
            await QUEUE.refuse(trouble, request.headers.get("accept", ""))(scope, receive, send)
            return
        who = address(request, self._desk.limiter.trusted)
        self._open[who] += 1
        stream.task = asyncio.current_task()
        try:
            await self._serve(stream, _place(request), receive, send)
        except asyncio.CancelledError:
            if not stream.closed:
                raise
        finally:
            self._desk.hub.leave(stream)
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    async def _admitted(self, request: Request) -> Stream:
        """Say no while that can still be said with a status."""
        self._desk.gate.check(request)
        query = request.query_params
        item_id = item_id_of(query["itemId"]) if "itemId" in query else None
        statuses = frozenset(status.value for status in statuses_of(query.getlist("status")))
        if item_id is not None:
            await self._desk.recipes.get(item_id)
        most = self._desk.streams_per_client
        if most and self._open[address(request, self._desk.limiter.trusted)] >= most:
            raise RateLimited(f"more than {most} streams are open from this address", retry_after=5)
        return Stream(item_id, statuses)

    async def _serve(self, stream: Stream, place: int | None, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_gone(stream, receive))
        try:
            identity = (b"x-request-id", uuid4().hex.encode())
            await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, identity]})
            now = stamp(self._desk.now())
            await _say(
                send, RECONNECT + frame("connection", {"message": "Connected to queue stream", "timestamp": now})
            )
            await self._desk.hub.join(stream)
            out = _Out(send)
            after = await self._catch_up(stream, place, out)
            await _follow(stream, after, out)
            await send({"type": "http.response.body", "body": b"" if out.left > 0 else AT_ONCE, "more_body": False})
        finally:
            leaving.cancel()
            with suppress(asyncio.CancelledError):
                await leaving

    async def _catch_up(self, stream: Stream, place: int | None, out: "_Out") -> int:
        """Send what the client missed, or how things stand; return the place behind which it goes on."""
        hub = self._desk.hub
        if place is not None:
            first, last = await self._desk.recipes.ends()
            if first - 1 <= place <= last:
                async for number, piece in hub.replay(stream, place):
                    place = number
                    await out.say(piece)
                    if out.left <= 0:
                        break
                return place
            await out.say(frame("reset", {"timestamp": stamp(self._desk.now()), "lastEventId": str(place)}))
        after, pieces = await hub.snapshot(stream)
        await out.say(pieces)
        return after


@dataclass(slots=True)
class _Out:
    """What goes to one client, and how much of it may still."""

    send: Send
    left: int = BUDGET

    async def say(self, piece: bytes) -> None:
        if piece:
            self.left -= len(piece)
            await _say(self.send, piece)


async def _follow(stream: Stream, after: int, out: _Out) -> None:
    while not stream.closed and out.left > 0:
        await stream.something.wait()
        stream.something.clear()
        pieces = [piece for number, piece in stream.waiting if number > after or not number]
        stream.waiting.clear()
        await out.say(pieces[0] if len(pieces) == 1 else b"".join(pieces))


async def _say(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()


def _place(request: Request) -> int | None:
    """Return the last event that a client has seen; nonsense counts as a place that nobody knows."""
    given = request.headers.get("last-event-id") or request.query_params.get("lastEventId")
    if not given:
        return None
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else -1
