"""The trade of quotas: ask Instagram how much an account may publish, and hold places in it so that none is overshot."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from tintype.core.accounts import Grip
from tintype.core.publishing.model import Post, Quota
from tintype.core.publishing.policy import Policy
from tintype.core.publishing.reservations import Reservations, Standing
from tintype.errors import Reconnect, Trouble
from tintype.instagram import Graph, Login, calls

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=20)  # before a full quota is asked for once more


@dataclass(frozen=True, slots=True)
class Later:
    """Why a post does not go on now, and when it may."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Quotas:
    """Knows what accounts may publish. Fails open: while Instagram does not say, its own refusal is what stops us."""

    records: Reservations
    graph: Graph
    policy: Policy
    _asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])

    async def hold(self, post: Post, grip: Grip) -> Later | None:
        """Hold a place for a post; returns None when it has one, else when to come back and why."""
        now = self.graph.now()
        held, standing = await self.records.hold(post, now, known_since=now - self.policy.quota_age)
        if not held and not standing.rests(now):
            # Nobody asked lately, or it was full when somebody did: ask now, and take what is known then.
            is_fresh = standing.is_known_since(now - self.policy.quota_age)
            await self._known(grip, LOOK_AGAIN if is_fresh else self.policy.quota_age)
            held, standing = await self.records.hold(post, now, known_since=None)
        if held:
            return None
        if standing.resting_until and standing.rests(now):
            return Later(standing.resting_until, "Instagram suspects spam on this account, so it rests for a while")
        return await self._later(grip.account.id, standing.quota, now)

    def finder(self, post: Post) -> Callable[[Connection], bool]:
        """Return what finds a place for a post while it is stored, as far as that is known without asking Instagram."""
        now = self.graph.now()
        return self.records.finder(post, now, known_since=now - self.policy.quota_age)

    async def read(self, grip: Grip) -> Quota:
        """Return an account's quota as Instagram says it now, or as it last did when it does not answer."""
        return (await self._known(grip, timedelta(0))).quota

    async def full(self, account_id: str) -> Later:
        """Note that Instagram says the quota is used up, whatever we counted."""
        now = self.graph.now()
        quota = (await self.records.standing(account_id)).quota
        await self.records.read(account_id, quota.total, quota.total, quota.window_seconds, now)
        return await self._later(account_id, quota, now)

    async def rest(self, account_id: str) -> datetime:
        """Let an account rest because Instagram suspects spam; returns until when."""
        until = self.graph.now() + self.policy.spam_rest
        await self.records.rest(account_id, until)
        return until

    async def _known(self, grip: Grip, age: timedelta) -> Standing:
        """Return how the quota stands, asking Instagram when what is known is older than `age`; one asks for all."""
        account = grip.account
        async with self._asking.setdefault(account.id, asyncio.Lock()):
            standing = await self.records.standing(account.id)
            now = self.graph.now()
            if standing.quota.read_at is not None and now - standing.quota.read_at < age:
                return standing
            user = "me" if account.login is Login.INSTAGRAM_LOGIN else account.instagram_id
            try:
                said = await self.graph.using(grip.app).ask(calls.publishing_limit(account.login, user), grip.token)
            except Reconnect:
                raise
            except Trouble as trouble:
                log.info("the publishing quota of account %s is not known: %s", account.id, trouble.message)
                return standing
            await self.records.read(account.id, said.used, said.total, said.window_seconds, now)
            return await self.records.standing(account.id)

    async def _later(self, account_id: str, quota: Quota, now: datetime) -> Later:
        window = timedelta(seconds=quota.window_seconds or 86_400)
        frees = await self.records.frees_at(account_id, window, quota.read_at or now)
        latest = now + self.policy.full_wait
        return Later(
            max(min(frees or latest, latest), now + LOOK_AGAIN),
            f"the account's publishing quota of {quota.total} is used up; the post waits for the next place",
        )
