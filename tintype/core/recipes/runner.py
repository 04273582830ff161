"""Works the items that are due, each as a task under a lease; the rows are the record, so any process may go on with any item.

Why not one engine job an item: the engine starts a job a quarter of a second after it was asked to, which is longer than most
recipes take, and a cook is watching. A row with a due time, a lease and a fence gives the same promise (docs/house/publishing.md).
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from tintype.core.recipes.items import Item, Status
from tintype.core.recipes.pipeline import Pipeline
from tintype.core.recipes.records import OvertakenError
from tintype.core.recipes.walk import Walk
from tintype.errors import Unavailable

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0  # after a look for due items that went wrong


class Runner:
    """Looks for due items and works them until it is closed; `owner` names this process in leases."""

    def __init__(self, pipeline: Pipeline, owner: str) -> None:
        self._pipeline = pipeline
        self._owner = owner
        self._awake = asyncio.Event()
        self._walks: dict[asyncio.Task[None], Walk] = {}
        self._loop: asyncio.Task[None] | None = None

    async def start(self, *, alone: bool) -> None:
        """Begin; when this process is `alone` in working, whoever else held items is dead."""
        if alone:
            await self._pipeline.records.release()
        self._loop = asyncio.create_task(self._run())

    async def inherit(self, node: str) -> int:
        """Have the items that a dead process of this name held go on at once; return how many those were."""
        left = await self._pipeline.records.release(node)
        if left:
            self.wake()
        return left

    def wake(self) -> None:
        """Look at once: something became due."""
        self._awake.set()

    async def close(self) -> None:
        """Stop; items under way wait for the next process, which does not count this as a death."""
        walks = list(self._walks.values())
        tasks = [task for task in (self._loop, *self._walks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for walk in walks:
            if walk.item.status is Status.IN_PROGRESS:
                with suppress(OvertakenError, Unavailable):
                    await walk.put_back(walk.now())

    async def _run(self) -> None:
        while True:
            try:
                has_more, due = await self._look()
                if not has_more:
                    await self._sleep(due)
            except Unavailable:
                await asyncio.sleep(RESTART_SECONDS)
            except Exception:
                log.exception("looking for due recipes failed")
                await asyncio.sleep(RESTART_SECONDS)

    async def _look(self) -> tuple[bool, datetime | None]:
        """Claim due items, as many as there is room for; tell whether there may be more, and else when the next is due."""
        pipeline = self._pipeline
        self._awake.clear()
        room = pipeline.policy.at_once - len(self._walks)
        now = pipeline.now()
        due = await pipeline.records.next_due(now)
        if room <= 0 or due is None or due > now:
            return False, due
        claimed = await pipeline.records.claim(self._owner, now, pipeline.policy.lease, room)
        for item in claimed:
            self._begin(item)
        return bool(claimed), None

    def _begin(self, item: Item) -> None:
        walk = self._pipeline.walk(item)
        task = asyncio.create_task(self._walk(walk))
        self._walks[task] = walk
        task.add_done_callback(self._walked)

    def _walked(self, task: asyncio.Task[None]) -> None:
        del self._walks[task]
        self._awake.set()

    async def _sleep(self, due: datetime | None) -> None:
        """Wait until an item is due, or for a while: other processes may have stored one, or died with one."""
        policy = self._pipeline.policy
        idle = policy.idle
        if due is not None and len(self._walks) < policy.at_once:
            idle = min(idle, max(due - self._pipeline.now(), timedelta(0)))
        # Not `wait_for`, which before Python 3.12 takes a call to stop for nothing when what it waits for just came.
        with suppress(TimeoutError):
            async with asyncio.timeout(idle.total_seconds()):
                await self._awake.wait()

    async def _walk(self, walk: Walk) -> None:
        holding = asyncio.create_task(self._hold(walk))
        try:
            await self._pipeline.run(walk)
        except OvertakenError:
            log.info("recipe %s was moved by somebody else", walk.item.id)
        except Unavailable as trouble:
            log.warning("recipe %s goes on in a moment: %s", walk.item.id, trouble.message)
            await self._later(walk)
        except Exception:
            log.exception("a step of recipe %s failed; it goes on when its lease has run out", walk.item.id)
        finally:
            holding.cancel()

    async def _later(self, walk: Walk) -> None:
        """Put an item back that could not be stored; where that fails too, its lease runs out."""
        await asyncio.sleep(RESTART_SECONDS)
        with suppress(OvertakenError, Unavailable):
            if walk.item.status is Status.IN_PROGRESS:
                await walk.put_back(walk.now())

    async def _hold(self, walk: Walk) -> None:
        """Renew the lease while a long step runs; whoever lost it stops."""
        lease = self._pipeline.policy.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            with suppress(Unavailable):
                await self._pipeline.records.renew(walk.item, walk.now() + lease)
