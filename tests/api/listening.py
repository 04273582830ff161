"""A client of the event stream as the standard has it: fields to the letter, several data lines joined."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

PATIENCE = 30.0
STREAM = "/api/queue/stream"


@dataclass(frozen=True, slots=True)
class Said:
    """One event."""

    event: str
    data: dict[str, Any]
    id: str | None


@dataclass(slots=True)
class Listener:
    """What a stream said so far."""

    answer: httpx2.Response
    heard: list[Said] = field(default_factory=list[Said])
    retry: str | None = None
    ended: bool = False
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[[list[Said]], bool], patience: float = PATIENCE) -> list[Said]:
        """Wait until something is true of what was said."""
        async with asyncio.timeout(patience):
            while not holds(self.heard):
                self.more.clear()
                await self.more.wait()
        return self.heard

    def updates(self, item_id: str | None = None) -> list[Said]:
        """The updates so far, of one item or of all."""
        found = [one for one in self.heard if one.event == "queue-update"]
        return [one for one in found if item_id in (None, one.data["itemId"])]

    def statuses(self, item_id: str) -> list[str]:
        """The statuses that an item had, as far as it was said."""
        return [one.data["status"] for one in self.updates(item_id)]

    async def end_of(self, item_id: str) -> list[Said]:
        """Wait until an item's end was said, and return all that was said of it."""
        await self.until(lambda _: any(one not in ("pending", "in_progress") for one in self.statuses(item_id)))
        return self.updates(item_id)


@asynccontextmanager
async def listening_to(
    client: httpx2.AsyncClient, headers: dict[str, str] | None = None, **query: Any
) -> AsyncGenerator[Listener]:
    """Hold a stream open while the block runs."""
    asked = {"Accept": "text/event-stream", **(headers or {})}
    async with client.stream("GET", STREAM, params=query, headers=asked, timeout=httpx2.Timeout(PATIENCE)) as answer:
        listener = Listener(answer)
        reading = asyncio.create_task(_read(answer, listener))
        try:
            yield listener
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(answer: httpx2.Response, listener: Listener) -> None:
    fields: dict[str, str] = {}
    try:
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
                continue
            listener.retry = fields.pop("retry", listener.retry)
            if "data" in fields:
                listener.heard.append(
                    Said(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
                )
            fields = {}
            listener.more.set()
    finally:
        listener.ended = True
        listener.more.set()
