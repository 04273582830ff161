"""A house that is not open to everybody: ADMIN_TOKEN, limits per address, proxies that are believed."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from tests.api.projects import refused, registration
from tests.served import Served, served

ADMIN = "the-operators-own-token"
EXCHANGES = 3


@pytest.fixture(scope="module")
async def guarded() -> AsyncIterator[Served]:
    """A house with an operator's token, few exchanges a minute, and a proxy in front of it on this machine."""
    async with served(
        admin_token=ADMIN, rate_limit_per_minute=EXCHANGES, trusted_proxies="127.0.0.0/8, 10.0.0.0/8"
    ) as house:
        yield house


@pytest.fixture
def caller() -> dict[str, str]:
    """The header by which a trusted proxy names a caller that nobody else is."""
    number = uuid4().int
    return {"x-forwarded-for": f"203.0.{number % 256}.{number // 256 % 256}"}


async def ask(house: Served, forwarded: dict[str, str]) -> httpx2.Response:
    """Ask for an exchange that is refused for its body: it counts all the same."""
    return await house.client.post("/auth/obtain-token", json={}, headers=forwarded)


async def use_up(house: Served, forwarded: dict[str, str]) -> httpx2.Response:
    """Ask until it is too much; a minute of the clock may begin on the way."""
    for _ in range(2 * EXCHANGES + 1):
        answer = await ask(house, forwarded)
        if answer.status_code == 429:
            return answer
    raise AssertionError("nobody counts")


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Bearer {ADMIN}x", f"Basic {ADMIN}", ADMIN])
async def test_registering_asks_for_the_operators_token(
    guarded: Served, caller: dict[str, str], header: str | None
) -> None:
    headers = {**caller, **({"authorization": header} if header else {})}
    answer = await guarded.client.post("/register", json=registration(), headers=headers)
    refused(answer, 401, "UNAUTHORIZED")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_operator_may_register(guarded: Served, caller: dict[str, str], scheme: str) -> None:
    headers = {**caller, "authorization": f"{scheme} {ADMIN}"}
    answer = await guarded.client.post("/register", json=registration(), headers=headers)
    assert answer.status_code == 201


async def test_a_stranger_learns_nothing_about_the_body(guarded: Served, caller: dict[str, str]) -> None:
    refused(await guarded.client.post("/register", json={}, headers=caller), 401, "UNAUTHORIZED")


async def test_exchanges_are_counted(guarded: Served, caller: dict[str, str]) -> None:
    answer = await use_up(guarded, caller)
    assert str(EXCHANGES) in refused(answer, 429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-limit"] == str(EXCHANGES)
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]


async def test_every_answer_says_how_many_are_left(guarded: Served, caller: dict[str, str]) -> None:
    answer = await ask(guarded, caller)
    refused(answer, 400, "VALIDATION_FAILED")
    assert answer.headers["ratelimit-limit"] == str(EXCHANGES)
    assert answer.headers["ratelimit-remaining"] == str(EXCHANGES - 1)


async def test_callers_behind_a_trusted_proxy_are_several(guarded: Served, caller: dict[str, str]) -> None:
    await use_up(guarded, caller)
    refused(await ask(guarded, {"x-forwarded-for": "198.51.100.7"}), 400, "VALIDATION_FAILED")


async def test_what_a_caller_writes_in_front_does_not_count(guarded: Served, caller: dict[str, str]) -> None:
    me = caller["x-forwarded-for"]
    await use_up(guarded, caller)
    for made_up in ("198.51.100.1", "nonsense", "127.0.0.1", "", "10.0.0.1, 198.51.100.2"):
        answer = await ask(guarded, {"x-forwarded-for": f"{made_up}, {me}"})
        assert answer.status_code == 429, made_up
    through_two = await ask(guarded, {"x-forwarded-for": f"{me}, 10.1.2.3"})
    assert through_two.status_code == 429


async def test_a_proxys_own_line_counts_and_not_the_callers(guarded: Served, caller: dict[str, str]) -> None:
    await use_up(guarded, caller)
    lines = [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", caller["x-forwarded-for"])]
    answer = await guarded.client.post("/auth/obtain-token", json={}, headers=lines)
    assert answer.status_code == 429


async def test_reading_is_not_limited(guarded: Served, caller: dict[str, str]) -> None:
    await use_up(guarded, caller)
    for path in ("/health", "/instagram-callback?code=A"):
        assert (await guarded.client.get(path, headers=caller)).status_code == 200
