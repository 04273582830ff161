"""An item that was claimed, and the few ways in which a step may change it.

Every write carries the fence of the claim: whoever was overtaken stores nothing. Events follow what was stored.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tintype.backends.bus import Bus
from tintype.core.recipes import items
from tintype.core.recipes.items import Failure, Item, Stage
from tintype.core.recipes.policy import Policy
from tintype.core.recipes.records import ItemRecords, Moved
from tintype.errors import Unavailable
from tintype.events import QueueItemChanged


@dataclass(slots=True)
class Walk:
    """One claimed item on its way."""

    item: Item
    records: ItemRecords
    bus: Bus
    policy: Policy
    now: Callable[[], datetime]
    tries: int = 0  # of the present phase in this process, without letting go of the item
    copying: "asyncio.Task[str | None] | None" = None  # the post's picture, while its words are read

    async def move(self, *, held: bool = True, **changed: Any) -> None:
        """Store what changed and announce it; the item is held on, unless it has come to rest."""
        lease = self.policy.lease if held else None
        moved = await self.records.move(self.item, self.now(), lease=lease, **changed)
        self.item = moved.item
        await announce(self.bus, moved)

    async def note(self, **changed: Any) -> None:
        """Store what only we need to know."""
        self.item = await self.records.note(self.item, **changed)

    async def begin(self, stage: Stage) -> None:
        """Begin a phase, unless the one before has begun it by its end."""
        if self.item.phase(stage).status is not items.PhaseStatus.IN_PROGRESS:
            await self.move(**items.working(self.item, stage, self.now()))

    async def complete(self, stage: Stage, **more: Any) -> None:
        """End a phase with what it found."""
        changed = items.completed(self.item, stage, self.now())
        self.tries = 0
        await self.move(held=changed["status"] is items.Status.IN_PROGRESS, **{**changed, **more})

    async def lay_out(self, **more: Any) -> None:
        """End the parsing with a recipe that a person should look at before it is put away."""
        self.tries = 0
        await self.move(held=False, **{**items.laid_out(self.item, self.now()), **more})

    async def fail(self, failure: Failure, again_at: datetime | None = None) -> None:
        """End the way for now: an unhealthy item goes on at `again_at`."""
        changed = items.failed(self.item, failure, self.now(), again_at)
        await self.move(held=False, **changed, retries=self.item.retries + (again_at is not None))

    async def put_back(self, due_at: datetime, *, held: bool = False, **more: Any) -> None:
        """Have the phase at work begin anew at another time."""
        await self.move(held=held, **items.put_back(self.item, due_at), **more)


async def announce(bus: Bus, moved: Moved) -> None:
    """Tell everybody of what was stored; where that fails, whoever reads the log learns of it a little later."""
    with suppress(Unavailable):
        await bus.publish(QueueItemChanged(moved.item.id, moved.item.status.value, moved.number, moved.tell))
