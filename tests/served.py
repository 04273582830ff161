"""A whole house on a real socket before a pretend Instagram, as a stranger meets them: by HTTP on loopback ports."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx2

from tests.instagram.pretend import running
from tintype.app import House, open_house
from tintype.cli.listening import bind, listening, port_of
from tintype.settings import load


class Served(NamedTuple):
    """A client of the house, the house behind it, and a client of the pretend Instagram it stands before."""

    client: httpx2.AsyncClient
    house: House
    simulator: httpx2.AsyncClient


@asynccontextmanager
async def served(*, only: tuple[str, ...] = (), **settings: object) -> AsyncGenerator[Served]:
    """Open a house with `settings` on top of free ports and a data folder of its own; close everything afterwards.

    The durable engine is one per process: end this block before the next one is entered.
    """
    with TemporaryDirectory(prefix="house-") as folder, running() as pretend:
        listener = bind("127.0.0.1", 0)
        defaults: dict[str, object] = {
            "data": Path(folder),
            "port": port_of(listener),
            "instagram_origin": pretend.origin,
            "feed_sync_minutes": 0,
            "image_workers": 1,
        }
        chosen = load(**{**defaults, **settings})
        async with (
            open_house(chosen, only=only) as house,
            listening(house.front, listener),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{chosen.port}", timeout=30) as client,
            httpx2.AsyncClient(base_url=pretend.origin, timeout=30) as simulator,
        ):
            yield Served(client, house, simulator)
