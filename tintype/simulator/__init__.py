"""A pretend Instagram: all hosts of both logins, a CDN, and levers (`/_world`) to move, slow down and break it.

`create()` gives an ASGI app. It answers by Host header (www, api, graph and i.instagram.com, graph, www and
rupload.facebook.com, *.cdninstagram.com, *.fbcdn.net) and, for outside clients and browsers, under whatever other address
it is served at. Any loopback `redirect_uri` is accepted besides the registered ones.
"""

import httpx2

from tintype.simulator.app import Simulator
from tintype.simulator.magic import MAGIC, Magic
from tintype.simulator.settings import Settings
from tintype.simulator.world import DEFAULT_SEED, World

__all__ = ["MAGIC", "Magic", "Settings", "Simulator", "World", "create"]


def create(
    seed: int = DEFAULT_SEED,
    *,
    origin: str | None = None,
    settings: Settings | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Simulator:
    """The ASGI app of a world built from `seed`.

    `origin` is its own address for browsers (else taken from each request's Host header); `settings` are what a plain
    reset returns to; `transport` carries its outgoing calls (pictures to publish, webhooks) instead of the network.
    """
    return Simulator(World(seed, settings), origin=origin, transport=transport)
