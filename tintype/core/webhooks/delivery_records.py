"""Deliveries in SQL: claimed under a lease, recorded with their log, looked at, and set going again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant
from tintype.core.webhooks.due import DUE_ENDPOINTS, NEXT_DUE, UNDER_WAY, in_turn
from tintype.core.webhooks.model import (
    Answer,
    Attempt,
    Delivery,
    Endpoint,
    Happening,
    Policy,
    Progress,
    State,
    Verdict,
    Wanting,
    is_dead,
    share,
    wants,
)
from tintype.core.webhooks.records import NEW, Sealed, endpoint_of, put, sealed_of
from tintype.core.webhooks.tables import attempts, deliveries, endpoints, messages

_DISABLED = "endpoint.disabled"
_PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this process holds, with all that an attempt needs."""

    delivery: Delivery
    endpoint: Endpoint
    sealed: Sealed = field(repr=False)
    first_at: datetime
    until: datetime  # when the lease is over
    fence: int


@dataclass(frozen=True, slots=True)
class DeliveryRecords:
    """Reads and writes deliveries, one short transaction a method."""

    database: Database

    async def release(self, owner: str | None = None) -> int:
        """Let go of what a process that is dead held, or of all that is held; return how much that was."""
        held = deliveries.c.leased_until.is_not(None) & (true() if owner is None else deliveries.c.lease_owner == owner)
        free = update(deliveries).where(held).values(due_at=deliveries.c.first_at, leased_until=None)
        async with self.database.write() as connection:
            return (await connection.execute(free)).rowcount

    async def next_due(self) -> datetime | None:
        """Return when the next attempt to an endpoint that is sent to is due."""
        async with self.database.read() as connection:
            return await connection.scalar(NEXT_DUE)

    async def claim(self, owner: str | None, now: datetime, policy: Policy) -> Sequence[Claim]:
        """Take due deliveries for as many attempts as there is room for; nobody else gets them before the lease is over."""
        async with self.database.write() as connection:
            due = in_turn((await connection.execute(DUE_ENDPOINTS, {"now": now})).all())
            held = (await connection.execute(UNDER_WAY, {"now": now})).all()
            busy = Counter(row.endpoint_id for row in held)
            wanting = [Wanting(row.id, busy[row.id], row.failing_since is not None) for row in due]
            shares = share(wanting, len(held), sum(row.failing_since is not None for row in held), policy)
            taken = [await _take(connection, name, count, now, policy.lease, owner) for name, count in shares.items()]
            return [claim for some in taken for claim in some]

    async def renew(self, claims: Sequence[Claim], until: datetime) -> None:
        """Hold on to deliveries whose attempts go on; those that somebody else took meanwhile stay his."""
        held = tuple_(deliveries.c.id, deliveries.c.fence).in_([(one.delivery.id, one.fence) for one in claims])
        mine = held & deliveries.c.leased_until.is_not(None)
        async with self.database.write() as connection:
            await connection.execute(update(deliveries).where(mine).values(due_at=until, leased_until=until))

    async def has_due(self, endpoint: Endpoint, now: datetime) -> bool:
        """Tell whether something is due of this endpoint, and it is sent to."""
        query = select(deliveries.c.id).join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        query = query.where(_is_active(endpoint), deliveries.c.due_at <= now)
        async with self.database.read() as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def pull(self, endpoint: Endpoint, now: datetime, lease: timedelta, limit: int) -> Sequence[Claim]:
        """Take due deliveries of one endpoint that is sent to, for somebody who fetches them."""
        asked = select(endpoints.c.id).where(_is_active(endpoint)).with_for_update(read=True, key_share=True)
        async with self.database.write() as connection:
            if await connection.scalar(asked) is None:
                return []
            return await _take(connection, endpoint.id, limit, now, lease)

    async def held(self, endpoint: Endpoint, delivery_id: int, fence: int) -> Claim | None:
        """Return a delivery that is still held by whoever took it with this fence."""
        query = _claims().where(deliveries.c.id == delivery_id, deliveries.c.endpoint_id == endpoint.id)
        query = query.where(deliveries.c.fence == fence, deliveries.c.leased_until.is_not(None))
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _claim(row) if row else None

    async def record(self, claim: Claim, attempt: Attempt, verdict: Verdict, now: datetime) -> bool:
        """Store an attempt and what follows from it; False when another one took the delivery over meanwhile."""
        values = {
            "state": verdict.state.value,
            "attempts": claim.delivery.attempts + 1,
            "due_at": verdict.due_at,
            "leased_until": None,
            "status": attempt.answer.status,
            "reason": verdict.reason,
            "seconds": attempt.answer.seconds,
            "ended_at": None if verdict.due_at else now,
        }
        mine = (deliveries.c.id == claim.delivery.id) & (deliveries.c.fence == claim.fence)
        async with self.database.write() as connection:
            changed = await connection.execute(update(deliveries).where(mine).values(**values))
            if not changed.rowcount:
                return False
            await connection.execute(insert(attempts).values(delivery_id=claim.delivery.id, **_line(attempt)))
            await _stand(connection, claim.endpoint, attempt, verdict, now)
        return True

    async def all(
        self,
        endpoint: Endpoint,
        *,
        limit: int,
        before: int | None = None,
        state: Progress | None = None,
        event: str | None = None,
        text: str | None = None,
    ) -> Sequence[Delivery]:
        """Return an endpoint's deliveries, the newest first; `text` is looked for in what was told."""
        query = _shown().where(deliveries.c.endpoint_id == endpoint.id).order_by(deliveries.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(deliveries.c.id < before)
        if state is not None:
            query = query.where(deliveries.c.state == state.value)
        if event is not None:
            query = query.where(messages.c.event == event)
        if text:
            query = query.where(func.lower(messages.c.body).contains(text.lower(), autoescape=True))
        async with self.database.read() as connection:
            return [_delivery(row) for row in await connection.execute(query)]

    async def get(self, endpoint: Endpoint, delivery_id: int) -> tuple[Delivery, Sequence[Attempt]] | None:
        """Return one of them with its log, the oldest attempt first."""
        query = _shown().where(deliveries.c.endpoint_id == endpoint.id, deliveries.c.id == delivery_id)
        log = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            lines = (await connection.execute(log)).all()
        return (_delivery(row), [_attempt(line) for line in lines]) if row else None

    async def counts(self, endpoint: Endpoint) -> Mapping[str, int]:
        """Return how many deliveries are in which state."""
        query = select(deliveries.c.state, func.count()).where(deliveries.c.endpoint_id == endpoint.id)
        async with self.database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query.group_by(deliveries.c.state))}

    async def replay(self, endpoint: Endpoint, delivery_id: int, now: datetime) -> bool:
        """Set a delivery going again from the first attempt on; False when one is under way."""
        mine = (deliveries.c.endpoint_id == endpoint.id) & (deliveries.c.id == delivery_id)
        free = deliveries.c.leased_until.is_(None) | (deliveries.c.leased_until <= now)
        async with self.database.write() as connection:
            done = await connection.execute(update(deliveries).where(mine, free).values(**_again(now)))
        return done.rowcount > 0

    async def recover(self, endpoint: Endpoint, states: Sequence[Progress], since: datetime, now: datetime) -> int:
        """Set all deliveries in these states going again that were told of since; return how many."""
        told = select(messages.c.id).where(messages.c.id == deliveries.c.message_id, messages.c.stored_at >= since)
        mine = (deliveries.c.endpoint_id == endpoint.id) & deliveries.c.state.in_([one.value for one in states])
        async with self.database.write() as connection:
            return (
                await connection.execute(update(deliveries).where(mine, exists(told)).values(**_again(now)))
            ).rowcount

    async def fill(self, endpoint: Endpoint, since: datetime, now: datetime) -> int:
        """Write the way to an endpoint for messages since that it wants and that were never meant for it; return how many."""
        known = select(deliveries.c.id).where(
            deliveries.c.message_id == messages.c.id, deliveries.c.endpoint_id == endpoint.id
        )
        query = select(messages.c.id, messages.c.app_id, messages.c.event).where(
            messages.c.workspace_id == endpoint.workspace_id, messages.c.stored_at >= since, ~exists(known)
        )
        async with self.database.write() as connection:
            rows = (await connection.execute(query.order_by(messages.c.id))).all()
            missing = [row.id for row in rows if wants(endpoint, _bare(endpoint, row.app_id, row.event, now))]
            fresh = [{**NEW, "endpoint_id": endpoint.id, "message_id": one, "due_at": now} for one in missing]
            return await _added(connection, fresh)

    async def prune(self, before: datetime) -> int:
        """Forget messages that were stored before, with all that belongs to them; return how many those were."""
        done = 0
        old = select(messages.c.id).where(messages.c.stored_at < before).limit(_PRUNED_AT_ONCE)
        while True:
            async with self.database.write() as connection:
                gone = await connection.execute(delete(messages).where(messages.c.id.in_(old.scalar_subquery())))
            done += gone.rowcount
            if gone.rowcount < _PRUNED_AT_ONCE:
                return done


