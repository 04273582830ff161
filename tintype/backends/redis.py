"""The one place where redis-py is used: commands and a subscription, with short patience and our own errors."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tintype.errors import Misconfigured, Unavailable

PATIENCE_SECONDS = 0.9  # whoever asks can do without Redis, and a page must not wait for it
AWAY_SECONDS = 2.0  # after a failure nobody asks for so long: a page that needs five keys must not wait five times
IDLE_SECONDS = 5.0
_CONNECTIONS = 64  # more than can ask at once: a pool that runs dry refuses


class Wire:
    """A connection pool to one Redis; every method raises `Unavailable` within a second when it does not answer."""

    def __init__(self, url: str) -> None:
        try:
            pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
                url,
                max_connections=_CONNECTIONS,
                timeout=PATIENCE_SECONDS,
                socket_connect_timeout=PATIENCE_SECONDS,
                socket_timeout=None,  # the budget below counts, and a subscription waits for ever
                retry=Retry(NoBackoff(), 0),  # a second "set if absent" would find what the first one set
            )
        except ValueError:
            raise Misconfigured("REDIS_URL: write redis://host:6379/0, or rediss:// for TLS") from None
        self._redis: Any = Redis.from_pool(pool)
        self._away_until = 0.0

    async def call(self, *command: str | bytes | int) -> Any:
        """Send one command and return its answer, bytes where Redis answers with text."""
        if time.monotonic() < self._away_until:
            raise Unavailable("Redis does not answer")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._redis.execute_command(*command)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise Unavailable("Redis does not answer") from error

    @asynccontextmanager
    async def subscribed(self, channel: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Subscribe, then hand out an endless iterator of messages that raises `Unavailable` when the link breaks."""
        listener = self._redis.pubsub()
        try:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await listener.subscribe(channel)
            except (RedisError, OSError, TimeoutError) as error:
                raise Unavailable("Redis does not answer") from error
            await self._renew()
            yield _messages(listener)
        finally:
            await listener.aclose()

    async def _renew(self) -> None:
        # Redis is there: connections that died with the one before would be found dead one by one, by those who use them.
        await self._redis.connection_pool.disconnect(inuse_connections=False)
        self._away_until = 0.0

    async def close(self) -> None:
        """End all connections."""
        await self._redis.aclose()


async def _messages(listener: Any) -> AsyncIterator[bytes]:
    asked = False
    while True:
        try:
            message = await listener.get_message(timeout=IDLE_SECONDS)
            if message is None:
                if asked:
                    raise Unavailable("Redis fell silent")
                asked = True
                await listener.ping()
                continue
        except (RedisError, OSError) as error:
            raise Unavailable("the connection to Redis broke") from error
        asked = False
        if message["type"] == "message":
            yield message["data"]
