"""The tables of web push and their SQL: our key, the browsers that subscribed, the notices, and each notice's way to each browser."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, Json, metadata
from tintype.core.notifications.model import Notice

push_keys = Table(
    "push_keys",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("pair", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client", String(64), nullable=False),  # SHA-256 of the name that the browser gave itself
    Column("place", String(64), nullable=False),  # SHA-256 of the endpoint
    Column("service", String(255), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("reached_at", Instant),
    Column("failing_since", Instant),
    Column("refused", Integer, nullable=False),
    Index(None, "client", unique=True),
    Index(None, "place", unique=True),
)

push_notices = Table(
    "push_notices",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("notice", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
)

push_deliveries = Table(
    "push_deliveries",
    metadata,
    Column("notice_key", String(128), ForeignKey("push_notices.key", ondelete="CASCADE"), primary_key=True),
    Column("subscription_id", String(36), ForeignKey("push_subscriptions.id", ondelete="CASCADE"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_owner", String(80)),  # the process that sends it, until it is due again
    Index(None, "subscription_id"),
    Index(None, "due_at"),
)

push_marks = Table(
    "push_marks",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
)

_OURS = "vapid"
_TRIES = 3


@dataclass(frozen=True, slots=True)
class SealedSubscription:
    """A subscription as it is stored."""

    id: str
    client: str
    place: str
    service: str
    sealed: bytes = field(repr=False)
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way to one browser, at its `attempts`th attempt."""

    notice: Notice
    at: datetime
    attempts: int
    subscription_id: str
    service: str
    sealed: bytes = field(repr=False)
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class PushRecords:
    """Reads and writes what web push keeps, one short transaction a method."""

    database: Database

    async def key(self) -> bytes | None:
        """Return the sealed key pair, once there is one."""
        async with self.database.read() as connection:
            return await connection.scalar(select(push_keys.c.pair).where(push_keys.c.name == _OURS))

    async def add_key(self, pair: bytes, now: datetime) -> None:
        """Keep a key pair, unless another node was quicker."""
        try:
            async with self.database.write(durable=True) as connection:
                await connection.execute(insert(push_keys).values(name=_OURS, pair=pair, made_at=now))
        except IntegrityError:
            return

    async def drop_key(self) -> int:
        """Forget the key pair, and all browsers, whose consent belongs to it; return how many those were."""
        async with self.database.write(durable=True) as connection:
            await connection.execute(delete(push_keys).where(push_keys.c.name == _OURS))
            return (await connection.execute(delete(push_subscriptions))).rowcount

    async def keep(self, subscription: SealedSubscription, most: int) -> int | None:
        """Store a subscription in place of those of the same client or endpoint; return how many there are now.

        None: there are `most` others already, and nothing was stored.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._keep(subscription, most)
            except IntegrityError:  # the same browser, at the same moment, by another connection
                continue
        return await self._keep(subscription, most)

    async def _keep(self, subscription: SealedSubscription, most: int) -> int | None:
        table = push_subscriptions
        same = (table.c.client == subscription.client) | (table.c.place == subscription.place)
        values = {name: getattr(subscription, name) for name in SealedSubscription.__dataclass_fields__}
        async with self.database.write() as connection:
            others = await _count(connection, ~same)
            if others >= most:
                return None
            await connection.execute(delete(table).where(same))
            await connection.execute(insert(table).values(**values, refused=0))
        return others + 1

    async def remove(self, client: str) -> int:
        """Forget a client's subscription, if it has one; return how many there are now."""
        async with self.database.write() as connection:
            await connection.execute(delete(push_subscriptions).where(push_subscriptions.c.client == client))
            return await _count(connection)

    async def count(self) -> int:
        """Return how many browsers are subscribed."""
        async with self.database.read() as connection:
            return await _count(connection)

    async def unknown(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys no notice was stored with."""
        query = select(push_notices.c.key).where(push_notices.c.key.in_(keys))
        async with self.database.read() as connection:
            return set(keys) - set((await connection.execute(query)).scalars())

    async def announce(self, notice: Notice, at: datetime) -> bool:
        """Store a notice with its way to every browser; False when one with its key was stored before."""
        content = {name: getattr(notice, name) for name in Notice.__dataclass_fields__}
        waiting = select(push_subscriptions.c.id, literal(notice.key), literal(0), literal(at, Instant))
        columns = ["subscription_id", "notice_key", "attempts", "due_at"]
        try:
            async with self.database.write(durable=True) as connection:
                await connection.execute(insert(push_notices).values(key=notice.key, notice=content, at=at))
                await connection.execute(insert(push_deliveries).from_select(columns, waiting))
        except IntegrityError:
            return False
        return True

    async def claim(self, now: datetime, lease: timedelta, limit: int, owner: str | None = None) -> Sequence[Delivery]:
        """Take so many due deliveries; of several who ask at once each gets others.

        Each counts as one more attempt from now on, and is due again after the lease should this process die.
        """
        table = push_deliveries
        both = (table.c.notice_key, table.c.subscription_id)
        due = select(*both).where(table.c.due_at <= now).order_by(table.c.due_at).limit(limit)
        async with self.database.write() as connection:
            rows = (await connection.execute(due.with_for_update(skip_locked=True))).all()
            for row in rows:
                mine = (table.c.notice_key == row.notice_key) & (table.c.subscription_id == row.subscription_id)
                held = {"attempts": table.c.attempts + 1, "due_at": now + lease, "lease_owner": owner}
                await connection.execute(update(table).where(mine).values(held))
            return [await _delivery(connection, row.notice_key, row.subscription_id) for row in rows]

    async def release(self, owner: str, now: datetime) -> int:
        """Make due again what a process that is dead was sending; return how much that was."""
        left = update(push_deliveries).where(push_deliveries.c.lease_owner == owner)
        async with self.database.write() as connection:
            return (await connection.execute(left.values(due_at=now, lease_owner=None))).rowcount

    async def next_due(self) -> datetime | None:
        """Return when the next delivery is due, also of those that somebody holds."""
        async with self.database.read() as connection:
            return await connection.scalar(select(func.min(push_deliveries.c.due_at)))

    async def renew(self, delivery: Delivery, until: datetime) -> None:
        """Hold on to a delivery whose attempt goes on; one that somebody else took meanwhile stays his."""
        async with self.database.write() as connection:
            await connection.execute(update(push_deliveries).where(_is_mine(delivery)).values(due_at=until))

    async def reached(self, delivery: Delivery, now: datetime) -> None:
        """Store that a browser's push service took a notice."""
        async with self.database.write() as connection:
            # Also when somebody else has taken it over: it was told.
            await connection.execute(delete(push_deliveries).where(_is(delivery)))
            await _mark(connection, delivery, reached_at=now, failing_since=None)

    async def postpone(self, delivery: Delivery, at: datetime, now: datetime) -> None:
        """Store that a push service was away, and when to try again."""
        async with self.database.write() as connection:
            later = update(push_deliveries).where(_is_mine(delivery)).values(due_at=at, lease_owner=None)
            if (await connection.execute(later)).rowcount:
                await _mark(connection, delivery, failing_since=delivery.failing_since or now)

    async def give_up(self, delivery: Delivery, now: datetime) -> None:
        """Store that a notice is no news any more."""
        async with self.database.write() as connection:
            if await _end(connection, delivery):
                await _mark(connection, delivery, failing_since=delivery.failing_since or now)

    async def refuse(self, delivery: Delivery) -> None:
        """Store that a push service did not take what we say; the browser may be reached again once that is mended."""
        async with self.database.write() as connection:
            if await _end(connection, delivery):
                await _mark(connection, delivery, refused=push_subscriptions.c.refused + 1)

    async def prune(self, subscription_id: str) -> None:
        """Forget a browser that is not reached any more, and all that was on its way to it."""
        async with self.database.write() as connection:
            await connection.execute(delete(push_subscriptions).where(push_subscriptions.c.id == subscription_id))

    async def forget(self, before: datetime) -> int:
        """Forget notices that are older; return how many those were."""
        async with self.database.write() as connection:
            return (await connection.execute(delete(push_notices).where(push_notices.c.at < before))).rowcount

    async def mark(self, source: str) -> int | None:
        """Return up to which number a source's changes were announced."""
        async with self.database.read() as connection:
            return await connection.scalar(select(push_marks.c.number).where(push_marks.c.source == source))

    async def set_mark(self, source: str, number: int) -> None:
        """Store up to which number a source's changes were announced."""
        mine = push_marks.c.source == source
        async with self.database.write() as connection:
            if (await connection.execute(update(push_marks).where(mine).values(number=number))).rowcount == 0:
                await connection.execute(insert(push_marks).values(source=source, number=number))

    async def sealed(self) -> Sequence[tuple[str, bytes]]:
        """Return every subscription's id and sealed part."""
        query = select(push_subscriptions.c.id, push_subscriptions.c.sealed)
        async with self.database.read() as connection:
            return [(row.id, row.sealed) for row in (await connection.execute(query)).all()]

    async def reseal(self, subscription_id: str, before: bytes, sealed: bytes) -> bool:
        """Store a subscription sealed anew, unless it changed meanwhile."""
        mine = (push_subscriptions.c.id == subscription_id) & (push_subscriptions.c.sealed == before)
        async with self.database.write() as connection:
            done = await connection.execute(update(push_subscriptions).where(mine).values(sealed=sealed))
        return done.rowcount > 0

    async def reseal_key(self, before: bytes, pair: bytes) -> bool:
        """Store the key pair sealed anew."""
        mine = (push_keys.c.name == _OURS) & (push_keys.c.pair == before)
        async with self.database.write() as connection:
            return (await connection.execute(update(push_keys).where(mine).values(pair=pair))).rowcount > 0


async def _count(connection: AsyncConnection, *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(push_subscriptions).where(*which)
    return (await connection.execute(query)).scalar_one()


async def _delivery(connection: AsyncConnection, notice_key: str, subscription_id: str) -> Delivery:
    query = (
        select(
            push_notices.c.notice,
            push_notices.c.at,
            push_deliveries.c.attempts,
            push_subscriptions.c.service,
            push_subscriptions.c.sealed,
            push_subscriptions.c.failing_since,
        )
        .join(push_notices, push_notices.c.key == push_deliveries.c.notice_key)
        .join(push_subscriptions, push_subscriptions.c.id == push_deliveries.c.subscription_id)
        .where(push_deliveries.c.notice_key == notice_key, push_deliveries.c.subscription_id == subscription_id)
    )
    row: Any = (await connection.execute(query)).one()
    return Delivery(
        notice=Notice(**cast("dict[str, Any]", row.notice)),
        at=row.at,
        attempts=row.attempts,
        subscription_id=subscription_id,
        service=row.service,
        sealed=row.sealed,
        failing_since=row.failing_since,
    )


def _is(delivery: Delivery) -> Any:
    table = push_deliveries
    return (table.c.notice_key == delivery.notice.key) & (table.c.subscription_id == delivery.subscription_id)


def _is_mine(delivery: Delivery) -> Any:
    """The attempts count the claims, so whoever took it later has another number."""
    return _is(delivery) & (push_deliveries.c.attempts == delivery.attempts)


async def _end(connection: AsyncConnection, delivery: Delivery) -> bool:
    """Give a delivery up; False when somebody else has taken it over, who may have more luck."""
    return (await connection.execute(delete(push_deliveries).where(_is_mine(delivery)))).rowcount > 0


async def _mark(connection: AsyncConnection, delivery: Delivery, **values: Any) -> None:
    mine = push_subscriptions.c.id == delivery.subscription_id
    await connection.execute(update(push_subscriptions).where(mine).values(**values))
