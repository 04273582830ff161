"""Sends what is due, each attempt as a task under a lease; the rows are the record, so any process may go on with any delivery.

An attempt is counted when its outcome is stored. A process that dies in between leaves a delivery that is due again when
its lease is over: a receiver may hear a thing twice, under the same `webhook-id`, and is never left without it.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tintype import metrics
from tintype.backends.outbound import Outbound
from tintype.backends.vault import Vault
from tintype.core.webhooks.delivery_records import Claim, DeliveryRecords
from tintype.core.webhooks.model import Answer, Attempt, Policy, Progress, Verdict, judge
from tintype.core.webhooks.records import EndpointRecords
from tintype.core.webhooks.sending import Prepared, opened, prepared, send
from tintype.errors import Unavailable

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0  # after a look for due deliveries that went wrong
GATHER_SECONDS = 0.01  # in which attempts that end one after the other make room for one look together
TIDY_EVERY = timedelta(hours=1)
LISTENERS_KEPT = timedelta(days=1)  # without asking


@dataclass(frozen=True, slots=True)
class Tries:
    """One attempt after the other: gather, send, judge, store."""

    records: DeliveryRecords
    endpoints: EndpointRecords
    outbound: Outbound
    vault: Vault
    policy: Policy
    now: Callable[[], datetime]
    owner: str | None = None  # the process in whose name deliveries are held
    draw: Callable[[], float] = field(default=random.random, repr=False)  # between 0 and 1, for the jitter

    async def claim(self) -> list[Claim]:
        """Take due deliveries, as many as there is room for."""
        return list(await self.records.claim(self.owner, self.now(), self.policy))

    async def hold(self, claims: Sequence[Claim]) -> None:
        """Renew the leases of attempts that go on."""
        await self.records.renew(claims, self.now() + self.policy.lease)

    def request(self, claim: Claim, at: datetime) -> Prepared:
        """Return the request of an attempt that begins at a moment."""
        delivery, keys = claim.delivery, opened(self.vault, claim.endpoint.id, claim.sealed, at)
        marks = {"webhook-replay": "1"} if delivery.is_replay else {}
        body = delivery.body.encode()
        return prepared(claim.endpoint, keys, body, delivery.uid, at, attempt=delivery.attempts + 1, marks=marks)

    async def attempt(self, claim: Claim) -> Verdict:
        """Make one attempt and store what came of it."""
        at = self.now()
        request = self.request(claim, at)
        answer = await send(self.outbound, request, self.policy)
        return await self.settle(claim, at, request, answer)

    async def settle(self, claim: Claim, at: datetime, request: Prepared, answer: Answer) -> Verdict:
        """Store the outcome of an attempt that was begun at a moment, and return what it means."""
        number, now = claim.delivery.attempts + 1, self.now()
        jitter = self.policy.jitter * self.draw()
        verdict = judge(answer, claim.endpoint.schedule, number, claim.first_at, now, jitter)
        told = "delivered" if verdict.state is Progress.DELIVERED else "refused" if answer.status else "unreachable"
        metrics.DELIVERIES.labels(told).inc()
        attempt = Attempt(number, at, request.url, dict(request.headers), answer)
        if not await self.records.record(claim, attempt, verdict, now):
            log.info("delivery %d was taken over by somebody else", claim.delivery.id)
        elif verdict.disables:
            log.warning("webhook endpoint %s answered 410 and is not sent to any more", claim.endpoint.id)
        return verdict

    async def tidy(self) -> int:
        """Put away what is older than it is kept, and listeners that went away; return how many messages those were."""
        now = self.now()
        await self.endpoints.remove_unpulled(now - LISTENERS_KEPT)
        return await self.records.prune(now - self.policy.kept)


class Deliverer:
    """Looks for due deliveries and sends them until it is closed."""

    def __init__(self, tries: Tries) -> None:
        self._tries = tries
        self._awake = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], Claim] = {}
        self._loop: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        self._tidied: datetime | None = None

    async def start(self, *, alone: bool) -> None:
        """Begin; when this process is `alone` in working, whoever else held deliveries is dead."""
        if alone:
            await self._tries.records.release()
        self._loop = asyncio.create_task(self._run())
        self._holding = asyncio.create_task(self._hold())

    async def inherit(self, node: str) -> int:
        """Make the attempts again that a dead process of this name was making; return how many those are."""
        left = await self._tries.records.release(node)
        if left:
            self.wake()
        return left

    def wake(self) -> None:
        """Look at once: something became due."""
        self._awake.set()

    async def close(self) -> None:
        """Stop; attempts under way are cut off, and made again when their leases are over."""
        standing = (self._loop, self._holding, *self._under_way)
        tasks: list[asyncio.Task[Any]] = [task for task in standing if task is not None]
        self._loop = self._holding = None
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
                log.exception("looking for due webhooks failed")
                await asyncio.sleep(RESTART_SECONDS)

    async def _look(self) -> datetime | None:
        """Begin attempts, as many as there is room for; return when the next look is worth it, if that is known."""
        tries = self._tries
        self._awake.clear()
        now = tries.now()
        if self._tidied is None or now - self._tidied >= TIDY_EVERY:
            await tries.tidy()
            self._tidied = now
        due = await tries.records.next_due()
        if due is None or due > now:
            return due
        for claim in await tries.claim():
            task = asyncio.create_task(self._attempt(claim), context=Context())
            self._under_way[task] = claim
            task.add_done_callback(self._ended)
        return None  # what has no lane yet gets one when an attempt ends, and that wakes us

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        self._awake.set()

    async def _sleep(self, due: datetime | None) -> None:
        """Wait until something is due, or for a while: other processes may have written something, or died with it."""
        idle = self._tries.policy.idle
        if due is not None:
            idle = min(idle, due - self._tries.now())
        if idle <= timedelta(0):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(idle.total_seconds()):
                await self._awake.wait()
                if self._under_way:
                    await asyncio.sleep(GATHER_SECONDS)

    async def _hold(self) -> None:
        """Renew the leases of slow attempts, all at once."""
        while True:
            await asyncio.sleep(self._tries.policy.lease.total_seconds() / 3)
            if self._under_way:
                await self._held()

    async def _held(self) -> None:
        try:
            await self._tries.hold(list(self._under_way.values()))
        except Unavailable:
            pass  # it has said so; the next renewal is in time
        except Exception:  # whoever holds nothing any more has every slow attempt made twice
            log.exception("renewing the leases of webhooks failed")

    async def _attempt(self, claim: Claim) -> None:
        try:
            await self._tries.attempt(claim)
        except Unavailable as trouble:
            log.warning("delivery %d is made again when its lease is over: %s", claim.delivery.id, trouble.message)
        except Exception:
            log.exception("delivery %d failed; it is made again when its lease is over", claim.delivery.id)
