"""The queue on Postgres: items end, streams replay, many who ask at once get one item, and numbers come in order."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.cooks import ended, enqueued, link
from tests.api.listening import listening_to
from tests.served import Served, served
from tests.servers import postgres_server


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder: Path = tmp_path_factory.mktemp("recipes")
    with postgres_server() as url:
        key = b64encode(b"k" * 32).decode()
        async with served(
            only=("queue",),
            database_url=url,
            encryption_key=key,
            recipe_folder=folder,
            recipe_read_pictures=False,
            public_lookups_per_hour=2000,
        ) as house:
            yield house


async def test_many_items_end_and_every_change_is_told_once_in_order(door: Served) -> None:
    urls = [await link(door) for _ in range(12)]
    async with listening_to(door.client) as stream:
        await stream.until(lambda heard: len(heard) > 0)
        items = await asyncio.gather(*(enqueued(door, url) for url in urls))
        for item in items:
            said = await stream.end_of(item["id"])
            assert said[-1].data["status"] == "success"
        numbers = [int(one.id) for one in stream.updates() if one.id is not None]
    assert numbers == sorted(set(numbers))
    async with listening_to(door.client, {"Last-Event-ID": str(numbers[5])}) as again:
        await again.until(lambda _: len(again.updates()) >= len(numbers) - 6)
        assert [int(one.id or "") for one in again.updates()] == numbers[6:]


async def test_of_many_who_ask_at_once_one_makes_an_item_and_one_retries(door: Served) -> None:
    url = "https://www.instagram.com/p/x-404/"
    slow = {"on": "web.graphql", "kind": "slow", "delay_ms": 1500, "times": 1}
    (await door.simulator.post("/_world/faults", json=slow)).raise_for_status()
    answers = await asyncio.gather(*(door.client.post("/api/queue", json={"url": url}) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    item = await ended(door.client, answers[0].json()["id"])
    assert (item["status"], item["errorCode"]) == ("error", "not_found")
    (await door.simulator.post("/_world/faults", json=slow)).raise_for_status()
    retries = await asyncio.gather(*(door.client.post(f"/api/queue/{item['id']}/retry") for _ in range(12)))
    assert sorted(answer.status_code for answer in retries) == [200] + [409] * 11
    await ended(door.client, item["id"])


async def test_lists_are_read_as_of_one_moment(door: Served) -> None:
    page = (await door.client.get("/api/queue?limit=5&sort=status&order=asc")).raise_for_status().json()
    assert (len(page["items"]), page["hasMore"]) == (5, page["total"] > 5)
    taken = await door.client.post(
        "/api/queue/batch", json={"urls": [f"https://instagram.com/{n}/" for n in range(50)]}
    )
    assert taken.json()["queued"] == 50
    last = await ended(door.client, taken.json()["items"][-1]["id"])
    assert last["errorCode"] == "unsupported_url"
