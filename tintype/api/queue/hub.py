"""Where streams hang: one reader of the log of changes for all of them, one encoding of each change, and a short queue each.

The bus says that there is something new, in whatever process it happened; what it is, and in which order, is read from the
log. So nobody misses a change, and nobody sees one twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from tintype.api.queue.wire import Wire, frame, stamp
from tintype.core.recipes import Change, Item, Recipes
from tintype.errors import Unavailable
from tintype.events import Event, QueueItemChanged

log = logging.getLogger(__name__)

PING_SECONDS = 30.0
WAITING = 256  # changes that a slow client may be behind before it is sent away, to come back with its place
READ = 500  # lines of the log at a time
RETRY_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class Stream:
    """One client: what it wants to hear of, and what waits for it, each with its place in the log."""

    item_id: str | None
    statuses: frozenset[str]
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    something: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    task: "asyncio.Task[object] | None" = None

    def wants(self, item_id: str, item: Item | None) -> bool:
        """Tell whether a change passes the client's filters, by the status it led to."""
        if self.item_id is not None and item_id != self.item_id:
            return False
        return not self.statuses or item is None or item.status.value in self.statuses

    def give(self, number: int, piece: bytes) -> None:
        """Put something into the client's queue; a client that is too far behind is sent away."""
        if len(self.waiting) >= WAITING:
            self.close()
            return
        self.waiting.append((number, piece))
        self.something.set()

    def close(self) -> None:
        """End the stream; whoever is stuck in sending to it is freed."""
        self.closed = True
        self.something.set()
        if self.task is not None and len(self.waiting) >= WAITING:
            self.task.cancel()


class Hub:
    """Reads the log and hands each change to every stream that wants it."""

    def __init__(self, recipes: Recipes, wire: Wire) -> None:
        self._recipes = recipes
        self._wire = wire
        self._streams: set[Stream] = set()
        self._last = 0
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._snapshot: tuple[int, list[tuple[Item, bytes]]] | None = None

    def heard(self, event: Event) -> None:
        """Look into the log soon: the bus says that there is something."""
        if isinstance(event, QueueItemChanged):
            self._news.set()

    @property
    def open(self) -> int:
        """How many streams there are."""
        return len(self._streams)

    async def join(self, stream: Stream) -> None:
        """Let a stream hear of everything from now on."""
        async with self._starting:
            if self._reading is None:
                _, self._last = await self._recipes.ends()
                self._reading = asyncio.create_task(self._read_on())
        self._streams.add(stream)

    def leave(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.discard(stream)

    async def close(self) -> None:
        """End every stream, and the reading."""
        for stream in list(self._streams):
            stream.close()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def replay(self, stream: Stream, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield what a stream missed behind a place in the log, with the places."""
        while lines := await self._recipes.changes(after, READ):
            for change in lines:
                after = change.number
                wanted = stream.wants(change.item_id, change.item)
                yield change.number, self._wire.frame(change) if wanted else b""

    async def snapshot(self, stream: Stream) -> tuple[int, bytes]:
        """Return how the items stand that a stream wants to hear of, and the place in the log behind which it goes on."""
        if stream.item_id is not None:
            _, last = await self._recipes.ends()
            item = await self._recipes.get(stream.item_id)
            active = [(item, frame("queue-update", self._wire.update(item)))]
        else:
            last, active = await self._active()
        pieces = [piece for item, piece in active if stream.wants(item.id, item)] or [b"\n"]
        # The place comes with the last one: who is cut off before has to be told of all of them again.
        return last, b"".join((*pieces[:-1], f"id: {last}\n".encode(), pieces[-1]))

    async def _active(self) -> tuple[int, list[tuple[Item, bytes]]]:
        """Return all items on their way, encoded once for all who come while nothing changes."""
        _, last = await self._recipes.ends()
        if self._snapshot is None or self._snapshot[0] != last:
            last, items = await self._recipes.snapshot()
            self._snapshot = last, [(item, frame("queue-update", self._wire.update(item))) for item in items]
        return self._snapshot

    async def _read_on(self) -> None:
        clock = asyncio.get_running_loop().time
        ping_at = clock() + PING_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, ping_at - clock())):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._read()
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
                self._news.set()
            except Exception:
                log.exception("the log of changes could not be read; trying again")
                await asyncio.sleep(RETRY_SECONDS)
                self._news.set()
            if clock() >= ping_at:
                ping_at += PING_SECONDS
                self._ping()

    async def _read(self) -> None:
        while lines := await self._recipes.changes(self._last, READ):
            for change in lines:
                self._last = change.number
                self._spread(change)

    def _spread(self, change: Change) -> None:
        if not self._streams:
            return
        piece = self._wire.frame(change)
        for stream in self._streams:
            if stream.wants(change.item_id, change.item):
                stream.give(change.number, piece)

    def _ping(self) -> None:
        piece = frame("ping", {"timestamp": stamp(self._recipes.now())})
        for stream in self._streams:
            stream.give(0, piece)
