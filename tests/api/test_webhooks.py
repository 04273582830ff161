"""/api/webhooks as its callers meet it: owners by their token, apps by their secret, and receivers of what is sent."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.core.webhooks.desk import LINK, Receiver, receiving, verified
from tests.walks.stage import Stage, staged
from tintype.core.access import Grant, Role
from tintype.core.webhooks import EVENTS, Happening


@dataclass(frozen=True, slots=True)
class Door:
    """A house, a receiver on this machine, and an owner's token."""

    stage: Stage
    receiver: Receiver
    workspace_id: str
    token: str = field(repr=False)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, method: str, path: str = "", body: object = None, **headers: str) -> httpx2.Response:
        given = {**self.bearer, **headers}
        return await self.stage.http.request(method, f"/api/webhooks{path}", json=body, headers=given)

    async def made(self, path: str = "/hook", **more: object) -> dict[str, Any]:
        answer = await self.ask("POST", "", {"url": self.receiver.url(path), **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def tell(self, event: str = "fp.upload", app_id: str | None = None, **text: object) -> None:
        now = self.stage.house.feed.graph.now()
        happening = Happening(self.workspace_id, app_id, event, text or LINK, now)
        await self.stage.house.picking.hooks.outbox.tell(happening)

    async def log(self, endpoint: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/{endpoint['id']}/deliveries{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["deliveries"]

    async def arrived(self, path: str, count: int) -> list[Any]:
        """What a receiver got, as soon as it is so much."""
        found = self.receiver.arrived(path)
        async with asyncio.timeout(60):
            while len(found) < count:
                await asyncio.sleep(0.01)
                found = self.receiver.arrived(path)
        return found

    async def settled(self, endpoint: dict[str, Any], state: str) -> dict[str, Any]:
        """The newest delivery, as soon as it is in a state."""
        async with asyncio.timeout(60):
            while True:
                found = await self.log(endpoint)
                if found and found[0]["state"] == state and found[0]["attempts"]:
                    return found[0]
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def door() -> AsyncGenerator[Door]:
    async with (
        receiving() as receiver,
        staged(
            outbound_allow=receiver.remote.place,
            webhook_jitter_seconds=0,
            webhook_seconds=30,
            picker_writes_per_minute=0,
        ) as stage,
    ):
        workspace, issued = await stage.house.access.register("Receivers")
        yield Door(stage, receiver, workspace.id, issued.secret)


async def test_from_registering_to_a_verified_message(door: Door) -> None:
    made = await door.made("/first", description="Ours")
    assert made["secret"].startswith("whsec_")
    assert (made["events"], made["schedule"], made["delays"]) == (["all"], "filestack-2016", [300, 3600, 43200])
    await door.tell()
    (asked,) = await door.arrived("/first", 1)
    told = verified(made["secret"], asked, door.stage.clock())
    assert told["text"] == LINK
    shown = (await door.ask("GET", f"/{made['id']}")).json()
    assert "secret" not in shown
    delivery = await door.settled(made, "delivered")
    full = (await door.ask("GET", f"/{made['id']}/deliveries/{delivery['id']}")).json()
    assert full["body"].encode() == asked.body
    (line,) = full["log"]
    uid, at = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
    assert line["signed"] == {"standard": f"{uid}.{at}.{full['body']}", "filestack": f"{at}.{full['body']}"}
    assert line["response"]["body"] == "thanks"
    gone = line["connection"]
    assert (gone["address"], gone["tls"], gone["tlsSeconds"]) == ("127.0.0.1", None, None)
    assert (
        0 <= gone["dnsSeconds"] + gone["connectSeconds"] <= line["firstByteSeconds"] + 0.001 <= line["seconds"] + 0.001
    )
    assert line["curl"].startswith(f"curl -X POST {made['url']} -H '")
    assert " -H 'Content-Type: application/json'" in line["curl"]  # Postgres keeps headers in an order of its own


async def test_what_failed_comes_again_by_itself_when_its_time_has_come(door: Door) -> None:
    made = await door.made("/later", schedule="filestack-2016")
    door.receiver.answers["/later"] = ("500 Oops",)
    await door.tell()
    await door.arrived("/later", 1)
    waiting = await door.settled(made, "waiting")
    assert (waiting["reason"], waiting["status"]) == ("http_500", 500)
    door.receiver.answers.pop("/later")
    door.stage.skip(timedelta(minutes=5))
    await door.arrived("/later", 2)
    assert (await door.settled(made, "delivered"))["attempts"] == 2


async def test_the_test_button_says_what_to_do(door: Door) -> None:
    made = await door.made("/test")
    door.receiver.answers["/test"] = ("301 Moved Permanently", "Location: https://www.example.com/hook")
    answer = (await door.ask("POST", f"/{made['id']}/test", {"event": "fp.converse"})).json()
    assert answer["delivered"] is False
    assert answer["advice"] == "It answered 301, which is not followed: put https://www.example.com/hook in instead."
    assert answer["response"]["status"] == 301
    asked = door.receiver.arrived("/test")[-1]
    assert asked.headers["webhook-test"] == "1"
    assert list(verified(made["secret"], asked, door.stage.clock())) == ["action", "timestamp", "text", "id"]
    assert await door.log(made) == []


@pytest.mark.parametrize("event", EVENTS)
async def test_every_event_can_be_tried(door: Door, event: str) -> None:
    made = await door.made("/every")
    answer = await door.ask("POST", f"/{made['id']}/test", {"event": event})
    assert answer.json()["delivered"] is True
    assert json.loads(answer.json()["body"])["action"] == event
    assert (await door.ask("DELETE", f"/{made['id']}")).status_code == 200


async def test_pausing_resuming_rotating(door: Door) -> None:
    made = await door.made("/paused")
    assert (await door.ask("POST", f"/{made['id']}/pause")).json()["state"] == "paused"
    await door.tell()
    assert (await door.log(made))[0]["state"] == "waiting"
    rotated = (await door.ask("POST", f"/{made['id']}/rotate", {})).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["overlapUntil"] is not None
    assert (await door.ask("POST", f"/{made['id']}/resume", {})).json()["state"] == "active"
    (asked,) = await door.arrived("/paused", 1)
    verified(rotated["secret"], asked, door.stage.clock())


async def test_replaying_and_recovering(door: Door) -> None:
    made = await door.made("/again", schedule="once")
    door.receiver.answers["/again"] = ("500 Oops",)
    since = door.stage.clock().isoformat()
    await door.tell()
    failed = await door.settled(made, "failed")
    door.receiver.answers.pop("/again")
    again = await door.ask("POST", f"/{made['id']}/deliveries/{failed['id']}/replay")
    assert again.json()["replay"] is True
    await door.settled(made, "delivered")
    assert [one.headers.get("webhook-replay") for one in door.receiver.arrived("/again")] == [None, "1"]
    queued = await door.ask("POST", f"/{made['id']}/recover", {"since": since})
    assert queued.json() == {"queued": 0}
    wrong = await door.ask("POST", f"/{made['id']}/recover", {"since": "0001-01-01T00:00:00+23:00"})
    assert wrong.status_code == 400


async def test_the_log_has_pages(door: Door) -> None:
    made = await door.made("/pages")
    for number in range(5):
        await door.tell(size=number)
    await door.arrived("/pages", 5)
    seen: list[int] = []
    cursor: object = ""
    while cursor is not None:
        answer = (await door.ask("GET", f"/{made['id']}/deliveries?limit=2&cursor={cursor or 2**31 - 1}")).json()
        seen += [one["id"] for one in answer["deliveries"]]
        cursor = answer["next"]
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://www.example.com/", "https:// or http://"),
        ("https://user:secret@www.example.com/", "user name"),
        ("https://www.example.com:8443/", "port 80 or 443"),
        ("https://127.0.0.1/", "public address"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("https://10.0.0.1/", "public address"),
        ("https://[::1]/", "public address"),
        ("https://localhost/", "public address"),
        ("https://localhost./", "public address"),
        ("https://0x7f.1/", "public address"),
        ("https://0x7f000001/", "public address"),
        ("https://2130706433./", "public address"),
        ("https://www.example.com/#here", "fragment"),
        ("nonsense", "https:// or http://"),
        ("https://ex ample.com/", "address"),
        ("", "address"),
    ],
)
async def test_an_address_that_cannot_be_is_refused(door: Door, url: str, why: str) -> None:
    answer = await door.ask("POST", "", {"url": url})
    assert answer.status_code == 400
    assert why in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"events": ["fp.nothing"]},
        {"events": []},
        {"schedule": "sometimes"},
        {"schedule": "custom", "delays": [60, 10]},
        {"schedule": "custom", "delays": [10**30]},
        {"delays": [60]},
        {"description": "x" * 201},
        {"envelope": "paper"},
        {"appId": "00000000-0000-4000-8000-000000000000"},
    ],
)
async def test_a_wish_that_cannot_be_is_refused(door: Door, body: dict[str, object]) -> None:
    answer = await door.ask("POST", "", {"url": door.receiver.url("/hook"), **body})
    assert answer.status_code == (404 if "appId" in body else 400)
    assert answer.json()["error"]["message"]


