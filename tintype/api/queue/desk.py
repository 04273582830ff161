"""What the queue dialect's routes lean on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tintype.api.callers import Limiter
from tintype.api.queue.gate import Gate
from tintype.api.queue.hub import Hub
from tintype.api.queue.wire import Wire
from tintype.backends.idempotency import Idempotency
from tintype.core.notifications import Notifier
from tintype.core.recipes import Recipes


@dataclass(frozen=True, slots=True)
class QueueDesk:
    """The house, as far as the queue dialect's routes need it."""

    recipes: Recipes
    notifier: Notifier
    hub: Hub
    wire: Wire
    gate: Gate
    limiter: Limiter
    idempotency: Idempotency
    base: str
    version: str
    now: Callable[[], datetime]
    streams_per_client: int = 10
    upload_bytes: int = 32 * 1024 * 1024  # pictures that are shared with us, together
