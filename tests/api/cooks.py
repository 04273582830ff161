"""What tests of the queue share: posts with recipes of their own words, and waiting for an item's end."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2

from tests.served import Served

PATIENCE = 30.0
ACTIVE = ("pending", "in_progress")
OWNER = "marlow.bakehouse"

CAPTION = """Potato soup for a grey evening

Serves 4

Ingredients:
- 600 g potatoes
- 1 onion
- 2 tbsp butter
- 800 ml vegetable stock
- 1/2 tsp salt

Method:
1. Peel the potatoes and cut them into cubes.
2. Melt the butter and fry the onion for 5 minutes.
3. Add potatoes and stock and simmer for 20 minutes.
4. Blend until smooth and season with salt.

#soup #potatoes"""
NO_RECIPE = "New opening hours: we are closed on Monday and open from Tuesday to Sunday. See you soon!"


async def posted(door: Served, caption: str = CAPTION, kind: str = "IMAGE", **more: object) -> dict[str, Any]:
    """Put a small post on Instagram, of somebody whom the house does not know."""
    shape = {"width": 160, "height": 200} if kind == "IMAGE" else {}
    body = {"username": OWNER, "kind": kind, "caption": caption, **shape, **more}
    answer = await door.simulator.post("/_world/media", json=body)
    return answer.raise_for_status().json()


async def link(door: Served, caption: str = CAPTION, kind: str = "IMAGE", **more: object) -> str:
    """The address of a new post."""
    return f"https://www.instagram.com/p/{(await posted(door, caption, kind, **more))['shortcode']}/"


async def enqueued(door: Served, url: str, **more: object) -> dict[str, Any]:
    """Enqueue a link; it is a new item."""
    answer = await door.client.post("/api/queue", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def show(client: httpx2.AsyncClient, item_id: str) -> dict[str, Any]:
    """One item as it stands."""
    return (await client.get(f"/api/queue/{item_id}")).raise_for_status().json()


async def until(client: httpx2.AsyncClient, item_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until something is true of an item."""
    ends = time.monotonic() + PATIENCE
    while True:
        item = await show(client, item_id)
        if holds(item):
            return item
        assert time.monotonic() < ends, item
        await asyncio.sleep(0.02)


async def ended(client: httpx2.AsyncClient, item_id: str) -> dict[str, Any]:
    """Wait for an item's end."""
    return await until(client, item_id, lambda item: item["status"] not in ACTIVE)


async def done(door: Served, url: str, **more: object) -> dict[str, Any]:
    """Enqueue a link and wait for its end."""
    return await ended(door.client, (await enqueued(door, url, **more))["id"])