async def test_nobody_sees_or_touches_another_workspaces_endpoints(door: Door) -> None:
    made = await door.made("/mine")
    await door.tell()
    delivery = await door.settled(made, "delivered")
    _, issued = await door.stage.house.access.register("Strangers")
    stranger = {"Authorization": f"Bearer {issued.secret}"}
    for method, path, body in (
        ("GET", f"/{made['id']}", None),
        ("PATCH", f"/{made['id']}", {"description": "taken"}),
        ("DELETE", f"/{made['id']}", None),
        ("POST", f"/{made['id']}/pause", None),
        ("POST", f"/{made['id']}/resume", {}),
        ("POST", f"/{made['id']}/rotate", {}),
        ("POST", f"/{made['id']}/test", {}),
        ("POST", f"/{made['id']}/recover", {"since": "2026-01-01T00:00:00Z"}),
        ("POST", f"/{made['id']}/pull", {}),
        ("GET", f"/{made['id']}/deliveries", None),
        ("GET", f"/{made['id']}/deliveries/{delivery['id']}", None),
        ("POST", f"/{made['id']}/deliveries/{delivery['id']}/replay", None),
        ("POST", f"/{made['id']}/deliveries/{delivery['id']}/answer", {"fence": 1, "url": "http://x"}),
    ):
        answer = await door.ask(method, path, body, **stranger)
        assert answer.status_code == 404, (method, path)
    other = (await door.ask("POST", "", {"url": door.receiver.url("/theirs")}, **stranger)).json()
    wrong = await door.ask("GET", f"/{other['id']}/deliveries/{delivery['id']}", **stranger)
    assert wrong.status_code == 404, "a delivery of another endpoint"
    listed = (await door.ask("GET", "", **stranger)).json()["webhooks"]
    assert [one["id"] for one in listed] == [other["id"]]
    assert (await door.ask("GET", "", Authorization="Bearer nothing")).status_code == 403


