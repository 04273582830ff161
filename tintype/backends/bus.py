"""Carries events to everybody who listens: at once within this process, and through Redis to the other nodes.

Events announce what is already stored, so a lost one makes nobody wrong for longer than the listener's own expiry. The
bus therefore fails open: a Redis that is away is logged, and neither the publisher nor a listener notices.
"""

import asyncio
import contextlib
import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import uuid4

from tintype.errors import Unavailable
from tintype.events import EVENTS, Event

if TYPE_CHECKING:
    from tintype.backends.redis import Wire

log = logging.getLogger(__name__)

Handler = Callable[[Event], Awaitable[None] | None]

_RECONNECT_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
_BY_NAME = {kind.__name__: kind for kind in EVENTS}


class Bus(Protocol):
    """Takes events and calls whoever subscribed, on every node."""

    async def publish(self, event: Event) -> None:
        """Announce an event; the listeners of this process have been called when this returns."""
        ...

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Call `handler` for every event from now on; the returned function ends that."""
        ...

    async def start(self) -> None:
        """Begin to listen to the other nodes."""
        ...

    async def close(self) -> None:
        """Stop listening."""
        ...


class MemoryBus:
    """The bus that needs nothing and reaches this process only; see `Bus`."""

    def __init__(self) -> None:
        self._handlers: dict[object, Handler] = {}

    async def publish(self, event: Event) -> None:
        for handler in list(self._handlers.values()):
            try:
                waiting = handler(event)
                if inspect.isawaitable(waiting):
                    await waiting
            except Exception:
                # What is announced is already true: one listener's trouble is neither the publisher's nor another's.
                log.exception("a listener failed on %s", type(event).__name__)

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        ticket = object()
        self._handlers[ticket] = handler

        def unsubscribe() -> None:
            self._handlers.pop(ticket, None)

        return unsubscribe

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        self._handlers.clear()


class RedisBus:
    """A bus over a Redis channel: at once here, soon on the other nodes, never twice on one; see `Bus`."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._near = MemoryBus()
        self._wire = _wire(url)
        self._channel = f"{prefix}events"
        self._node = uuid4().hex
        self._listening: asyncio.Task[None] | None = None

    async def publish(self, event: Event) -> None:
        await self._near.publish(event)
        try:
            await self._wire.call("PUBLISH", self._channel, self._node.encode() + encode(event))
        except Unavailable:
            log.warning("other nodes do not learn of %s: Redis does not answer", type(event).__name__)

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        return self._near.subscribe(handler)

    async def start(self) -> None:
        """Begin to listen; returns once this is so, or once it is known that Redis is away for now."""
        tried = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(tried))
        await tried.wait()

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await self._near.close()
        await self._wire.close()

    async def _listen(self, tried: asyncio.Event) -> None:
        failures = 0
        while True:
            try:
                async with self._wire.subscribed(self._channel) as messages:
                    if failures:
                        log.info("hearing other nodes again through Redis")
                    failures = 0
                    tried.set()
                    async for message in messages:
                        await self._heard(message)
            except Unavailable as trouble:
                if failures == 0:
                    log.warning("other nodes are not heard for now: %s", trouble.message)
                tried.set()
                await asyncio.sleep(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)])
                failures += 1

    async def _heard(self, message: bytes) -> None:
        node, body = message[: len(self._node)], message[len(self._node) :]
        event = decode(body)
        if node != self._node.encode() and event is not None:
            await self._near.publish(event)


def encode(event: Event) -> bytes:
    """Return an event as JSON: its name as `type`, and its fields."""
    return json.dumps({"type": type(event).__name__, **asdict(event)}, separators=(",", ":")).encode()


def decode(text: bytes) -> Event | None:
    """Return the event behind a JSON text; None for one that this version does not know, from a newer node perhaps."""
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    given = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
    kind = _BY_NAME.get(str(given.get("type")))
    if kind is None:
        return None
    known: dict[str, Any] = {each.name: given.get(each.name) for each in fields(kind)}
    fits = all(type(known[each.name]) is each.type for each in fields(kind))
    return kind(**known) if fits else None


def _wire(url: str) -> "Wire":
    # Loaded only where Redis is configured: the library costs a process 11 MB.
    from tintype.backends.redis import Wire

    return Wire(url)
