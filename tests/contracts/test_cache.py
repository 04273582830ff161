"""One suite over both caches: this process's memory, and a real Redis."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import free_port, redis_server
from tintype.backends.cache import Cache, MemoryCache, RedisCache
from tintype.backends.redis import AWAY_SECONDS
from tintype.errors import Misconfigured, Unavailable


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        made: Cache = MemoryCache()
    else:
        made = RedisCache(request.getfixturevalue("redis"), prefix=f"{uuid4().hex}:")
    yield made
    await made.close()


async def gone(cache: Cache, key: str) -> None:
    for _ in range(500):
        if await cache.get(key) is None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{key} is still there")


async def test_what_is_set_is_got(cache: Cache) -> None:
    assert await cache.get("k") is None
    await cache.set("k", b"\x00\xff value", 60)
    await cache.set("empty", b"", 60)
    assert await cache.get("k") == b"\x00\xff value"
    assert await cache.get("empty") == b""
    await cache.set("k", b"new", 60)
    assert await cache.get("k") == b"new"


async def test_a_value_ends_with_its_time(cache: Cache) -> None:
    await cache.set("short", b"x", 0.05)
    await cache.set("long", b"x", 60)
    await gone(cache, "short")
    assert await cache.get("long") == b"x"


async def test_delete_forgets_and_does_not_mind_the_second_time(cache: Cache) -> None:
    await cache.set("k", b"x", 60)
    await cache.delete("k")
    await cache.delete("k")
    assert await cache.get("k") is None


async def test_add_keeps_the_first_value_only(cache: Cache) -> None:
    assert await cache.add("k", b"first", 60)
    assert not await cache.add("k", b"second", 60)
    assert await cache.get("k") == b"first"
    await cache.delete("k")
    assert await cache.add("k", b"third", 60)


async def test_of_many_who_add_at_once_one_hears_yes(cache: Cache) -> None:
    told = await asyncio.gather(*(cache.add("k", str(number).encode(), 60) for number in range(50)))
    assert sum(told) == 1
    assert await cache.get("k") == str(told.index(True)).encode()


async def test_add_is_possible_again_after_its_time(cache: Cache) -> None:
    assert await cache.add("k", b"x", 0.05)
    await gone(cache, "k")
    assert await cache.add("k", b"y", 60)


async def test_incr_counts_every_caller_within_a_window(cache: Cache) -> None:
    counts = await asyncio.gather(*(cache.incr("k", 60) for _ in range(30)))
    assert sorted(counts) == list(range(1, 31))


async def test_a_window_ends_although_it_is_counted_on(cache: Cache) -> None:
    await cache.incr("k", 0.2)
    highest = 1
    while (count := await cache.incr("k", 0.2)) > highest:
        highest = count
        await asyncio.sleep(0.02)
    assert count == 1


async def test_a_cache_that_works_is_healthy(cache: Cache) -> None:
    await cache.health()


# Memory


async def test_memory_is_bounded_and_drops_what_was_not_used() -> None:
    cache = MemoryCache(max_bytes=10_000)
    await cache.set("used", b"x", 60)
    for number in range(200):
        await cache.set(f"n{number}", bytes(100), 60)
        assert await cache.get("used") == b"x"
    assert await cache.get("n0") is None
    assert await cache.get("n199") == bytes(100)


async def test_a_value_larger_than_the_memory_is_not_kept() -> None:
    cache = MemoryCache(max_bytes=1_000)
    await cache.set("k", bytes(5_000), 60)
    assert await cache.get("k") is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 4)), max_size=30))
def test_memory_is_a_dictionary_with_ends(steps: list[tuple[str, int, int]]) -> None:
    now = 0.0
    cache = MemoryCache(clock=lambda: now)
    known: dict[str, tuple[bytes, float]] = {}
    for key, wait, ttl in steps:
        now += wait
        expected = known.get(key)
        found = asyncio_free(cache.get(key))
        assert found == (expected[0] if expected and expected[1] > now else None)
        value = f"{key}{now}".encode()
        asyncio_free(cache.set(key, value, ttl))
        known[key] = value, now + ttl


def asyncio_free(step: "object") -> object:
    """Run a coroutine that waits for nothing."""
    send: Callable[[None], object] = getattr(step, "send")  # noqa: B009 - a coroutine by another name
    try:
        send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


# Redis


async def test_a_prefix_keeps_two_users_of_one_redis_apart(redis: str) -> None:
    one, two = RedisCache(redis, prefix="one:"), RedisCache(redis, prefix="two:")
    await one.set("k", b"1", 60)
    assert await two.get("k") is None
    await one.close()
    await two.close()


async def test_more_callers_than_connections_are_all_served(redis: str) -> None:
    cache = RedisCache(redis)
    await cache.set("k", b"x", 60)
    assert await asyncio.gather(*(cache.get("k") for _ in range(500))) == [b"x"] * 500
    await cache.close()


async def test_a_redis_that_is_not_there_is_unavailable() -> None:
    cache = RedisCache(f"redis://:secret@127.0.0.1:{free_port()}/0")
    for step in (cache.get("k"), cache.set("k", b"", 1), cache.add("k", b"", 1), cache.incr("k", 1), cache.health()):
        with pytest.raises(Unavailable) as told:
            await step
        assert "secret" not in str(told.value)
    await cache.close()


@pytest.mark.usefixtures("as_sold")
async def test_a_redis_that_is_silent_is_unavailable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        cache = RedisCache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable):
                await cache.get("k")
        await cache.close()


async def test_a_redis_that_comes_back_is_used_again() -> None:
    with redis_server() as url:
        cache = RedisCache(url)
        await cache.set("k", b"x", 60)
    with pytest.raises(Unavailable):
        await cache.get("k")
    with redis_server(int(url.rpartition(":")[2].removesuffix("/0"))):
        await asyncio.sleep(AWAY_SECONDS)
        assert await cache.get("k") is None
        await cache.close()


async def test_a_redis_that_is_away_is_not_waited_for_twice() -> None:
    with redis_server() as url:
        cache = RedisCache(url)
    with pytest.raises(Unavailable):
        await cache.get("k")
    port = int(url.rpartition(":")[2].removesuffix("/0"))
    with closing(socket.create_server(("127.0.0.1", port))) as listener:
        listener.setblocking(False)
        with pytest.raises(Unavailable):
            await cache.get("k")
        with pytest.raises(BlockingIOError):
            listener.accept()
    await cache.close()


@pytest.mark.parametrize("url", ["", "http://x", "127.0.0.1:6379"])
def test_an_address_of_no_redis_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL"):
        RedisCache(url)
