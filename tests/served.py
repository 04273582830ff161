"""A whole house on a real socket before a pretend Instagram, as a stranger meets them: by HTTP on loopback ports."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx2

from tests.empty import furnish
from tests.instagram.pretend import Pretend, running
from tests.profile import backends
from tests.trust import NOBODY
from tintype.app import House, open_house
from tintype.cli.listening import bind, listening, port_of
from tintype.settings import load


class Served(NamedTuple):
    """A client of the house, the house behind it, and a client of the pretend Instagram it stands before."""

    client: httpx2.AsyncClient
    house: House
    simulator: httpx2.AsyncClient

    def __repr__(self) -> str:
        """Stay short where a test shows its arguments."""
        return f"Served({self.client.base_url})"


@asynccontextmanager
async def served(
    *, pretend: Pretend | None = None, only: tuple[str, ...] = (), **settings: object
) -> AsyncGenerator[Served]:
    """Open a house with `settings` on top of a free port, a new data folder and the pretend Instagram's two apps.

    The durable engine is one per process: end this block before the next one is entered.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="house-"))
        pretend = pretend or stack.enter_context(running())
        listener = stack.enter_context(bind("127.0.0.1", 0))
        defaults = {"data": Path(folder), "port": port_of(listener), "feed_sync_minutes": 0, "image_workers": 1}
        defaults |= {"insights_collect": False, **backends(Path(str(settings.get("data", folder))), **settings)}
        chosen = load(**{**defaults, **_instagram(pretend), **settings})
        furnish(chosen)
        async with (
            open_house(chosen, only=only) as house,
            listening(house.front, listener),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{chosen.port}", timeout=30, verify=NOBODY) as client,
            httpx2.AsyncClient(base_url=pretend.origin, timeout=30, verify=NOBODY) as simulator,
        ):
            yield Served(client, house, simulator)


def _instagram(pretend: Pretend) -> dict[str, object]:
    found: dict[str, object] = {"instagram_origin": pretend.origin}
    for login in ("instagram", "facebook"):
        app = pretend.app(login)
        found |= {f"{login}_app_id": app["app_id"], f"{login}_app_secret": app["app_secret"]}
    return found
