"""A house whose cache is away and whose messages QStash carries, before an Instagram that goes away in the end."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.api.projects import CURRENT_KEY, NEXT_KEY, SYNC_SECRET, bare, project, refused
from tests.instagram.pretend import running
from tests.served import Served, served
from tests.servers import free_port
from tintype.backends.qstash import Signatures
from tintype.errors import Trouble

TOKEN = "qstash-token-of-ours"


@dataclass(slots=True)
class Courier:
    """QStash as far as publishing goes: takes messages, or is out of order."""

    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list[tuple[str, dict[str, str], bytes]])
    works: bool = True

    async def take(self, request: Request) -> Response:
        if not self.works:
            return JSONResponse({"error": "out of order"}, 500)
        self.taken.append((request.path_params["destination"], dict(request.headers), await request.body()))
        return JSONResponse({"messageId": f"msg_{len(self.taken)}"})

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncGenerator[None]:
        app = Starlette(routes=[Route("/v2/publish/{destination:path}", self.take, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none", lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        yield
        server.should_exit = True
        await task


def closed_redis() -> str:
    """Return the address of a Redis that is not there."""
    return f"redis://127.0.0.1:{free_port()}/0"


async def test_without_its_cache_a_house_is_not_ready_and_serves() -> None:
    async with served(redis_url=closed_redis(), rate_limit_per_minute=1) as house:
        one = await project(house, "IMAGE")
        answer = await house.client.get("/photos", headers=one.bearer)
        assert len(answer.json()["data"]["photos"]) == 1
        for _ in range(2):  # nobody counts, so nobody is refused
            refused(await house.client.post("/auth/obtain-token", json={}), 400, "VALIDATION_FAILED")
        ready = await house.client.get("/readyz")
        assert ready.status_code == 503
        assert ready.headers["retry-after"]
        assert {name: ready.json()[name] for name in ("ready", "parts")} == {
            "ready": False,
            "parts": {"database": "ok", "engine": "ok", "blobs": "ok", "cache": "away"},
        }
        without = await house.client.get("/readyz?exclude=blobs&exclude=cache")
        assert (without.status_code, without.json()["ready"]) == (200, True)
        assert without.json()["parts"]["cache"] == "away", "it is told, and does not count"
        assert (await house.client.get("/readyz?exclude=blobs&exclude=cash")).status_code == 503
        assert (await house.client.get("/healthz")).status_code == 200
        assert (await house.client.get("/health")).status_code == 200


async def test_qstash_carries_the_messages_when_it_is_set_up() -> None:
    courier, port = Courier(), free_port()
    async with (
        courier.listening(port),
        served(
            sync_internal_secret=SYNC_SECRET,
            qstash_url=f"http://127.0.0.1:{port}",
            qstash_token=TOKEN,
            qstash_current_signing_key=CURRENT_KEY,
            qstash_next_signing_key=NEXT_KEY,
            outbound_allow=f"127.0.0.1:{port}",
        ) as house,
    ):
        none = await house.client.post("/sync", json={"secret": SYNC_SECRET})
        assert none.json()["data"] == {"summary": {"totalTenants": 0, "queuedTasks": [], "errors": []}}
        one, other = await project(house, "IMAGE"), await bare(house)
        answer = await house.client.post("/sync", json={"secret": SYNC_SECRET})
        summary = answer.json()["data"]["summary"]
        assert (summary["totalTenants"], summary["errors"]) == (2, [])
        assert sorted(summary["queuedTasks"]) == ["msg_1", "msg_2"]  # both are on their way at once
        place = f"{house.house.settings.address()}/sync/process/{one.id}"
        destination, headers, body = next(taken for taken in courier.taken if taken[0] == place)
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert headers["upstash-retries"] == "3"
        named = [taken[1]["upstash-deduplication-id"].partition("-") for taken in courier.taken]
        assert (
            len({twin for twin, _, _ in named}) == 2
        )  # one for each project, so that one asked for twice is sent once
        assert all(minute.isdigit() for _, _, minute in named)
        assert json.loads(body) == {"tenantId": one.id}
        await _deliver(house, destination, body)
        await _check_out_of_order(house, courier, {one.id, other.id})


async def _deliver(house: Served, destination: str, body: bytes) -> None:
    signature = Signatures(CURRENT_KEY, NEXT_KEY).sign(body, destination)
    answer = await house.client.post(destination, content=body, headers={"upstash-signature": signature})
    assert answer.json()["data"]["refreshTokenResult"] == "success"


async def _check_out_of_order(house: Served, courier: Courier, tenants: set[str]) -> None:
    courier.works = False
    answer = await house.client.post("/sync", json={"secret": SYNC_SECRET})
    assert answer.status_code == 200
    summary = answer.json()["data"]["summary"]
    assert (summary["totalTenants"], summary["queuedTasks"]) == (2, [])
    assert {each["tenantId"] for each in summary["errors"]} == tenants
    assert all(set(each) == {"tenantId", "error"} for each in summary["errors"])
    assert TOKEN not in answer.text


async def test_a_feed_is_served_when_instagram_is_gone() -> None:
    with ExitStack() as instagram:
        async with served(pretend=instagram.enter_context(running())) as house:
            one = await project(house, "IMAGE", "IMAGE")
            before = await house.client.get("/photos", headers=one.bearer)
            instagram.close()
            with pytest.raises(Trouble):
                await house.house.feed.sync_workspace(one.id)
            after = await house.client.get("/photos", headers=one.bearer)
            assert (after.status_code, after.content) == (200, before.content)
            assert after.headers["x-feed-stale"] == "sync-failed"
            assert after.headers["x-feed-synced-at"] == before.headers["x-feed-synced-at"]
            for photo in after.json()["data"]["photos"]:
                assert (await house.client.get(photo["mediaUrl"])).status_code == 200