async def test_an_app_has_endpoints_of_its_own(door: Door) -> None:
    apps = door.stage.house.picking.apps
    issued = await apps.create(door.workspace_id, "Website")
    basic = b64encode(f"app:{issued.secret}".encode()).decode()
    key = f"?key={issued.app.key}"
    made = await door.ask("POST", key, {"url": door.receiver.url("/app")}, Authorization=f"Basic {basic}")
    assert made.status_code == 201, made.text
    assert made.json()["appId"] == issued.app.id
    await door.made("/everybody")
    listed = await door.ask("GET", key, Authorization=f"Basic {basic}")
    assert [one["id"] for one in listed.json()["webhooks"]] == [made.json()["id"]]
    wrong = b64encode(b"app:another").decode()
    assert (await door.ask("GET", key, Authorization=f"Basic {wrong}")).status_code == 403
    await door.tell()
    await door.tell(app_id=issued.app.id)
    await door.arrived("/everybody", 2)
    assert len(await door.arrived("/app", 1)) == 1


async def test_a_dialog_that_opens_is_told(door: Door) -> None:
    issued = await door.stage.house.picking.apps.create(door.workspace_id, "Shop", origins=["https://shop.example"])
    made = await door.made("/dialog", events=["fp.dialog"], appId=issued.app.id)
    query = {"key": issued.app.key, "id": "1", "m": "image/*"}
    page = await door.stage.http.get("/dialog/open/", params=query, headers={"Referer": "https://shop.example/"})
    assert page.status_code == 200, page.text
    (asked,) = await door.arrived("/dialog", 1)
    told = verified(made["secret"], asked, door.stage.clock())
    base = door.stage.house.settings.address()
    assert told["text"] == {"url": f"{base}/dialog/open", "client": "Instagram", "origin": "https://shop.example"}


