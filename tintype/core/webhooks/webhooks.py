"""The trade of telling programs: endpoints, their secrets, and what became of each message."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from tintype.backends.vault import Vault
from tintype.core.webhooks.advice import advice
from tintype.core.webhooks.deliverer import Tries
from tintype.core.webhooks.delivery_records import DeliveryRecords
from tintype.core.webhooks.model import (
    ANSWER_BYTES,
    DESCRIPTION_LENGTH,
    EVENTS,
    Answer,
    Attempt,
    Delivery,
    Endpoint,
    Envelope,
    Happening,
    Policy,
    Progress,
    State,
    Verdict,
    Way,
    body_of,
    checked_events,
    checked_url,
)
from tintype.core.webhooks.outbox import Outbox
from tintype.core.webhooks.records import STANDING, WISHED, EndpointRecords, Sealed
from tintype.core.webhooks.samples import NUMBER, sample
from tintype.core.webhooks.schedule import Schedule
from tintype.core.webhooks.sending import Prepared, context, opened, prepared, send
from tintype.core.webhooks.signing import new_private, new_secret, public_of
from tintype.errors import Conflict, Invalid, NotFound

LISTENER = "listen:"  # in place of an address: nobody is called
_ID = re.compile(r"[0-9a-f-]{36}")
LOOK_SECONDS = 0.5  # between two looks for a listener that waits
_PULLED_AT_ONCE = 20
_TEST = "msg_test"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose endpoints are meant: a workspace's, or only those of one picker app in it."""

    workspace_id: str
    app_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What an endpoint should be like; None: as it is, or as is usual."""

    url: str | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    schedule: str | None = None
    delays: Sequence[int] = ()
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An endpoint at the one moment at which its secret is known."""

    endpoint: Endpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test: what was sent, what came back, and what to do about it."""

    attempt: Attempt
    body: bytes = field(repr=False)
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """A delivery for somebody who fetches it; `fence` is shown when its outcome is told."""

    delivery: Delivery
    fence: int
    request: Prepared


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Keeps endpoints, and shows and repeats what was sent to them."""

    endpoints: EndpointRecords
    deliveries: DeliveryRecords
    outbox: Outbox
    tries: Tries
    vault: Vault
    policy: Policy
    base: str

    def now(self) -> datetime:
        """Return the present moment."""
        return self.tries.now()

    async def add(self, scope: Scope, wish: Wish, *, way: Way = Way.PUSH) -> Issued:
        """Register an endpoint.

        Raises `Invalid` for an address or wish that cannot be, `Conflict` when there are too many.
        """
        endpoint_id, secret, private = str(uuid4()), new_secret(), new_private()
        if way is Way.PUSH and wish.url is None:
            raise Invalid("url is required")
        bare = Endpoint(
            id=endpoint_id,
            workspace_id=scope.workspace_id,
            app_id=scope.app_id,
            url=LISTENER,
            description="",
            events=("all",),
            schedule=Schedule.of(self.policy.schedule if way is Way.PUSH else "once"),
            envelope=Envelope.FILESTACK,
            way=way,
            state=State.ACTIVE,
            reason=None,
            public_key=public_of(private),
            created_at=self.now(),
        )
        endpoint = self._wished(bare, wish)
        sealed = Sealed(self._seal(endpoint_id, "secret", secret), self._seal(endpoint_id, "private", private))
        if not await self.endpoints.add(endpoint, sealed, self.policy.most):
            raise Conflict(f"there are {self.policy.most} endpoints, which is as many as a workspace may have")
        return Issued(endpoint, secret)

    async def all(self, scope: Scope) -> Sequence[Endpoint]:
        """Return the endpoints, the oldest first."""
        return await self.endpoints.all(scope.workspace_id, scope.app_id)

    async def get(self, scope: Scope, endpoint_id: str) -> Endpoint:
        """Return an endpoint; raises `NotFound`, also for somebody else's."""
        is_id = _ID.fullmatch(endpoint_id) is not None
        found = await self.endpoints.get(scope.workspace_id, scope.app_id, endpoint_id) if is_id else None
        if found is None:
            raise NotFound(f"there is no webhook endpoint {endpoint_id!r}")
        return found

    async def counts(self, endpoint: Endpoint) -> Mapping[str, int]:
        """Return how many deliveries of an endpoint are in which state."""
        return await self.deliveries.counts(endpoint)

    async def change(self, scope: Scope, endpoint_id: str, wish: Wish) -> Endpoint:
        """Change what is wished to be different; messages that wait go to the new address."""
        endpoint = self._wished(await self.get(scope, endpoint_id), wish)
        await self.endpoints.store(endpoint, WISHED)
        self.outbox.wake()
        return endpoint

    async def remove(self, scope: Scope, endpoint_id: str) -> None:
        """Forget an endpoint with its deliveries and their log."""
        await self.endpoints.remove(await self.get(scope, endpoint_id))

    async def pause(self, scope: Scope, endpoint_id: str) -> Endpoint:
        """Send nothing for now; what happens meanwhile is kept for the endpoint."""
        endpoint = await self.get(scope, endpoint_id)
        if endpoint.state is State.DISABLED:
            raise Conflict("the endpoint is disabled; resume it first")
        return await self._set(endpoint, State.PAUSED)

    async def resume(self, scope: Scope, endpoint_id: str, *, skip: bool = False) -> Endpoint:
        """Send again, also to an endpoint that was disabled; with `skip` without what was never tried so far."""
        endpoint = await self.get(scope, endpoint_id)
        if skip:
            await self.endpoints.skip(endpoint, self.now())
        resumed = await self._set(replace(endpoint, failing_since=None, failed_at=None), State.ACTIVE)
        self.outbox.wake()
        return resumed

    async def rotate(self, scope: Scope, endpoint_id: str, *, overlap: timedelta | None = None) -> Issued:
        """Give an endpoint a new secret; the one before signs beside it for a while, a day if nothing else is said.

        Raises `Conflict` when somebody else does that at the same moment: one of the two would never sign.
        """
        endpoint = await self.get(scope, endpoint_id)
        sealed = await self.endpoints.sealed(endpoint)
        if sealed is None:
            raise NotFound(f"there is no webhook endpoint {endpoint_id!r}")
        now, secret = self.now(), new_secret()
        span = self.policy.overlap if overlap is None else overlap
        before = self.vault.open(sealed.secret, context=context(endpoint.id, "secret"))
        earlier = self._seal(endpoint.id, "earlier", before) if span else None
        until = now + span if span else None
        sealed_anew = self._seal(endpoint.id, "secret", secret)
        if not await self.endpoints.rotate(endpoint, sealed.secret, sealed_anew, earlier, until):
            raise Conflict(
                "somebody else gave this endpoint a new secret at this moment; look whether you need another"
            )
        return Issued(replace(endpoint, overlap_until=until), secret)

    async def test(self, scope: Scope, endpoint_id: str, event: str) -> Tested:
        """Send a made-up message of this kind, once, and tell what came of it; it stands in no log."""
        endpoint = await self.get(scope, endpoint_id)
        if event not in EVENTS:
            raise Invalid(f"event must be one of {', '.join(EVENTS)}")
        if endpoint.way is Way.PULL:
            raise Conflict("nobody is called for this endpoint: its listener fetches what happens")
        sealed = await self.endpoints.sealed(endpoint)
        if sealed is None:
            raise NotFound(f"there is no webhook endpoint {endpoint_id!r}")
        now = self.now()
        body = body_of(NUMBER, sample(scope.workspace_id, event, self.base, now))
        keys = opened(self.vault, endpoint.id, sealed, now)
        uid = f"{_TEST}_{uuid4().hex}"
        request = prepared(endpoint, keys, body, uid, now, marks={"webhook-test": "1"})
        answer = await send(self.tries.outbound, request, self.policy)
        return Tested(Attempt(1, now, endpoint.url, dict(request.headers), answer), request.body, advice(answer))

    async def opened(self, scope: Scope, dialog_id: str, url: str, origin: str) -> None:
        """Tell that a page of this origin opened a dialog, if somebody wants to know."""
        text = {"url": url, "client": "Instagram", "origin": origin}
        key = f"fp.dialog:{dialog_id}"
        await self.outbox.tell(Happening(scope.workspace_id, scope.app_id, "fp.dialog", text, self.now(), key))

    async def log(
        self,
        scope: Scope,
        endpoint_id: str,
        *,
        limit: int,
        before: int | None = None,
        state: Progress | None = None,
        event: str | None = None,
        text: str | None = None,
    ) -> Sequence[Delivery]:
        """Return an endpoint's deliveries, the newest first, from below the number `before` on."""
        endpoint = await self.get(scope, endpoint_id)
        filters = {"before": before, "state": state, "event": event, "text": text}
        return await self.deliveries.all(endpoint, limit=limit, **filters)  # pyright: ignore[reportArgumentType] - each of its type

    async def delivery(self, scope: Scope, endpoint_id: str, delivery_id: int) -> tuple[Delivery, Sequence[Attempt]]:
        """Return a delivery with its log; raises `NotFound`."""
        endpoint = await self.get(scope, endpoint_id)
        found = await self.deliveries.get(endpoint, delivery_id)
        if found is None:
            raise NotFound(f"there is no delivery {delivery_id} to this endpoint")
        return found

    async def replay(self, scope: Scope, endpoint_id: str, delivery_id: int) -> Delivery:
        """Send a message again, with a schedule of its own, under the same `webhook-id`.

        Raises `Conflict` while an attempt is under way.
        """
        await self.delivery(scope, endpoint_id, delivery_id)
        endpoint = await self.get(scope, endpoint_id)
        if not await self.deliveries.replay(endpoint, delivery_id, self.now()):
            raise Conflict("an attempt of this delivery is under way; wait for its end")
        self.outbox.wake()
        return (await self.delivery(scope, endpoint_id, delivery_id))[0]

    async def recover(self, scope: Scope, endpoint_id: str, since: datetime, *, missing: bool = False) -> int:
        """Send all again that failed and happened since, or with `missing` all that was never sent; return how many."""
        endpoint, now = await self.get(scope, endpoint_id), self.now()
        states = (Progress.SKIPPED,) if missing else (Progress.FAILED,)
        count = await self.deliveries.recover(endpoint, states, since, now)
        if missing:
            count += await self.deliveries.fill(endpoint, since, now)
        self.outbox.wake()
        return count

    async def pull(self, scope: Scope, endpoint_id: str, *, wait: float = 0.0) -> Sequence[Pulled]:
        """Return what is due for a listener, signed as it would be sent; each is held for a while. One that is paused gets nothing.

        Where nothing is, it is waited for, up to so many seconds.
        """
        endpoint = await self._listener(scope, endpoint_id)
        await self.endpoints.change(endpoint, pulled_at=self.now())
        until = asyncio.get_running_loop().time() + wait
        while not await self.deliveries.has_due(endpoint, self.now()):
            if asyncio.get_running_loop().time() >= until:
                return []
            await asyncio.sleep(LOOK_SECONDS)
        now = self.now()
        claims = await self.deliveries.pull(endpoint, now, self.policy.fetched, _PULLED_AT_ONCE)
        return [Pulled(claim.delivery, claim.fence, self.tries.request(claim, now)) for claim in claims]

    async def answered(
        self, scope: Scope, endpoint_id: str, delivery_id: int, fence: int, url: str, answer: Answer
    ) -> Verdict:
        """Store what a listener got for a delivery; raises `Conflict` for one that it does not hold any more."""
        endpoint = await self._listener(scope, endpoint_id)
        claim = await self.deliveries.held(endpoint, delivery_id, fence)
        if claim is None:
            raise Conflict("the listener does not hold this delivery any more")
        taken = claim.until - self.policy.fetched
        sent, cut = self.tries.request(claim, taken), replace(answer, body=answer.body[:ANSWER_BYTES])
        return await self.tries.settle(claim, taken, replace(sent, url=url), cut)

    async def rotate_vault(self) -> int:
        """Seal everything anew that was not sealed with the current key; return how many secrets that were."""
        done = 0
        for endpoint_id, name, sealed in await self.endpoints.every_sealed():
            if self.vault.needs_rotation(sealed):
                plain = self.vault.open(sealed, context=context(endpoint_id, name))
                done += await self.endpoints.reseal(endpoint_id, name, sealed, self._seal(endpoint_id, name, plain))
        return done

    async def _listener(self, scope: Scope, endpoint_id: str) -> Endpoint:
        endpoint = await self.get(scope, endpoint_id)
        if endpoint.way is not Way.PULL:
            raise Conflict("this endpoint is called; only a listener fetches")
        return endpoint

    async def _set(self, endpoint: Endpoint, state: State) -> Endpoint:
        changed = replace(endpoint, state=state, reason=None)
        await self.endpoints.store(changed, STANDING)
        return changed

    def _wished(self, endpoint: Endpoint, wish: Wish) -> Endpoint:
        if wish.description is not None and len(wish.description) > DESCRIPTION_LENGTH:
            raise Invalid(f"description must be at most {DESCRIPTION_LENGTH} characters")
        if wish.delays and wish.schedule is None:
            raise Invalid("delays belong to the schedule custom; name it as well")
        return replace(
            endpoint,
            url=endpoint.url if wish.url is None else checked_url(wish.url, self.policy.allowed),
            events=endpoint.events if wish.events is None else checked_events(wish.events),
            description=endpoint.description if wish.description is None else wish.description.replace("\0", ""),
            schedule=endpoint.schedule if wish.schedule is None else Schedule.of(wish.schedule, wish.delays),
            envelope=wish.envelope or endpoint.envelope,
        )

    def _seal(self, endpoint_id: str, name: str, plain: str) -> bytes:
        return self.vault.seal(plain, context=context(endpoint_id, name))
