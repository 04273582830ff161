"""The tables of insights and their SQL: what is measured, every sample, the last numbers, and when accounts were visited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, metadata, put, upsert
from tintype.backends.statements import Statement
from tintype.core.access import living_ids
from tintype.core.accounts import Account, held
from tintype.core.insights.model import End, Known, Product, Sample, Source, Target, Visits
from tintype.errors import Gone

visits = Table(
    "insight_visits",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("captured_at", Instant),
    Column("stories_at", Instant),
    Column("paused_until", Instant),
    Column("problem", Text),
    Index(None, "workspace_id"),
)

targets = Table(
    "insight_targets",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("media_id", String(64), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("product", String(16), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("permalink", Text),
    Column("caption", Text, nullable=False),
    Column("read_at", Instant),
    Column("next_due", Instant),
    Column("tries", Integer, nullable=False),
    Column("ended", String(16)),
    Index(None, "next_due"),
    Index(None, "workspace_id", "published_at"),
)

# Append-only. `day` is the one of `captured_at`, by which old samples are thinned.
samples = Table(
    "insight_samples",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("object_kind", String(8), nullable=False),
    Column("object_id", String(64), nullable=False),
    Column("metric", String(64), nullable=False),
    Column("breakdown", String(64)),
    Column("captured_at", Instant, nullable=False),
    Column("day", Date, nullable=False),
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("value", Float(53)),
    Column("source", String(8), nullable=False),
    Column("api_version", String(8), nullable=False),
    Index(None, "account_id", "object_id", "metric", "captured_at"),
    Index(None, "workspace_id"),
)

# The last number that was provided for each metric: what lists and rankings read, instead of searching the samples.
latest = Table(
    "insight_latest",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("object_id", String(64), primary_key=True),
    Column("name", String(130), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("value", Float(53), nullable=False),
    Column("captured_at", Instant, nullable=False),
    Column("source", String(8), nullable=False),
    Index(None, "workspace_id"),
)

MANY = 10_000  # samples that one transaction drops; among a million it takes under a second

_ALL = (latest, samples, targets, visits)
_COUNT = Statement(select(func.count()).where(targets.c.account_id == bindparam("account_id")))
_HELD = Statement(held(bindparam("account_id")))
_GONE = "the account was let go; nothing of it is stored any more"

_SCHEDULE = frozenset({"read_at", "next_due", "tries", "ended"})
_TOLD = _SCHEDULE | {"product", "published_at", "permalink", "caption"}


@dataclass(frozen=True, slots=True)
class InsightRecords:
    """Reads and writes numbers, one short transaction a method; every query takes the workspace or the account."""

    database: Database

    async def begin(self, target: Target) -> None:
        """Begin to measure one medium, unless it is measured already.

        Raises `Gone` when the account was let go.
        """
        row = _target_row(target)

        def store(connection: Connection) -> None:
            _check_held(connection, target.account_id)
            put(connection, targets, [row], keep=_TOLD)

        await self.database.store(store)

    async def track(self, account: Account, found: Sequence[Target]) -> int:
        """Begin to measure media as Instagram tells of them; return how many are new, the others keep their schedules.

        Raises `Gone` when the account was let go.
        """
        rows, mine = [_target_row(one) for one in found], {"account_id": account.id}

        def store(connection: Connection) -> int:
            _check_held(connection, account.id)
            before = _COUNT.value(connection, mine)
            put(connection, targets, rows, keep=_SCHEDULE)
            return _COUNT.value(connection, mine) - before

        return await self.database.store(store)

    async def target(self, workspace_id: str, media_id: str, account_id: str | None = None) -> Target | None:
        """Return a measured medium of a workspace."""
        query = select(targets).where(targets.c.workspace_id == workspace_id, targets.c.media_id == media_id)
        if account_id is not None:
            query = query.where(targets.c.account_id == account_id)
        async with self.database.read() as connection:
            row = (await connection.execute(query.order_by(targets.c.account_id).limit(1))).one_or_none()
        return _target(row) if row else None

    async def known(self, account_id: str) -> frozenset[str]:
        """Return the media of an account that are measured."""
        async with self.database.read() as connection:
            query = select(targets.c.media_id).where(targets.c.account_id == account_id)
            return frozenset((await connection.execute(query)).scalars())

    async def due_accounts(self, now: datetime) -> Sequence[str]:
        """Return the accounts with due media that do not rest, the most overdue first."""
        waits = func.min(targets.c.next_due)
        query = (
            select(targets.c.account_id)
            .outerjoin(visits, visits.c.account_id == targets.c.account_id)
            .where(targets.c.next_due <= now, or_(visits.c.paused_until.is_(None), visits.c.paused_until <= now))
            .group_by(targets.c.account_id)
            .order_by(waits, targets.c.account_id)
        )
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def due(self, account_id: str, now: datetime, limit: int) -> Sequence[Target]:
        """Return an account's due media, the most overdue first."""
        query = select(targets).where(targets.c.account_id == account_id, targets.c.next_due <= now)
        query = query.order_by(targets.c.next_due, targets.c.media_id).limit(limit)
        async with self.database.read() as connection:
            return [_target(row) for row in await connection.execute(query)]

    async def schedule(self, target: Target) -> None:
        """Store when a medium is due next, how often it failed, and whether it ended; one that ended stays so."""
        values = {"next_due": target.next_due, "tries": target.tries, "ended": target.ended and target.ended.value}
        async with self.database.write() as connection:
            await connection.execute(update(targets).where(*_is(target), targets.c.ended.is_(None)).values(**values))

    async def store(self, account: Account, target: Target, found: Sequence[Sample], version: str) -> None:
        """Store what a read of a medium brought, together with its schedule as `target` has it.

        A story whose last numbers have come keeps them as its last word. Raises `Gone` when the account was let go.
        """
        async with self.database.write() as connection:
            await self._check_held(connection, account.id)
            await self._append(connection, account, "media", target.media_id, found, version)
            values = {name: getattr(target, name) for name in ("read_at", "next_due", "tries")}
            values["ended"] = target.ended and target.ended.value
            open_ = targets.c.ended.is_(None)
            told = await connection.execute(update(targets).where(*_is(target), open_).values(**values))
            if told.rowcount or target.ended is End.TOLD:
                await self._renew(connection, account, target.media_id, found)

    async def store_account(self, account: Account, found: Sequence[Sample], version: str) -> None:
        """Store numbers of an account. Raises `Gone` when it was let go."""
        async with self.database.write() as connection:
            await self._check_held(connection, account.id)
            await self._append(connection, account, "account", account.id, found, version)
            await self._renew(connection, account, account.id, [one for one in found if one.period_end is None])

    async def visited(self, account: Account, **moments: datetime | str | None) -> None:
        """Store when an account was visited for what, or until when it rests. Raises `Gone` when it was let go."""
        row = {"account_id": account.id, "workspace_id": account.workspace_id, **moments}
        async with self.database.write() as connection:
            await self._check_held(connection, account.id)
            await upsert(connection, visits, [row])

    async def visits(self, account_id: str) -> Visits:
        """Return when an account was visited."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(visits).where(visits.c.account_id == account_id))).one_or_none()
        return _visits(row) if row else Visits(account_id)

    async def all_visits(self) -> Mapping[str, Visits]:
        """Return when each account was visited, by its id."""
        async with self.database.read() as connection:
            return {row.account_id: _visits(row) for row in await connection.execute(select(visits))}

    async def numbers(self, workspace_id: str, account_id: str, object_id: str) -> Mapping[str, Known]:
        """Return the last number of each metric of a medium, or of the account itself."""
        mine = (latest.c.workspace_id == workspace_id) & (latest.c.account_id == account_id)
        async with self.database.read() as connection:
            rows = await connection.execute(select(latest).where(mine, latest.c.object_id == object_id))
            return {row.name: _known(row) for row in rows}

    async def posts(
        self, workspace_id: str, account_id: str | None, since: datetime | None, until: datetime | None
    ) -> Sequence[tuple[Target, Mapping[str, Known]]]:
        """Return the media of a workspace, or of one account, that were published in a time, newest first."""
        chosen = [targets.c.workspace_id == workspace_id]
        chosen += [targets.c.account_id == account_id] if account_id else []
        chosen += [targets.c.published_at >= since] if since else []
        chosen += [targets.c.published_at < until] if until else []
        mine = (latest.c.account_id == targets.c.account_id) & (latest.c.object_id == targets.c.media_id)
        numbers = select(latest).join(targets, mine).where(*chosen)
        query = select(targets).where(*chosen).order_by(targets.c.published_at.desc(), targets.c.media_id.desc())
        found: dict[tuple[str, str], dict[str, Known]] = {}
        async with self.database.read() as connection:
            for row in await connection.execute(numbers):
                found.setdefault((row.account_id, row.object_id), {})[row.name] = _known(row)
            rows = (await connection.execute(query)).all()
        return [(_target(row), found.get((row.account_id, row.media_id), {})) for row in rows]

    async def history(
        self, workspace_id: str, account_id: str, object_id: str, metric: str | None = None
    ) -> Sequence[Sample]:
        """Return the samples of a medium, oldest first."""
        mine = [samples.c.workspace_id == workspace_id, samples.c.account_id == account_id]
        query = select(samples).where(*mine, samples.c.object_id == object_id)
        if metric is not None:
            query = query.where(samples.c.metric == metric)
        async with self.database.read() as connection:
            rows = await connection.execute(query.order_by(samples.c.captured_at, samples.c.id))
            return [_sample(row) for row in rows]

    async def days(
        self, workspace_id: str, account_id: str, metrics: Sequence[str], since: datetime, until: datetime
    ) -> Sequence[Sample]:
        """Return an account's samples that speak of a time: of a period that ends in it, or captured in it."""
        mine = [samples.c.workspace_id == workspace_id, samples.c.account_id == account_id]
        moment = func.coalesce(samples.c.period_end, samples.c.captured_at)
        query = select(samples).where(
            *mine,
            samples.c.object_id == account_id,
            samples.c.metric.in_(list(metrics)),
            moment >= since,
            moment < until,
        )
        async with self.database.read() as connection:
            rows = await connection.execute(query.order_by(samples.c.captured_at, samples.c.id))
            return [_sample(row) for row in rows]

    async def followers(self, workspace_id: str) -> Mapping[str, float]:
        """Return the last count of followers of each account of a workspace."""
        mine = (latest.c.workspace_id == workspace_id) & (latest.c.object_id == latest.c.account_id)
        async with self.database.read() as connection:
            rows = await connection.execute(select(latest).where(mine, latest.c.name == "followers_count"))
            return {row.account_id: row.value for row in rows}

    async def thin(self, account_id: str, before: datetime) -> int:
        """Drop an account's samples from before a moment, except the last of each day and of each period.

        The last number stays also where a later sample of its day has none. At most `MANY` go at once, so that nobody
        waits long for the database; return how many went.
        """
        later = samples.alias("later")
        same = and_(
            later.c.account_id == samples.c.account_id,
            later.c.object_id == samples.c.object_id,
            later.c.metric == samples.c.metric,
            later.c.breakdown.is_not_distinct_from(samples.c.breakdown),
            later.c.period_end.is_not_distinct_from(samples.c.period_end),
            or_(samples.c.period_end.is_not(None), later.c.day == samples.c.day),
            or_(later.c.value.is_not(None), samples.c.value.is_(None)),
            or_(
                later.c.captured_at > samples.c.captured_at,
                and_(later.c.captured_at == samples.c.captured_at, later.c.id > samples.c.id),
            ),
        )
        old = (samples.c.account_id == account_id) & (samples.c.captured_at < before)
        chosen = select(samples.c.id).where(old, exists().where(same)).limit(MANY)
        async with self.database.write() as connection:
            return (await connection.execute(delete(samples).where(samples.c.id.in_(chosen)))).rowcount

    async def expire(self, account_id: str, first: date) -> int:
        """Drop an account's samples of the days before `first`, at most `MANY` at once; return how many went."""
        old = (samples.c.account_id == account_id) & (samples.c.day < first)
        chosen = select(samples.c.id).where(old).limit(MANY)
        async with self.database.write() as connection:
            return (await connection.execute(delete(samples).where(samples.c.id.in_(chosen)))).rowcount

    async def accounts(self) -> Sequence[str]:
        """Return every account that is, or was, measured."""
        async with self.database.read() as connection:
            return list(await connection.scalars(union(select(targets.c.account_id), select(visits.c.account_id))))

    async def left_behind(self) -> Sequence[str]:
        """Return the removed workspaces of which numbers are still stored."""
        gone = [
            select(table.c.workspace_id).where(table.c.workspace_id.not_in(living_ids())) for table in (targets, visits)
        ]
        async with self.database.read() as connection:
            return list(await connection.scalars(union(*gone)))

    async def erase(self, workspace_id: str, account_id: str | None = None) -> None:
        """Forget all numbers of a workspace, or of one account of it."""
        async with self.database.write() as connection:
            for table in _ALL:
                mine = [table.c.workspace_id == workspace_id]
                mine += [table.c.account_id == account_id] if account_id else []
                await connection.execute(delete(table).where(*mine))

    async def _append(
        self,
        connection: AsyncConnection,
        account: Account,
        kind: str,
        object_id: str,
        found: Sequence[Sample],
        version: str,
    ) -> None:
        if found:
            rows = [_sample_row(account, kind, object_id, one, version) for one in found]
            await connection.execute(insert(samples), rows)

    async def _renew(
        self, connection: AsyncConnection, account: Account, object_id: str, found: Sequence[Sample]
    ) -> None:
        mine = {"account_id": account.id, "object_id": object_id, "workspace_id": account.workspace_id}
        rows = [
            {**mine, "name": one.name, "value": one.value, "captured_at": one.captured_at, "source": one.source.value}
            for one in found
            if one.value is not None
        ]
        await upsert(connection, latest, rows)

    async def _check_held(self, connection: AsyncConnection, account_id: str) -> None:
        await connection.run_sync(_check_held, account_id)


