"""Files that take long to make are made once, however many ask at once, and kept while there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock


class Shelf:
    """Keeps the last used files up to `room` bytes; at most `hands` threads make new ones.

    Bound to no event loop, since a file depends on nothing but its key: tests and servers share what is made.
    """

    def __init__(self, room: int, hands: int) -> None:
        self.room = room
        self.used = 0
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()
        self._orders: dict[Hashable, Future[bytes]] = {}
        self._lock = Lock()
        self._hands = ThreadPoolExecutor(hands, thread_name_prefix="shelf")

    async def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The file of this key, made by `make` in a thread if it is not there; raises what `make` raises."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
            order = self._orders.get(key)
            if order is None:
                order = self._orders[key] = self._hands.submit(self._make, key, make)
        return await asyncio.shield(asyncio.wrap_future(order))

    def _make(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        try:
            made = make()
            with self._lock:
                self._files[key] = made
                self.used += len(made)
                while self.used > self.room:
                    _, oldest = self._files.popitem(last=False)
                    self.used -= len(oldest)
        finally:
            with self._lock:
                del self._orders[key]
        return made
