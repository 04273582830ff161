"""A closed door: the key, the count of requests, and links that open a file without the key."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.served import Served, served

KEY = "a key of some length"
MOST = 6
WRONG = {"url": "https://example.com/p/abc/"}
RIGHT = {"url": "https://www.instagram.com/p/x-other/"}


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(
        api_key=KEY, rate_limit_max_requests=MOST, rate_limit_window_seconds=600, trusted_proxies=("127.0.0.1",)
    ) as house:
        yield house


async def scrape(door: Served, body: object, *, who: str, key: str | None = KEY) -> httpx2.Response:
    headers = {b"x-forwarded-for": who.encode()} | ({b"x-api-key": key.encode()} if key is not None else {})
    return await door.client.post("/scrape", json=body, headers=headers)


@pytest.mark.parametrize("key", [None, "", "another", KEY + "x", KEY[:-1], "schlüssel"])
async def test_without_the_key_nothing_is_read(door: Served, key: str | None) -> None:
    for body in (RIGHT, WRONG, {}):
        answer = await scrape(door, body, who=f"192.0.2.{len(key or '')}", key=key)
        assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")


async def test_the_key_opens_everything(door: Served) -> None:
    assert (await scrape(door, WRONG, who="192.0.2.101")).status_code == 400
    answer = await scrape(door, RIGHT, who="192.0.2.101")
    assert answer.status_code == 200
    url = answer.json()["media"][0]["url"]
    bare = url.partition("?")[0]
    assert (await door.client.get(bare)).status_code == 401
    assert (await door.client.get(bare, headers={"x-api-key": KEY})).status_code == 200
    assert (await door.client.get(url)).status_code == 200
    for altered in (url[:-1] + ("A" if url[-1] != "A" else "B"), url.replace("until=", "until=1"), bare + "?sig=x"):
        assert (await door.client.get(altered)).status_code == 401
    begun = await door.client.post("/scrape", json=RIGHT, headers={"x-api-key": KEY, "prefer": "respond-async"})
    assert begun.status_code == 200
    for path in ("/scrape/jobs/none", "/media/x-other/x-other.mp4"):
        assert (await door.client.get(path)).status_code == 401
    assert (await door.client.post("/resolve", json=RIGHT)).status_code == 401
    assert (await door.client.post("/resolve", json=RIGHT, headers={"x-api-key": KEY})).status_code == 200


async def test_an_address_is_counted_before_its_key_is_looked_at(door: Served) -> None:
    seen: list[tuple[int, str]] = []
    for at in range(MOST + 2):
        answer = await scrape(door, (WRONG, {}, RIGHT)[at % 3], who="192.0.2.102", key=KEY if at else None)
        seen.append((answer.status_code, answer.headers["ratelimit-remaining"]))
    assert [remaining for _, remaining in seen] == ["5", "4", "3", "2", "1", "0", "0", "0"]
    assert [status for status, _ in seen[-2:]] == [429, 429]
    refused = await scrape(door, RIGHT, who="192.0.2.102")
    assert refused.json()["error"] == "Too many requests"
    assert 0 < int(refused.headers["retry-after"]) <= 600
    assert refused.headers["ratelimit-limit"] == str(MOST)
    assert (await scrape(door, WRONG, who="192.0.2.103")).status_code == 400


async def test_a_body_that_is_too_large_is_not_counted(door: Served) -> None:
    for _ in range(MOST + 1):
        answer = await scrape(door, {"url": "x" * 5000}, who="192.0.2.104")
        assert answer.status_code == 413
    assert (await scrape(door, WRONG, who="192.0.2.104")).headers["ratelimit-remaining"] == "5"


async def test_other_dialects_keep_their_own_limits(door: Served) -> None:
    body = {"name": "A name", "padding": "x" * 5000}
    assert (await door.client.post("/register", json=body)).status_code == 400
    answer = await door.client.get("/health")
    assert answer.json() == {"success": True, "data": {"message": "ok"}}
