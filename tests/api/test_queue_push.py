"""Web push as a browser meets it: the key, subscribing and leaving, and the message when a recipe came to its end."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.push_service import Handset, PushService, claims, push_service
from tests.served import Served, served
from tintype.instagram import utc_now

SUBSCRIBE = "/api/notifications/subscribe"
RECIPE = """Lemon cake

Ingredients:
250 g flour
3 eggs
200 g sugar
1 lemon

Steps:
1. Heat the oven to 180 °C.
2. Beat the eggs with the sugar, fold in the flour and bake for 40 minutes.
"""


class Door(NamedTuple):
    """A house and the push service that its browsers are at."""

    served: Served
    service: PushService

    @property
    def client(self) -> httpx2.AsyncClient:
        return self.served.client

    async def subscribe(self, handset: Handset, client: str) -> httpx2.Response:
        body = {"subscription": self.service.subscription(handset), "clientId": client}
        return await self.client.post(SUBSCRIBE, json=body)

    async def unsubscribe(self, client: str) -> httpx2.Response:
        return await self.client.request("DELETE", SUBSCRIBE, json={"clientId": client})

    async def ended(self, item_id: str) -> dict[str, Any]:
        for _ in range(200):
            item = (await self.client.get(f"/api/queue/{item_id}")).json()
            if item["status"] not in ("pending", "in_progress"):
                return item
            await asyncio.sleep(0.05)
        raise AssertionError("the item did not come to an end")

    async def told(self, handset: Handset, count: int) -> list[dict[str, Any]]:
        for _ in range(200):
            if len(self.service.arrived(handset)) >= count:
                break
            await asyncio.sleep(0.05)
        return self.service.read(handset)


@pytest.fixture(scope="module")
async def door(anyio_backend: str) -> AsyncGenerator[Door]:
    del anyio_backend
    async with push_service() as service, served(push_hosts=("127.0.0.1",), outbound_allow=(service.place,)) as house:
        yield Door(house, service)


async def test_the_key_is_one_point_under_two_names(door: Door) -> None:
    answer = await door.client.get("/api/notifications/vapid-key")
    assert answer.status_code == 200
    assert answer.json() == {"publicKey": answer.json()["applicationServerKey"], **answer.json()}
    assert len(answer.json()["publicKey"]) == 87
    assert not answer.json()["publicKey"].startswith("BDummy")
    assert (await door.client.get("/api/notifications/vapid-key")).json() == answer.json()


async def test_subscribing_and_leaving_say_how_many_there_are(door: Door) -> None:
    one, two = Handset("/push/one"), Handset("/push/two")
    first = await door.subscribe(one, "one")
    assert first.status_code == 200
    count = first.json()["subscriptionCount"]
    said = "Successfully subscribed to push notifications"
    assert first.json() == {"success": True, "message": said, "subscriptionCount": count}
    assert (await door.subscribe(two, "one")).json()["subscriptionCount"] == count
    assert (await door.subscribe(two, "two")).json()["subscriptionCount"] == count
    left = await door.unsubscribe("two")
    assert left.status_code == 200
    said = "Successfully unsubscribed from push notifications"
    assert left.json() == {"success": True, "message": said, "subscriptionCount": count - 1}
    assert (await door.unsubscribe("nobody")).json()["subscriptionCount"] == count - 1


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"clientId": None}, "clientId"),
        ({"clientId": ""}, "clientId"),
        ({"clientId": "x" * 201}, "clientId"),
        ({"subscription": None}, "subscription"),
        ({"subscription": {}}, "endpoint"),
        ({"subscription": {"endpoint": "https://fcm.googleapis.com/x"}}, "keys"),
        ({"endpoint": "https://evil.example/x"}, "endpoint"),
        ({"endpoint": "http://fcm.googleapis.com/x"}, "https"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "https://localhost/x"}, "endpoint"),
        ({"keys": {"p256dh": "BDummyPublicKeyForDevelopment", "auth": "AAAA"}}, "keys.p256dh"),
    ],
)
async def test_what_cannot_be_sent_to_is_400(door: Door, change: dict[str, Any], part: str) -> None:
    subscription = {"endpoint": "https://fcm.googleapis.com/x", "keys": Handset().keys}
    subscription |= {name: value for name, value in change.items() if name in ("endpoint", "keys")}
    body: dict[str, Any] = {"subscription": subscription, "clientId": "one"}
    body |= {name: value for name, value in change.items() if name in body}
    answer = await door.client.post(SUBSCRIBE, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "Bad Request"
    assert part in answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"'])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_nonsense_is_400(door: Door, method: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await door.client.request(method, SUBSCRIBE, content=body, headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message", "details"}


async def test_a_recipe_that_is_ready_is_told_once(door: Door) -> None:
    phone = Handset("/push/ready")
    await door.subscribe(phone, "ready")
    taken = (await door.client.post("/api/queue", json={"text": RECIPE})).json()
    item = await door.ended(taken["id"])
    assert item["status"] == "success"
    (told,) = await door.told(phone, 1)
    base = door.served.house.settings.address()
    assert told == {
        "type": "queue-item",
        "itemId": taken["id"],
        "status": "success",
        "title": item["results"]["recipe"]["name"],
        "body": "The recipe is ready",
        "url": f"{base}/share?item={taken['id']}#item-{taken['id']}",
    }
    (asked,) = door.service.arrived(phone)
    assert asked.headers["topic"] == taken["id"].replace("-", "")
    key = (await door.client.get("/api/notifications/vapid-key")).json()["publicKey"]
    assert claims(asked, utc_now())["key"] == key
    assert len(asked.body) < 1200


async def test_what_is_no_recipe_is_told_as_well_and_a_retry_is_an_end_of_its_own(door: Door) -> None:
    phone = Handset("/push/none")
    await door.subscribe(phone, "none")
    taken = (await door.client.post("/api/queue", json={"text": "What a lovely evening by the sea."})).json()
    assert (await door.ended(taken["id"]))["status"] == "error"
    (told,) = await door.told(phone, 1)
    assert (told["status"], told["title"]) == ("error", "No recipe was made")
    await door.client.post(f"/api/queue/{taken['id']}/retry")
    assert [one["status"] for one in await door.told(phone, 2)] == ["error", "error"]


async def test_a_browser_that_is_gone_is_forgotten(door: Door) -> None:
    phone = Handset("/push/gone")
    door.service.answers[phone.path] = ("410 Gone",)
    before = (await door.subscribe(phone, "gone")).json()["subscriptionCount"]
    await door.client.post("/api/queue", json={"text": RECIPE})
    await door.told(phone, 1)
    for _ in range(100):
        if await door.served.house.kitchen.notifier.records.count() == before - 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the browser was not forgotten")


async def test_many_links_at_once_are_told_of_once(door: Door) -> None:
    phone = Handset("/push/many")
    await door.subscribe(phone, "many")
    urls = [f"https://www.instagram.com/accounts/{number}/" for number in range(4)]
    made = (await door.client.post("/api/queue/batch", json={"urls": urls})).json()
    for row in made["items"]:
        await door.ended(row["id"])
    (told,) = await door.told(phone, 1)
    assert (told["type"], told["itemId"]) == ("queue-batch", made["batch"])
    assert (told["title"], told["body"]) == ("0 of 4 recipes are ready", "4 could not be made")


async def test_a_closed_queue_takes_subscriptions_only_with_its_key() -> None:
    async with push_service() as service, served(queue_api_key="secret", push_hosts=("127.0.0.1",)) as house:
        body = {"subscription": service.subscription(Handset()), "clientId": "one"}
        assert (await house.client.get("/api/notifications/vapid-key")).status_code == 401
        assert (await house.client.post(SUBSCRIBE, json=body)).status_code == 401
        assert (await house.client.request("DELETE", SUBSCRIBE, json={"clientId": "one"})).status_code == 401
        keyed = await house.client.get("/api/notifications/vapid-key", headers={"X-API-Key": "secret"})
        assert keyed.status_code == 200


async def test_what_waits_for_a_person_is_told_of_urgently_and_its_end_again() -> None:
    async with push_service() as service:
        given: dict[str, Any] = {
            "push_hosts": ("127.0.0.1",),
            "outbound_allow": (service.place,),
            "recipe_review_below": 1.0,
        }
        async with served(only=("queue",), **given) as house:
            door, phone = Door(house, service), Handset("/push/review")
            await door.subscribe(phone, "review")
            taken = (await door.client.post("/api/queue", json={"text": RECIPE})).json()
            (told,) = await door.told(phone, 1)
            assert (told["status"], told["body"]) == ("pending", "Look at it before it is put away")
            assert service.arrived(phone)[0].headers["urgency"] == "high"
            await door.client.post(f"/api/queue/{taken['id']}/approve")
            assert [one["status"] for one in await door.told(phone, 2)] == ["pending", "success"]
            assert service.arrived(phone)[1].headers["urgency"] == "normal"


async def test_the_key_is_made_when_the_house_opens_for_the_first_time(tmp_path: Path) -> None:
    kept: list[bytes | None] = []
    for _ in range(2):
        async with served(only=("queue",), data=tmp_path) as house:
            kept.append(await house.house.kitchen.notifier.records.key())  # before anybody asks for it
    assert kept[0] is not None
    assert kept[0] == kept[1]