async def test_a_viewer_looks_and_an_editor_changes(door: Door) -> None:
    made = await door.made("/roles")
    house = door.stage.house
    owner = await house.access.who(door.token, Grant.WORKSPACE)
    for role, status in ((Role.VIEWER, 403), (Role.EDITOR, 200)):
        email = f"{role.value}@receivers.example"
        person = await house.users.register(email, "Correct-h0rse")
        await house.members.add(owner, email, role)
        shown = {"Authorization": f"Bearer {person.access}", "X-Workspace": door.workspace_id}
        assert (await door.ask("GET", f"/{made['id']}", **shown)).status_code == 200
        assert (await door.ask("POST", f"/{made['id']}/pause", **shown)).status_code == status
        assert (await door.ask("POST", f"/{made['id']}/resume", {}, **shown)).status_code == status


async def test_the_same_key_registers_once(door: Door) -> None:
    body = {"url": door.receiver.url("/once")}
    first = await door.ask("POST", "", body, **{"Idempotency-Key": "once"})
    second = await door.ask("POST", "", body, **{"Idempotency-Key": "once"})
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_listener_fetches_answers_and_replays(door: Door) -> None:
    made = (await door.ask("POST", "", {"listen": True, "events": ["all"]})).json()
    await door.tell()
    (held,) = (await door.ask("POST", f"/{made['id']}/pull", {"wait": 5})).json()["deliveries"]
    assert (await door.ask("POST", f"/{made['id']}/pull", {})).json()["deliveries"] == [], "it is held"
    said = {"fence": held["fence"], "url": "http://127.0.0.1:3000/hook", "status": 204, "seconds": 0.01}
    answer = await door.ask("POST", f"/{made['id']}/deliveries/{held['id']}/answer", said)
    assert answer.json() == {"state": "delivered", "reason": None}
    late = await door.ask("POST", f"/{made['id']}/deliveries/{held['id']}/answer", said)
    assert late.status_code == 400
    full = (await door.ask("GET", f"/{made['id']}/deliveries/{held['id']}")).json()
    assert full["log"][0]["request"]["headers"] == held["headers"]
    await door.ask("POST", f"/{made['id']}/deliveries/{held['id']}/replay")
    (again,) = (await door.ask("POST", f"/{made['id']}/pull", {})).json()["deliveries"]
    assert (again["headers"]["webhook-replay"], again["body"]) == ("1", held["body"])
    assert (await door.ask("POST", f"/{made['id']}/test", {})).status_code == 400


@pytest.mark.parametrize("path", ["/nothing", "/%00", "/00000000-0000-4000-8000-000000000000", "/nothing/deliveries/1"])
async def test_what_is_not_there_is_not_found(door: Door, path: str) -> None:
    assert (await door.ask("GET", path)).status_code == 404


async def test_numbers_and_words_that_no_database_takes(door: Door) -> None:
    made = await door.made("/odd")
    for number in (0, 2**31, 10**30):
        assert (await door.ask("GET", f"/{made['id']}/deliveries/{number}")).status_code in (400, 404)
    assert (await door.ask("GET", f"/{made['id']}/deliveries?cursor={10**30}")).status_code == 400
    assert (await door.ask("GET", f"/{made['id']}/deliveries?q=%00%25_%ff")).status_code == 200
    assert (await door.ask("GET", f"/{made['id']}/deliveries?event=%00")).status_code == 400
