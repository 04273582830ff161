"""Lets requests wait for a post's end in the process that moves it, without asking the database again and again."""

import asyncio
import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Arrivals:
    """Who waits for which post; those that another process moves are heard of through the bus.

    Once it is `over`, nobody is to wait any more.
    """

    over: bool = False
    _waiting: dict[int, set[asyncio.Event]] = field(default_factory=dict[int, set[asyncio.Event]])

    def arrived(self, post_id: int) -> None:
        """Tell everybody who waits that something about a post is worth a look."""
        for event in self._waiting.get(post_id, ()):
            event.set()

    def end(self) -> None:
        """Let everybody who waits have a look, and go."""
        self.over = True
        for post_id in self._waiting:
            self.arrived(post_id)

    @contextlib.contextmanager
    def expecting(self, post_id: int) -> Generator[asyncio.Event]:
        """Wait for a post: the event is set whenever it moved; whoever waits clears it."""
        event = asyncio.Event()
        self._waiting.setdefault(post_id, set()).add(event)
        try:
            yield event
        finally:
            waiting = self._waiting[post_id]
            waiting.discard(event)
            if not waiting:
                del self._waiting[post_id]
