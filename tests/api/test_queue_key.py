"""A queue with a key: the same one opens every path in a header, as a bearer token, or in a page's cookie."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.api.listening import STREAM, listening_to
from tests.served import Served, served
from tests.trust import NOBODY

KEY = "the queue's own key"
NOBODYS = "7a0f6d3c-58e2-4c1b-9c47-0d1f6a2b3c4d"
PATHS = [
    ("GET", "/api/queue"),
    ("POST", "/api/queue"),
    ("POST", "/api/queue/batch"),
    ("GET", f"/api/queue/{NOBODYS}"),
    ("DELETE", f"/api/queue/{NOBODYS}"),
    ("POST", f"/api/queue/{NOBODYS}/retry"),
    ("GET", f"/api/queue/{NOBODYS}/thumbnail"),
    ("GET", f"/api/queue/{NOBODYS}/recipe.md"),
    ("GET", STREAM),
    ("GET", "/api/notifications/vapid-key"),
    ("POST", "/api/notifications/subscribe"),
    ("DELETE", "/api/notifications/subscribe"),
]


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(only=("queue",), queue_api_key=KEY) as house:
        yield house


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("headers", [{}, {"x-api-key": "another"}, {"authorization": "Bearer another"}])
async def test_who_has_no_key_learns_nothing(door: Served, method: str, path: str, headers: dict[str, str]) -> None:
    answer = await door.client.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"] == "Unauthorized"
    assert KEY not in answer.text


@pytest.mark.parametrize("headers", [{"x-api-key": KEY}, {"authorization": f"bearer {KEY}"}])
async def test_the_key_opens(door: Served, headers: dict[str, str]) -> None:
    assert (await door.client.get("/api/queue", headers=headers)).status_code == 200
    async with listening_to(door.client, headers) as stream:
        await stream.until(lambda heard: len(heard) > 0)


async def test_a_page_keeps_the_key_in_a_cookie(door: Served) -> None:
    async with httpx2.AsyncClient(base_url=door.client.base_url, verify=NOBODY) as page:
        assert (await page.post("/api/queue/session")).status_code == 401
        entered = await page.post("/api/queue/session", headers={"x-api-key": KEY})
        assert entered.status_code == 204
        assert "httponly" in entered.headers["set-cookie"].lower()
        assert "samesite=strict" in entered.headers["set-cookie"].lower()
        assert (await page.get("/api/queue")).status_code == 200
        async with listening_to(page) as stream:
            await stream.until(lambda heard: len(heard) > 0)


@pytest.mark.parametrize("path", ["/api/extract", "/api/extract-stream"])
async def test_what_is_gone_is_gone_for_everybody(door: Served, path: str) -> None:
    assert (await door.client.post(path)).status_code == 410
