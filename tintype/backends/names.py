"""Names of receivers, looked up in threads of their own.

The system's look-up cannot be cut off: a name whose servers are silent keeps its thread long after whoever asked has given
up. In the process's common threads a few such names would hold up everything else that is done there.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tintype.errors import Unreachable

MOST = 128  # look-ups at a time; a thread is made when it is needed

Look = Callable[..., Sequence[tuple[Any, ...]]]


class Names:
    """Asks the system for addresses, once at a time for each name; nothing is remembered."""

    def __init__(self, look: Look | None = None) -> None:
        self._look = look
        self._threads = ThreadPoolExecutor(MOST, "names")
        self._under_way: dict[tuple[str, int], asyncio.Future[Sequence[tuple[Any, ...]]]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return a name's addresses, in the system's order of preference; raises `Unreachable` for an unknown name."""
        try:
            found = await asyncio.shield(self._asked(host, port))  # others may wait for the same
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"the name {host!r} has no address") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Begin no look-up any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _asked(self, host: str, port: int) -> asyncio.Future[Sequence[tuple[Any, ...]]]:
        key = (host, port)
        asked = self._under_way.get(key)
        if asked is None:
            look = partial(self._look or socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            asked = asyncio.get_running_loop().run_in_executor(self._threads, look)
            self._under_way[key] = asked
            asked.add_done_callback(partial(self._ended, key))
        return asked

    def _ended(self, key: tuple[str, int], asked: asyncio.Future[Sequence[tuple[Any, ...]]]) -> None:
        self._under_way.pop(key, None)
        if not asked.cancelled():
            asked.exception()  # whoever waited may be gone, and then nobody else takes note of it
