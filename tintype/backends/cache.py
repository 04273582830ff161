"""Small values that may be forgotten at any time: in this process, or in a Redis that several nodes share.

Nothing here is a record of anything. A Redis that is away raises `Unavailable` within a second, and each caller decides
and writes down whether it then goes on without the cache or refuses.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tintype.backends.redis import Wire

_ENTRY_BYTES = 200  # what Python keeps around a key and a value
_MEMORY_BYTES = 64 * 1024 * 1024

# One round trip, and a window that ends by itself even when this process dies in between. PEXPIRE … NX would need Redis 7.
_INCREMENT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
"""


class Cache(Protocol):
    """Keeps bytes under short keys for `ttl` seconds, at most; each method may raise `Unavailable`."""

    async def get(self, key: str) -> bytes | None:
        """Return the value; None: there is none, or no longer."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value for `ttl` seconds from now."""
        ...

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Keep a value unless there is one; tell whether it was kept. Of many callers at once exactly one hears yes."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value."""
        ...

    async def incr(self, key: str, ttl: float) -> int:
        """Count one more and return the count; the first of a window starts its `ttl` seconds."""
        ...

    async def health(self) -> None:
        """Return when the cache can be used."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class MemoryCache:
    """The cache that needs nothing: this process's memory, the least recently used going first; see `Cache`."""

    def __init__(self, max_bytes: int = _MEMORY_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if found[1] <= self._clock():
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return found[0]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        self._keep(key, value, self._clock() + ttl)

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        if await self.get(key) is not None:
            return False
        await self.set(key, value, ttl)
        return True

    async def delete(self, key: str) -> None:
        self._forget(key)

    async def incr(self, key: str, ttl: float) -> int:
        found = await self.get(key)
        count = 1 if found is None else int(found) + 1
        self._keep(key, str(count).encode(), self._clock() + ttl if found is None else self._kept[key][1])
        return count

    async def health(self) -> None:
        return None

    async def close(self) -> None:
        self._kept.clear()
        self._bytes = 0

    def _keep(self, key: str, value: bytes, until: float) -> None:
        self._forget(key)
        self._kept[key] = value, until
        self._bytes += _cost(key, value)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= _cost(key, found[0])


class RedisCache:
    """A cache that several nodes share, at a `redis://` or `rediss://` address; see `Cache`."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._prefix = prefix
        self._wire = _wire(url)

    async def get(self, key: str) -> bytes | None:
        return await self._wire.call("GET", self._prefix + key)

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        await self._wire.call("SET", self._prefix + key, value, "PX", _milliseconds(ttl))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        return bool(await self._wire.call("SET", self._prefix + key, value, "PX", _milliseconds(ttl), "NX"))

    async def delete(self, key: str) -> None:
        await self._wire.call("DEL", self._prefix + key)

    async def incr(self, key: str, ttl: float) -> int:
        return int(await self._wire.call("EVAL", _INCREMENT, 1, self._prefix + key, _milliseconds(ttl)))

    async def health(self) -> None:
        await self._wire.call("PING")

    async def close(self) -> None:
        await self._wire.close()


def _wire(url: str) -> "Wire":
    # Loaded only where Redis is configured: the library costs a process 11 MB.
    from tintype.backends.redis import Wire

    return Wire(url)


def _milliseconds(ttl: float) -> int:
    return max(1, round(ttl * 1000))


def _cost(key: str, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_BYTES
