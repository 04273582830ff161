"""How a request went out: to which address, under which TLS, and where the time of its connection went.

Nobody is given one who does not ask: whoever keeps a log that people read follows his requests, and the way out notes what it
does for whoever follows.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Step = Literal["dns", "connect", "handshake"]


@dataclass(slots=True)
class Journey:
    """One request's way: seconds of each step of a connection that was made for it; None for one that was not gone."""

    address: str | None = None
    tls: str | None = None
    dns: float | None = None
    connect: float | None = None
    handshake: float | None = None

    def arrive(self, address: str | None, tls: str | None) -> None:
        """Note where a connection leads that stands, be it new or kept from before."""
        self.address, self.tls = address or self.address, tls


_followed: ContextVar[Journey | None] = ContextVar("journey", default=None)


@contextmanager
def followed() -> Generator[Journey]:
    """Yield the journey of the request that goes out in this block."""
    token = _followed.set(journey := Journey())
    try:
        yield journey
    finally:
        _followed.reset(token)


def present() -> Journey | None:
    """Return the journey that somebody follows now."""
    return _followed.get()


@contextmanager
def step(name: Step, address: str | None = None) -> Generator[None]:
    """Note how long a step took that is gone in this block, also when it led nowhere, and to which address it went."""
    journey = _followed.get()
    if journey is None:
        yield
        return
    journey.address, begun = address or journey.address, time.monotonic()
    try:
        yield
    finally:
        setattr(journey, name, round(time.monotonic() - begun, 4))