def _is(target: Target) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return targets.c.account_id == target.account_id, targets.c.media_id == target.media_id


def _target_row(target: Target) -> dict[str, Any]:
    row = {name: getattr(target, name) for name in Target.__dataclass_fields__}
    return row | {"product": target.product.value, "ended": target.ended and target.ended.value}


def _target(row: Row[Any]) -> Target:
    found: dict[str, Any] = {name: getattr(row, name) for name in Target.__dataclass_fields__}
    found |= {"product": Product(row.product), "ended": End(row.ended) if row.ended else None}
    return Target(**found)


def _sample_row(account: Account, kind: str, object_id: str, sample: Sample, version: str) -> dict[str, Any]:
    row = {name: getattr(sample, name) for name in Sample.__dataclass_fields__}
    return row | {
        "workspace_id": account.workspace_id,
        "account_id": account.id,
        "object_kind": kind,
        "object_id": object_id,
        "day": sample.captured_at.astimezone(UTC).date(),
        "source": sample.source.value,
        "api_version": version,
    }


def _sample(row: Row[Any]) -> Sample:
    found: dict[str, Any] = {name: getattr(row, name) for name in Sample.__dataclass_fields__}
    found |= {"source": Source(row.source), "value": _number(row.value)}
    return Sample(**found)


def _known(row: Row[Any]) -> Known:
    return Known(_whole(row.value), row.captured_at, Source(row.source))


def _number(value: float | None) -> float | None:
    return None if value is None else _whole(value)


def _whole(value: float) -> float:
    """Return a count as the integer it was before the column, which also holds averages, made a float of it."""
    return int(value) if value.is_integer() else value


def _visits(row: Row[Any]) -> Visits:
    return Visits(row.account_id, row.captured_at, row.stories_at, row.paused_until, row.problem)


def _check_held(connection: Connection, account_id: str) -> None:
    if _HELD.one(connection, {"account_id": account_id}) is None:
        raise Gone(_GONE)
