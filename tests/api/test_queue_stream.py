"""The queue's stream over HTTP: greeting, how things stand, what happens, what was missed, and who is sent away."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.api.cooks import done, ended, enqueued, link, show
from tests.api.listening import STREAM, listening_to
from tests.served import Served, served


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("recipes")
    async with served(
        only=("queue",), recipe_folder=folder, recipe_read_pictures=False, public_lookups_per_hour=2000
    ) as house:
        yield house


async def test_the_greeting_comes_at_once_and_no_proxy_keeps_it(door: Served) -> None:
    async with listening_to(door.client) as stream:
        [first, *_] = await stream.until(lambda heard: len(heard) > 0)
        assert (first.event, first.data["message"]) == ("connection", "Connected to queue stream")
        assert first.data["timestamp"].endswith("Z")
        assert stream.retry == "5000"
        headers = stream.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in headers


async def test_every_step_of_an_item_is_told_in_order(door: Served) -> None:
    url = await link(door)
    async with listening_to(door.client) as stream:
        await stream.until(lambda heard: len(heard) > 0)
        item = await enqueued(door, url)
        said = await stream.end_of(item["id"])
    assert stream.statuses(item["id"])[0] == "pending"
    assert stream.statuses(item["id"])[-1] == "success"
    numbers = [int(one.id or "0") for one in said]
    assert numbers == sorted(set(numbers))
    for one in said:
        assert [phase["name"] for phase in one.data["progress"]] == ["extraction", "parsing", "uploading"]
        assert one.data["phases"] == one.data["progress"]
        working = [phase for phase in one.data["progress"] if phase["status"] == "in_progress"]
        assert (one.data["status"] == "in_progress") == (len(working) == 1)
    for name in range(3):
        progress = [one.data["progress"][name]["progress"] for one in said]
        assert progress == sorted(progress)
    assert said[-1].data["results"]["recipe"]["name"]
    assert said[-1].data["results"] == (await show(door.client, item["id"]))["results"]


async def test_an_item_that_ended_before_somebody_listens_is_told_at_once(door: Served) -> None:
    item = await done(door, await link(door))
    async with listening_to(door.client, itemId=item["id"]) as stream:
        await stream.until(lambda _: bool(stream.updates()))
        [only] = stream.updates()
        assert (only.data["status"], only.data["results"]["recipe"]) == ("success", item["results"]["recipe"])


async def test_all_items_on_their_way_are_told_at_once(door: Served) -> None:
    async with served_slowly(door):
        items = [await enqueued(door, await link(door)) for _ in range(3)]
        async with listening_to(door.client) as stream:
            await stream.until(
                lambda _: {item["id"] for item in items} <= {one.data["itemId"] for one in stream.updates()}
            )
    for item in items:
        async with listening_to(door.client, itemId=item["id"]) as stream:
            await stream.end_of(item["id"])


class served_slowly:  # noqa: N801 - used as a block
    """Instagram takes its time while the block runs."""

    def __init__(self, door: Served) -> None:
        self._door = door

    async def __aenter__(self) -> None:
        fault = {"on": "web.graphql", "kind": "slow", "delay_ms": 1500, "times": 3}
        (await self._door.simulator.post("/_world/faults", json=fault)).raise_for_status()

    async def __aexit__(self, *given: object) -> None:
        (await self._door.simulator.delete("/_world/faults")).raise_for_status()


async def test_filters_by_item_and_by_new_status(door: Served) -> None:
    first, second = await link(door), await link(door)
    async with listening_to(door.client, status="success") as stream:
        await stream.until(lambda heard: len(heard) > 0)
        one, other = await enqueued(door, first), await enqueued(door, second)
        await stream.end_of(one["id"])
        await stream.end_of(other["id"])
        assert {said.data["status"] for said in stream.updates()} == {"success"}
    async with listening_to(door.client, itemId=one["id"], status="success") as stream:
        await stream.end_of(one["id"])
        assert {said.data["itemId"] for said in stream.updates()} == {one["id"]}
    async with listening_to(door.client, itemId=one["id"], status="error") as stream:
        third = await done(door, await link(door))
        assert third["status"] == "success"
        assert stream.updates() == []


@pytest.mark.parametrize(
    ("query", "status"),
    [({"itemId": "nonsense"}, 400), ({"itemId": str(uuid4())}, 404), ({"status": "finished"}, 400)],
)
async def test_what_is_refused_before_the_stream_starts(door: Served, query: dict[str, str], status: int) -> None:
    answer = await door.client.get(STREAM, params=query)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "details"}


@pytest.mark.parametrize("way", ["header", "query"])
async def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(door: Served, way: str) -> None:
    url, later = await link(door), await link(door)
    async with listening_to(door.client) as stream:
        item = await enqueued(door, url)
        whole = await stream.end_of(item["id"])
    for cut in range(len(whole)):
        place = whole[cut].id or ""
        headers, query = ({"Last-Event-ID": place}, {}) if way == "header" else ({}, {"lastEventId": place})
        async with listening_to(door.client, headers, **query) as stream:
            if cut == len(whole) - 1:
                following = await enqueued(door, later)
                await stream.end_of(following["id"])
            else:
                await stream.until(lambda _: len(stream.updates(item["id"])) >= len(whole) - cut - 1)  # noqa: B023 - awaited here
            assert [one.id for one in stream.updates(item["id"])] == [one.id for one in whole[cut + 1 :]]


@pytest.mark.parametrize("place", ["999999999", "nonsense", "-3"])
async def test_a_place_that_nobody_knows_begins_anew(door: Served, place: str) -> None:
    item = await done(door, await link(door))
    async with listening_to(door.client, {"Last-Event-ID": place}, itemId=item["id"]) as stream:
        await stream.until(lambda _: bool(stream.updates()))
        assert [one.event for one in stream.heard] == ["connection", "reset", "queue-update"]


async def test_one_client_holds_so_many_streams_and_no_more(door: Served) -> None:
    most = door.house.settings.queue_streams_per_client
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        ready = [asyncio.Event() for _ in range(most)]

        async def hold(place: int) -> None:
            async with listening_to(door.client) as stream:
                await stream.until(lambda heard: len(heard) > 0)
                ready[place].set()
                await over.wait()

        for place in range(most):
            group.create_task(hold(place))
        for one in ready:
            await one.wait()
        refused = await door.client.get(STREAM)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        over.set()
    for _ in range(500):
        if not door.house.kitchen.hub.open:
            break
        await asyncio.sleep(0.02)
    async with listening_to(door.client) as stream:
        await stream.until(lambda heard: len(heard) > 0)


async def texts(door: Served, count: int) -> None:
    """Take some long texts and wait for their ends: changes of many bytes."""
    bodies = [{"text": f"{number} " + "a" * 15_000} for number in range(count)]
    answers = await asyncio.gather(*(door.client.post("/api/queue", json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {201}
    ids = [str(answer.json()["id"]) for answer in answers]
    await asyncio.gather(*(ended(door.client, one) for one in ids))


async def test_a_client_that_does_not_read_is_sent_away_and_disturbs_nobody(door: Served) -> None:
    hub = door.house.kitchen.hub
    reader, writer = await asyncio.open_connection("127.0.0.1", door.house.settings.port, limit=1024)
    writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"event: connection")
    for _ in range(8):
        await texts(door, 8)
        if not hub.open:
            break
    assert hub.open == 0
    writer.close()
    await writer.wait_closed()


async def test_a_long_stream_is_taken_up_where_it_ended(door: Served) -> None:
    heard: list[int] = []
    async with listening_to(door.client) as stream:
        for _ in range(8):
            await texts(door, 8)
            if stream.ended:
                break
        assert stream.ended
        assert stream.retry == "100"
        heard += [int(one.id) for one in stream.updates() if one.id]
    _, last = await door.house.kitchen.recipes.ends()
    async with listening_to(door.client, {"Last-Event-ID": str(heard[-1])}) as again:
        await again.until(lambda _: any(one.id == str(last) for one in again.updates()) or last == heard[-1])
        heard += [int(one.id) for one in again.updates() if one.id]
    assert heard == list(range(heard[0], last + 1))