def _is_active(endpoint: Endpoint) -> ColumnElement[bool]:
    return (endpoints.c.id == endpoint.id) & (endpoints.c.state == State.ACTIVE.value)


async def _added(connection: AsyncConnection, fresh: Sequence[Mapping[str, Any]]) -> int:
    """Store ways to an endpoint, but those that somebody else stored at the same moment; return how many."""
    if not fresh:
        return 0
    insert_or_not = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    once = insert_or_not(deliveries).on_conflict_do_nothing(index_elements=["endpoint_id", "message_id"])
    return len((await connection.execute(once.returning(deliveries.c.id), list(fresh))).all())


async def _take(
    connection: AsyncConnection,
    endpoint_id: str,
    count: int,
    now: datetime,
    lease: timedelta,
    owner: str | None = None,
) -> Sequence[Claim]:
    due = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.due_at <= now)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    chosen = (await connection.execute(due)).scalars().all()
    values = {
        "due_at": now + lease,
        "leased_until": now + lease,
        "lease_owner": owner,
        "fence": deliveries.c.fence + 1,
        # An attempt that was begun and not recorded counts as the first one all the same.
        "first_at": case((deliveries.c.first_at.is_(None), literal(now, Instant)), else_=deliveries.c.first_at),
    }
    await connection.execute(update(deliveries).where(deliveries.c.id.in_(chosen)).values(**values))
    rows = await connection.execute(_claims().where(deliveries.c.id.in_(chosen)).order_by(deliveries.c.id))
    return [_claim(row) for row in rows]


