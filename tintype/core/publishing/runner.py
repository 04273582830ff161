"""Moves the posts that are due, each as a task under a lease; the rows are the record, so any process may go on with any post.

Why not one engine job a post: most of a post's way is waiting for Instagram, and the engine starts a job a quarter of a
second after it was asked to and keeps one of few places while it waits. A row with a due time, a lease and a fence gives the
same promise (publishing.md 2.3), and a person who waits for the answer is served at once.
"""

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any

from tintype.core.publishing.model import ENDED, Post
from tintype.core.publishing.records import OvertakenError
from tintype.core.publishing.resources import Resources
from tintype.core.publishing.walk import SHORT, Walk
from tintype.core.publishing.walking import step
from tintype.errors import Unavailable

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0  # after a look for due posts that went wrong


class Runner:
    """Looks for due posts and moves them until it is closed; `owner` names this process in leases."""

    def __init__(self, resources: Resources, owner: str) -> None:
        self._resources = resources
        self._owner = owner
        self._awake = asyncio.Event()
        self._walks: dict[asyncio.Task[bool], Walk] = {}
        self._loop: asyncio.Task[None] | None = None

    async def start(self, *, alone: bool) -> None:
        """Begin; when this process is `alone` in working, whoever else held posts is dead."""
        if alone:
            await self._resources.records.release()
        self._loop = asyncio.create_task(self._run())

    def holder(self) -> str | None:
        """Return the name under which a new post may be stored as claimed by this process, if it has room for one."""
        return self._owner if self._loop is not None and len(self._walks) < self._resources.policy.at_once else None

    def take(self, post: Post) -> None:
        """Move a post that was claimed for this process."""
        walk = Walk(self._resources, post)
        task = asyncio.create_task(self._walk(walk), context=Context())
        self._walks[task] = walk
        task.add_done_callback(self._walked)

    def moving(self, post_id: int) -> Post | None:
        """Return a post that this process moves right now, as its last step left it."""
        return next((walk.post for walk in self._walks.values() if walk.post.id == post_id), None)

    async def inherit(self, node: str) -> int:
        """Have the posts that a dead process of this name held go on at once; return how many those were."""
        left = await self._resources.records.release(node)
        if left:
            self.wake()
        return left

    def wake(self) -> None:
        """Look at once: something became due."""
        self._awake.set()

    async def close(self) -> None:
        """Stop; posts under way stay where they are, and the next process goes on with them."""
        tasks: list[asyncio.Task[Any]] = [task for task in (self._loop, *self._walks) if task is not None]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._sleep(await self._look())
            except Unavailable:
                await asyncio.sleep(RESTART_SECONDS)
            except Exception:
                log.exception("looking for due posts failed")
                await asyncio.sleep(RESTART_SECONDS)

    async def _look(self) -> datetime | None:
        """Claim due posts, as many as there is room for; return when the next look is worth it, if that is known."""
        resources, policy = self._resources, self._resources.policy
        self._awake.clear()
        room = policy.at_once - len(self._walks)
        if room <= 0:
            return None  # a walk that ends wakes us
        now = resources.graph.now()
        due = await resources.records.next_due(now)
        if due is None or due > now:
            return due
        claimed = await resources.records.claim(self._owner, now, policy.lease, room)
        for post in claimed:
            self.take(post)
        return now if claimed else None

    def _walked(self, task: "asyncio.Task[bool]") -> None:
        was_full = len(self._walks) >= self._resources.policy.at_once
        self._walks.pop(task, None)
        if was_full or task.cancelled() or task.result():
            self._awake.set()

    async def _sleep(self, due: datetime | None) -> None:
        """Wait until a post is due, or for a while: other processes may have stored one, or died with one."""
        idle = self._resources.policy.idle
        if due is not None:
            idle = min(idle, due - self._resources.graph.now())
        if idle <= timedelta(0):
            return
        # Not `wait_for`, which forgets that it was cancelled when it is woken at the same moment: nobody could close us.
        with suppress(TimeoutError):
            async with asyncio.timeout(idle.total_seconds()):
                await self._awake.wait()

    async def _walk(self, walk: Walk) -> bool:
        """Move a post until it has to wait for long; tell whether it waits for a moment of its own."""
        post = walk.post
        holding = asyncio.create_task(self._hold(walk))
        try:
            return await self._until_due_later(walk)
        except OvertakenError:
            log.info("post %d was moved by somebody else", post.id)
        except Unavailable as trouble:
            log.warning("post %d goes on when its lease has run out: %s", post.id, trouble.message)
        except Exception:
            log.exception("a step of post %d failed; it goes on when its lease has run out", post.id)
        finally:
            holding.cancel()
            self._resources.arrivals.arrived(post.id)
        return False

    async def _until_due_later(self, walk: Walk) -> bool:
        while True:
            post = await step(walk)
            if post.state in ENDED:
                self._resources.arrivals.arrived(post.id)
            if post.due_at is None:
                return False
            pause = post.due_at - walk.now()
            if pause > SHORT:
                return True
            if pause > timedelta(0):
                await asyncio.sleep(pause.total_seconds())

    async def _hold(self, walk: Walk) -> None:
        """Renew the lease while a long step runs."""
        lease = self._resources.policy.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            with suppress(Unavailable):
                await self._resources.records.renew(walk.post, walk.now() + lease)
