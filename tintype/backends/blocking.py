"""A blocking face of the way out, for libraries that know neither asyncio nor a guard.

They run in a thread of their own, and the event loop sends for them: so there is one pool of connections, one address guard
and one `Outbound`, whoever asks.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Unreachable

Send = Callable[[Outgoing], Answer]

GRACE = 5.0  # seconds past a request's own deadline, after which the loop must have died: no thread waits for ever


class Bridge:
    """Sends from a thread through the loop's `Outbound`; `hang_up` ends the request under way and refuses the next."""

    def __init__(self, outbound: Outbound, loop: asyncio.AbstractEventLoop, *, grace: float = GRACE) -> None:
        self._outbound = outbound
        self._loop = loop
        self._grace = grace
        self._under_way: Future[Answer] | None = None
        self._over = False

    def send(self, request: Outgoing, policy: Policy) -> Answer:
        """Return the complete answer; raises what `Outbound.send` raises, and `Unreachable` after `hang_up`."""
        if self._over:
            raise Unreachable("nobody waits for this answer any more")
        self._under_way = asyncio.run_coroutine_threadsafe(self._outbound.send(request, policy), self._loop)
        try:
            return self._under_way.result(policy.total_seconds + self._grace)
        except (CancelledError, TimeoutError):
            raise Unreachable("nobody waits for this answer any more") from None

    def hang_up(self) -> None:
        """End it, from any thread."""
        self._over = True
        if self._under_way is not None:
            self._under_way.cancel()
