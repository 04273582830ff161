"""The trade of telling: browsers subscribe, things happen, and each browser is told of each thing once.

A notice is stored with a row for every browser before anything is sent, so what was announced is sent however often the
process dies. A row that was sent and not yet crossed off is sent again, under the same topic and tag: the browser shows one.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from tintype.backends.engine import Engine
from tintype.backends.outbound import Answer, Outbound, Outgoing
from tintype.backends.outbound import Policy as Way
from tintype.backends.vault import Vault
from tintype.core.notifications.encryption import encrypt
from tintype.core.notifications.model import (
    CLIENT_LENGTH,
    FRESH,
    LOST,
    Notice,
    Outcome,
    Policy,
    Subscription,
    Verdict,
    is_lost,
    judge,
    retry_after_of,
)
from tintype.core.notifications.records import Delivery, PushRecords, SealedSubscription
from tintype.core.notifications.vapid import VapidKey, bytes_of, text_of
from tintype.errors import Conflict, Forbidden, Invalid, Misconfigured, Trouble, Unavailable

log = logging.getLogger(__name__)

DELIVER = "notifications.deliver"
KEPT = LOST  # how long the keys of notices are remembered
AT_ONCE = 16
_ANSWER_BYTES = 65_536
_SET_IT = "set that one as ENCRYPTION_KEY, or add it to ENCRYPTION_KEYS_OLD; if it is lost, see `tintype vault forget`"


class Source(Protocol):
    """A log of changes that people may have to be told of, each with a number that grows; none comes behind a later one."""

    async def since(self, number: int) -> tuple[int, Sequence[tuple[datetime, Notice]]]:
        """Return up to which number was read, and what to tell of changes behind `number` with their moments, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the deliveries that were due."""

    counts: dict[Outcome, int] = field(default_factory=dict[Outcome, int])

    def add(self, outcome: Outcome, count: int = 1) -> None:
        """Count one, or some."""
        self.counts[outcome] = self.counts.get(outcome, 0) + count


@dataclass(slots=True)
class _Opened:
    key: VapidKey | None = None


@dataclass(frozen=True, slots=True)
class Notifier:
    """Keeps subscriptions and sends notices to them."""

    records: PushRecords
    vault: Vault
    outbound: Outbound
    engine: Engine
    policy: Policy
    now: Callable[[], datetime]
    node: str | None = None  # the process in whose name deliveries are held
    _opened: _Opened = field(default_factory=_Opened, repr=False)

    async def key(self) -> VapidKey:
        """Return this house's key, made when it is asked for the first time and the same for ever after."""
        if self._opened.key is None:
            pair = await self.records.key()
            if pair is None:
                made = self.vault.seal(VapidKey.fresh().text(), context=_KEY_CONTEXT)
                await self.records.add_key(made, self.now())
                pair = await self.records.key()
                assert pair is not None
            self._opened.key = opened_key(self.vault, pair)
        return self._opened.key

    async def prove(self) -> None:
        """Raise `Misconfigured` when another key than this house's sealed what is stored here.

        The first start seals a pair of keys, so whoever comes with another encryption key later is known by it: what he
        sealed nobody else could open.
        """
        pair = await self.records.key()
        stranger = self.vault.stranger(pair) if pair is not None else None
        if stranger is not None:
            raise Misconfigured(
                f"the encryption key is not the one that sealed what is stored here, {stranger}; {_SET_IT}"
            )

    async def subscribe(self, client: str, endpoint: str, p256dh: str, auth: str) -> int:
        """Keep a browser's subscription in place of an earlier one of this client or endpoint; return how many there are.

        Raises `Invalid` for one that could not be sent to, and `Conflict` when there are too many.
        """
        if not 0 < len(client) <= CLIENT_LENGTH:
            raise Invalid(f"clientId must have 1 to {CLIENT_LENGTH} characters")
        found = Subscription.of(endpoint, p256dh, auth, self.policy)
        subscription_id = str(uuid4())
        kept = {"endpoint": found.endpoint, "p256dh": text_of(found.p256dh), "auth": text_of(found.auth)}
        sealed = SealedSubscription(
            id=subscription_id,
            client=_digest(client),
            place=_digest(found.endpoint),
            service=urlsplit(found.endpoint).hostname or "",
            sealed=self.vault.seal(json.dumps(kept), context=_context(subscription_id)),
            added_at=self.now(),
        )
        count = await self.records.keep(sealed, self.policy.most)
        if count is None:
            raise Conflict(f"there are {self.policy.most} subscriptions, which is as many as are kept here")
        return count

    async def unsubscribe(self, client: str) -> int:
        """Forget a browser's subscription, if there is one; return how many there are left."""
        return await self.records.remove(_digest(client))

    async def announce(self, notice: Notice) -> bool:
        """Store a notice and begin to send it; False when one with the same key was announced before."""
        if not await self.records.announce(notice, self.now()):
            return False
        await self.wake()
        return True

    async def wake(self) -> None:
        """Have what is due sent soon, here or by the node that works."""
        await self.engine.enqueue(DELIVER, unique=DELIVER, again=True)

    async def inherit(self, node: str) -> int:
        """Have sent at once what a dead process of this name was sending; return how much that is."""
        left = await self.records.release(node, self.now())
        if left:
            await self.wake()
        return left

    async def catch_up(self, name: str, source: Source) -> int:
        """Announce what a source's log has that was not announced yet and is still news; return how many notices."""
        mark = await self.records.mark(name) or 0
        number, told = await source.since(mark)
        news = [(at, notice) for at, notice in told if at > self.now() - FRESH]
        unknown = await self.records.unknown([notice.key for _, notice in news])
        fresh = [await self.records.announce(notice, at) for at, notice in news if notice.key in unknown]
        if number != mark:
            await self.records.set_mark(name, number)
        return sum(fresh)

    async def deliver(self) -> Report:
        """Send all that is due."""
        report = Report()
        while claimed := await self.records.claim(self.now(), self.policy.lease, AT_ONCE, self.node):
            for outcome in await asyncio.gather(*(self._tried(one) for one in claimed)):
                report.add(outcome)
        await self.records.forget(self.now() - KEPT)
        return report

    async def see_through(self) -> Report:
        """Send all that is due, and what another process is sending, should that one turn out to be dead."""
        report = await self.deliver()
        while (pause := await self._pause()) is not None:
            await asyncio.sleep(pause.total_seconds())
            for outcome, count in (await self.deliver()).counts.items():
                report.add(outcome, count)
        return report

    async def rotate(self) -> int:
        """Seal everything anew that was not sealed with the current key; return how many secrets that were."""
        pair = await self.records.key()
        done = 0
        if pair is not None and self.vault.needs_rotation(pair):
            plain = self.vault.open(pair, context=_KEY_CONTEXT)
            done += await self.records.reseal_key(pair, self.vault.seal(plain, context=_KEY_CONTEXT))
        for subscription_id, sealed in await self.records.sealed():
            if self.vault.needs_rotation(sealed):
                context = _context(subscription_id)
                fresh = self.vault.seal(self.vault.open(sealed, context=context), context=context)
                done += await self.records.reseal(subscription_id, sealed, fresh)
        return done

    async def _pause(self) -> timedelta | None:
        """Return how long it is until a lease is over; None: nobody holds one."""
        now, due = self.now(), await self.records.next_due()
        return max(due - now, timedelta(0)) if due is not None and due <= now + self.policy.lease else None

    async def _tried(self, delivery: Delivery) -> Outcome:
        verdict = await self._held(delivery)
        now = self.now()
        if verdict.outcome in (Outcome.LATER, Outcome.EXPIRED) and is_lost(delivery.failing_since, now):
            verdict = Verdict(Outcome.GONE)
        match verdict:
            case Verdict(Outcome.LATER, at) if at is not None:
                await self.records.postpone(delivery, at, now)
            case Verdict(Outcome.DELIVERED):
                await self.records.reached(delivery, now)
            case Verdict(Outcome.GONE):
                log.info("a browser at %s is not reached any more and was forgotten", delivery.service)
                await self.records.prune(delivery.subscription_id)
            case Verdict(Outcome.REFUSED):
                await self.records.refuse(delivery)
            case _:
                await self.records.give_up(delivery, now)
        return verdict.outcome

    async def _held(self, delivery: Delivery) -> Verdict:
        """Send a notice, and renew its lease as long as that takes."""
        holding = asyncio.create_task(self._hold(delivery))
        try:
            return await self._sent(delivery)
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)  # a renewal after the verdict would undo it

    async def _hold(self, delivery: Delivery) -> None:
        while True:
            await asyncio.sleep(self.policy.lease.total_seconds() / 3)
            with contextlib.suppress(Unavailable):
                await self.records.renew(delivery, self.now() + self.policy.lease)

    async def _sent(self, delivery: Delivery) -> Verdict:
        now, until = self.now(), delivery.at + FRESH
        if now >= until:
            return Verdict(Outcome.EXPIRED)
        try:
            answer = await self._post(delivery, now, until)
        except Forbidden as trouble:
            log.warning("no push was sent: %s", trouble.message)
            return Verdict(Outcome.REFUSED)
        except Trouble as trouble:
            log.info("a push is sent again later: %s", trouble.message)
            return judge(None, None, delivery.attempts, now, until)
        retry_after = retry_after_of(answer.headers.get("retry-after"), now)
        verdict = judge(answer.status, retry_after, delivery.attempts, now, until)
        if verdict.outcome is Outcome.REFUSED:
            log.warning("the push service %s refused a push with %d", delivery.service, answer.status)
        return verdict

    async def _post(self, delivery: Delivery, now: datetime, until: datetime) -> Answer:
        opened = json.loads(self.vault.open(delivery.sealed, context=_context(delivery.subscription_id)))
        endpoint = str(opened["endpoint"])
        key = await self.key()
        headers = {
            "Authorization": key.authorization(endpoint, self.policy.contact, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int((until - now).total_seconds())),
            "Urgency": "high" if delivery.notice.is_urgent else "normal",
            **({"Topic": delivery.notice.topic} if delivery.notice.topic else {}),
        }
        body = encrypt(delivery.notice.payload(), bytes_of(opened["p256dh"]), bytes_of(opened["auth"]))
        way = Way(
            total_seconds=self.policy.seconds,
            first_byte_seconds=self.policy.seconds,
            max_bytes=_ANSWER_BYTES,
            host_suffixes=self.policy.services,
        )
        return await self.outbound.send(Outgoing("POST", endpoint, headers=headers, content=body), way)


_KEY_CONTEXT = "push_keys:vapid:pair"


def opened_key(vault: Vault, pair: bytes) -> VapidKey:
    """Return the key pair that was kept; raises `Misconfigured` or `Unavailable` when it cannot be opened."""
    return VapidKey.of(vault.open(pair, context=_KEY_CONTEXT))


def _context(subscription_id: str) -> str:
    return f"push_subscriptions:{subscription_id}:sealed"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
