"""Pages of other origins: only those that are named may ask, and they may read what helps them."""

from collections.abc import AsyncIterator

import pytest

from tests.served import Served, served

APP = "https://app.example.com"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(cors_origins=f"{APP}, https://other.example.com/") as house:
        yield house


async def test_a_named_origin_may_ask_and_read_refusals(door: Served) -> None:
    asked = await door.client.options("/api/sns/instagram/posts", headers={"Origin": APP, **ASKED})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == APP
    answer = await door.client.get("/api/sns/instagram/accounts", headers={"Origin": APP})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == APP
    shown = answer.headers["access-control-expose-headers"]
    assert "X-Error-Code" in shown
    assert "WWW-Authenticate" in shown, "a page learns by it that its token has ended"


async def test_a_slash_behind_a_named_origin_does_not_matter(door: Served) -> None:
    answer = await door.client.get("/api/auth/me", headers={"Origin": "https://other.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://other.example.com"


async def test_another_origin_may_not(door: Served) -> None:
    asked = await door.client.options("/api/sns/instagram/posts", headers={"Origin": "https://evil.example", **ASKED})
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    answer = await door.client.get("/photos", headers={"Origin": APP})
    assert "access-control-allow-origin" not in answer.headers
