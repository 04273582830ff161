"""A server killed the moment a recipe is ready: whoever asked to be told of it is told, by the server that comes next."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.api.cooks import CAPTION
from tests.instagram.pretend import running
from tests.push_service import Handset, push_service
from tests.servers import free_port
from tests.walks.program import environment, serving

DEATHS = 5
PATIENCE = 60.0


async def test_what_ended_before_a_death_is_told_after_it(tmp_path: Path) -> None:
    phone, port = Handset(), free_port()
    async with push_service() as service:
        with running() as pretend:
            chosen = environment(pretend, PUSH_HOSTS="127.0.0.1", OUTBOUND_ALLOW=service.place)
            made: list[str] = []
            for death in range(DEATHS + 1):
                with serving(tmp_path, chosen, port=port) as (process, url):
                    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
                        if not death:
                            body = {"subscription": service.subscription(phone), "clientId": "phone"}
                            (await client.post("/api/notifications/subscribe", json=body)).raise_for_status()
                        made.append(await _ready(client, f"{CAPTION}\n{death}"))
                        if death == DEATHS:
                            await _until(lambda: {one["itemId"] for one in service.read(phone)} >= set(made))
                    process.kill()
    counts = Counter(one["itemId"] for one in service.read(phone))
    assert set(counts) == set(made)
    # A message that was on the wire at the death is sent again, under the same topic and tag: the browser shows one.
    assert max(counts.values()) <= 2
    assert {asked.headers["topic"] for asked in service.arrived(phone)} == {one.replace("-", "") for one in made}


async def _ready(client: httpx2.AsyncClient, text: str) -> str:
    item = (await client.post("/api/queue", json={"text": text})).raise_for_status().json()
    until = time.monotonic() + PATIENCE
    while item["status"] != "success":
        assert time.monotonic() < until, item
        item = (await client.get(f"/api/queue/{item['id']}")).json()
    return str(item["id"])


async def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
