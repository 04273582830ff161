"""Loads what a way needs when the first post is looked up: its library takes longer than all else that a house begins with."""

import asyncio
import threading
from collections.abc import Callable

from tintype.instagram.public.model import PublicPost, Way


class LateWay:
    """The way that `make` gives, which is asked for it in a thread, because that loads a library."""

    def __init__(self, name: str, make: Callable[[], Way]) -> None:
        self.name = name
        self._make = make
        self._way: Way | None = None
        self._making = threading.Lock()

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        """Return a post; raises troubles of `reasons` alone."""
        way = self._way or await asyncio.to_thread(self._loaded)
        return await way.look_up(shortcode, seconds=seconds)

    def close(self) -> None:
        """Let the way end what it holds."""
        if self._way is not None:
            self._way.close()

    def _loaded(self) -> Way:
        with self._making:
            self._way = self._way or self._make()
            return self._way