async def _stand(
    connection: AsyncConnection, endpoint: Endpoint, attempt: Attempt, verdict: Verdict, now: datetime
) -> None:
    """Store how an endpoint stands after an attempt; one that is given up is told to the others."""
    mine = endpoints.c.id == endpoint.id
    if verdict.state is Progress.DELIVERED:
        await connection.execute(
            update(endpoints).where(mine).values(delivered_at=now, failing_since=None, failed_at=None)
        )
        return
    row = (await connection.execute(select(endpoints).where(mine).with_for_update(key_share=True))).one_or_none()
    if row is None:
        return
    values: dict[str, Any] = {"failing_since": row.failing_since or attempt.at, "failed_at": attempt.at}
    reason = _ended(verdict, is_dead(row.failing_since, row.failed_at, attempt.at))
    disables = reason is not None and row.state != State.DISABLED.value
    if disables:
        values |= {"state": State.DISABLED.value, "reason": reason, "written_at": None}
    await connection.execute(update(endpoints).where(mine).values(**values))
    if disables:
        text = {"endpoint": endpoint.id, "url": endpoint.url, "reason": reason, "status": attempt.answer.status}
        told = Happening(endpoint.workspace_id, endpoint.app_id, _DISABLED, text, now)
        await put(connection, told, now, but=endpoint.id)


def _ended(verdict: Verdict, dead: bool) -> str | None:
    if verdict.disables:
        return "it answered 410 Gone"
    return "it took nothing for five days" if dead else None


def _claims() -> Select[Any]:
    return (
        select(deliveries, messages.c.uid, messages.c.event, messages.c.at, messages.c.body, *_ENDPOINT)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    )


_OF_ENDPOINT = "of_endpoint_"
_ENDPOINT = [column.label(_OF_ENDPOINT + column.name) for column in endpoints.columns]


class _Part:
    """The endpoint's columns of a row of claims, under their own names."""

    def __init__(self, row: Row[Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, _OF_ENDPOINT + name)


def _claim(row: Row[Any]) -> Claim:
    part: Any = _Part(row)
    return Claim(_delivery(row), endpoint_of(part), sealed_of(part), row.first_at, row.leased_until, row.fence)


def _shown() -> Select[Any]:
    shown = (messages.c.uid, messages.c.event, messages.c.at, messages.c.body)
    return select(deliveries, *shown).join(messages, messages.c.id == deliveries.c.message_id)


def _delivery(row: Row[Any]) -> Delivery:
    plain = ("id", "endpoint_id", "uid", "message_id", "event", "at", "attempts", "due_at", "is_replay", "status")
    more = ("reason", "seconds", "ended_at", "body")
    return Delivery(**{name: getattr(row, name) for name in (*plain, *more)}, state=Progress(row.state))


_ANSWERED = ("status", "reason", "detail", "headers", "body", "seconds", "first_byte")
_LOGGED = (*_ANSWERED, "address", "tls", "dns", "connect", "handshake")


def _line(attempt: Attempt) -> dict[str, Any]:
    answer = {name: getattr(attempt.answer, name) for name in _LOGGED} | {"headers": dict(attempt.answer.headers)}
    return {"number": attempt.number, "at": attempt.at, "url": attempt.url, "sent": dict(attempt.sent), **answer}


def _attempt(row: Row[Any]) -> Attempt:
    answer = Answer(**{name: getattr(row, name) for name in _LOGGED})
    return Attempt(row.number, row.at, row.url, row.sent, answer)


def _again(now: datetime) -> dict[str, Any]:
    fresh = {"state": Progress.WAITING.value, "attempts": 0, "first_at": None, "due_at": now, "leased_until": None}
    return {**fresh, "is_replay": True, "ended_at": None, "fence": deliveries.c.fence + 1}


def _bare(endpoint: Endpoint, app_id: str | None, event: str, now: datetime) -> Happening:
    return Happening(endpoint.workspace_id, app_id, event, {}, now)
