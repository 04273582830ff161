"""The table of pictures that lie at Cloudinary, or are about to, and its SQL.

A row is written before its picture is put there and goes after the picture is gone, so that whoever is killed in between
leaves a row, and the next collection finds it. Which pictures are wanted there is not stored: it follows from the media.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, metadata, upsert
from tintype.core.feed.hosting_model import Hosted, HostedStanding, Wanted
from tintype.core.feed.records import MANY
from tintype.core.feed.tables import assets, media, syncs

hosted = Table(
    "hosted_pictures",
    metadata,
    Column("cloud", String(128), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("url", Text),  # where it is served; without one it is not there yet, as far as we know
    Column("tags", String(64)),  # the mark of the tags that it has there
    Column("tries", Integer, nullable=False),  # calls about it in a row that failed
    Column("due_at", Instant),  # the next one, not before
    Column("problem", Text),
    Column("claimed_at", Instant),  # a sync is about to put it there, or has; nothing shows it yet
    Column("unused_since", Instant),
    Column("leaving_at", Instant),  # it is being taken away; nothing may show it from there any more
    Index(None, "leaving_at"),
)

_KEPT = frozenset({"url", "tags", "tries", "due_at", "problem", "leaving_at"})

Account = tuple[str, str]  # ids of a workspace and of an account


@dataclass(frozen=True, slots=True)
class HostingRecords:
    """Reads and writes what lies in one cloud, one short transaction a method."""

    database: Database

    async def claim(self, cloud: str, digests: Sequence[str], now: datetime) -> Sequence[Wanted]:
        """Put pictures on record before they are put into the cloud; return those that are not there and may be now."""
        nothing: dict[str, Any] = {"url": None, "tags": None, "tries": 0, "due_at": None, "problem": None}
        rows = [
            {"cloud": cloud, "digest": digest, **nothing, "claimed_at": now, "unused_since": None, "leaving_at": None}
            for digest in digests
        ]
        query = select(hosted.c.digest, hosted.c.tries, assets.c.format)
        query = query.join(assets, assets.c.digest == hosted.c.digest).where(hosted.c.url.is_(None), _due(now))
        found: list[Wanted] = []
        async with self.database.write() as connection:
            await upsert(connection, hosted, rows, keep=_KEPT)
            for some in _slices(digests):
                mine = query.where(*_of(cloud, some), hosted.c.leaving_at.is_(None))
                found += [Wanted(row.digest, row.format, row.tries) for row in await connection.execute(mine)]
        return found

    async def settle(self, cloud: str, digests: Sequence[str]) -> None:
        """Let go of claims, because what was claimed is shown now."""
        async with self.database.write() as connection:
            for some in _slices(digests):
                await connection.execute(update(hosted).where(*_of(cloud, some)).values(claimed_at=None))

    async def waiting(self, cloud: str, now: datetime, limit: int) -> Sequence[str]:
        """Return pictures that living posts show, that are not in the cloud, and whose time has come."""
        there = and_(hosted.c.digest == media.c.picture, hosted.c.cloud == cloud)
        missing = or_(hosted.c.digest.is_(None), and_(hosted.c.url.is_(None), hosted.c.leaving_at.is_(None), _due(now)))
        query = select(media.c.picture).distinct().outerjoin(hosted, there).where(_shown(), missing)
        async with self.database.read() as connection:
            return list((await connection.execute(query.order_by(media.c.picture).limit(limit))).scalars())

    async def tenants(self, digests: Sequence[str] | None = None) -> Mapping[str, frozenset[str]]:
        """Return by picture (of these, or of all) the workspaces that show it."""
        query = select(media.c.picture, media.c.workspace_id).distinct().where(_shown())
        found: dict[str, set[str]] = {}
        async with self.database.read() as connection:
            for some in [None] if digests is None else _slices(digests):
                mine = query if some is None else query.where(media.c.picture.in_(some))
                for row in await connection.execute(mine):
                    found.setdefault(row.picture, set()).add(row.workspace_id)
        return {digest: frozenset(workspaces) for digest, workspaces in found.items()}

    async def put(self, cloud: str, pictures: Sequence[Hosted]) -> Sequence[Account]:
        """Note that pictures lie in the cloud; return the accounts whose feeds look different by that."""
        if not pictures:
            return []
        async with self.database.write() as connection:
            for one in pictures:
                said: dict[str, Any] = {"url": one.url, "tags": one.tags, "tries": 0, "due_at": None, "problem": None}
                await connection.execute(update(hosted).where(*_of(cloud, [one.digest])).values(**said))
            return await _changed(connection, [one.digest for one in pictures])

    async def lost(self, cloud: str, digests: Sequence[str]) -> Sequence[Account]:
        """Note that pictures lie in the cloud no longer; return the accounts whose feeds look different by that."""
        nothing: dict[str, Any] = {"url": None, "tags": None, "tries": 0, "due_at": None, "problem": None}
        found: set[Account] = set()
        for some in _slices(digests):
            gone = update(hosted).where(*_of(cloud, some), hosted.c.leaving_at.is_(None)).values(**nothing)
            async with self.database.write() as connection:
                await connection.execute(gone)
                found |= set(await _changed(connection, some))
        return sorted(found)

    async def failed(self, cloud: str, digest: str, problem: str, due_at: datetime) -> None:
        """Note that a call about a picture failed, and when it is made again."""
        said: dict[str, Any] = {"tries": hosted.c.tries + 1, "problem": problem, "due_at": due_at}
        async with self.database.write() as connection:
            await connection.execute(update(hosted).where(*_of(cloud, [digest])).values(**said))

    async def addresses(self, cloud: str, workspace_id: str) -> Mapping[str, str]:
        """Return where the pictures of a workspace's feed are served by the cloud, as far as they are, by digest."""
        shown = select(media.c.picture).where(media.c.workspace_id == workspace_id, _shown())
        query = select(hosted.c.digest, hosted.c.url).where(
            hosted.c.cloud == cloud, hosted.c.url.is_not(None), hosted.c.leaving_at.is_(None)
        )
        async with self.database.read() as connection:
            rows = await connection.execute(query.where(hosted.c.digest.in_(shown)))
            return {row.digest: row.url for row in rows}

    async def mark_unused(self, cloud: str, now: datetime, claims_before: datetime) -> None:
        """Start, or stop, the grace of every picture by whether any living post shows it.

        One that was claimed after `claims_before` is left to the sync that claimed it.
        """
        mine, lapsed = hosted.c.cloud == cloud, hosted.c.claimed_at <= claims_before
        free = hosted.c.claimed_at.is_(None) | lapsed
        async with self.database.write() as connection:
            unused = update(hosted).where(mine, ~_in_use(), hosted.c.unused_since.is_(None), free)
            await connection.execute(unused.values(unused_since=now))
            used = update(hosted).where(mine, _in_use(), hosted.c.unused_since.is_not(None) | lapsed)
            await connection.execute(used.values(unused_since=None, claimed_at=None))

    async def condemn(self, cloud: str, unused_before: datetime, now: datetime, claims_before: datetime) -> int:
        """Let no feed show pictures any more whose grace has passed; return how many those are.

        A feed that began to show one at this very moment keeps it.
        """
        free = hosted.c.claimed_at.is_(None) | (hosted.c.claimed_at <= claims_before)
        over = and_(hosted.c.unused_since <= unused_before, hosted.c.leaving_at.is_(None), free, ~_in_use())
        mine = hosted.c.cloud == cloud
        chosen = select(hosted.c.digest).where(mine, over).limit(MANY)
        async with self.database.write() as connection:
            query = update(hosted).where(mine, hosted.c.digest.in_(chosen), over)
            query = query.values(leaving_at=now, tries=0, due_at=None, problem=None)
            digests = list((await connection.execute(query.returning(hosted.c.digest))).scalars())
        async with self.database.write() as connection:
            # Looked at once more: on Postgres a sync may have stored a post after the condition above was asked.
            back = update(hosted).where(*_of(cloud, digests), _in_use()).values(leaving_at=None, unused_since=None)
            await connection.execute(back)
        return len(digests)

    async def take_leaving(self, cloud: str, now: datetime, until: datetime, limit: int) -> Sequence[Wanted]:
        """Return pictures that are to be taken away now; nobody else is given them before `until`."""
        mine = and_(hosted.c.cloud == cloud, hosted.c.leaving_at.is_not(None), _due(now))
        chosen = select(hosted.c.digest).where(mine).order_by(hosted.c.leaving_at).limit(limit)
        query = update(hosted).where(hosted.c.digest.in_(chosen), mine).values(due_at=until)
        async with self.database.write() as connection:
            rows = await connection.execute(query.returning(hosted.c.digest, hosted.c.tries))
            return [Wanted(row.digest, "", row.tries) for row in rows]

    async def forget(self, cloud: str, digests: Sequence[str]) -> None:
        """Forget pictures that are gone from the cloud."""
        async with self.database.write() as connection:
            await connection.execute(delete(hosted).where(*_of(cloud, digests), hosted.c.leaving_at.is_not(None)))

    async def tagged(self, cloud: str) -> Mapping[str, str | None]:
        """Return the mark of the tags that each picture in the cloud has there."""
        query = select(hosted.c.digest, hosted.c.tags).where(
            hosted.c.cloud == cloud, hosted.c.url.is_not(None), hosted.c.leaving_at.is_(None)
        )
        async with self.database.read() as connection:
            return {row.digest: row.tags for row in await connection.execute(query)}

    async def retagged(self, cloud: str, digests: Sequence[str], mark: str) -> None:
        """Note the mark of the tags that pictures have now."""
        async with self.database.write() as connection:
            await connection.execute(update(hosted).where(*_of(cloud, digests)).values(tags=mark))

    async def standing(self, cloud: str) -> HostedStanding:
        """Return how many pictures are there, wait, and are to go, and the last thing that went wrong."""
        mine = hosted.c.cloud == cloud
        there = _count(mine, hosted.c.url.is_not(None), hosted.c.leaving_at.is_(None))
        leaving = _count(mine, hosted.c.leaving_at.is_not(None))
        known = select(hosted.c.digest).where(mine, hosted.c.url.is_not(None), hosted.c.leaving_at.is_(None))
        waiting = select(func.count(media.c.picture.distinct())).where(_shown(), media.c.picture.not_in(known))
        last = select(hosted.c.problem).where(mine, hosted.c.problem.is_not(None)).order_by(hosted.c.due_at.desc())
        async with self.database.read() as connection:
            one, two, three = [(await connection.execute(query)).scalar_one() for query in (there, waiting, leaving)]
            problem = (await connection.execute(last.limit(1))).scalar_one_or_none()
        return HostedStanding(one, two, three, problem)


async def _changed(connection: AsyncConnection, digests: Sequence[str]) -> list[Account]:
    """Let the lists of those accounts that show one of the pictures be prepared anew, and return the accounts."""
    theirs = media.c.picture.in_(digests)
    accounts = select(media.c.workspace_id, media.c.account_id).distinct().where(_shown(), theirs)
    found = [(row.workspace_id, row.account_id) for row in await connection.execute(accounts)]
    mine = syncs.c.account_id.in_([account_id for _, account_id in found])
    await connection.execute(update(syncs).where(mine).values(revision=syncs.c.revision + 1))
    return found


def _shown() -> ColumnElement[bool]:
    return and_(media.c.removed_at.is_(None), media.c.picture.is_not(None))


def _in_use() -> ColumnElement[bool]:
    return hosted.c.digest.in_(select(media.c.picture).where(_shown()))


def _due(now: datetime) -> ColumnElement[bool]:
    return hosted.c.due_at.is_(None) | (hosted.c.due_at <= now)


def _of(cloud: str, digests: Iterable[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return hosted.c.cloud == cloud, hosted.c.digest.in_(list(digests))


def _count(*conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(hosted).where(*conditions)


def _slices(digests: Sequence[str]) -> list[Sequence[str]]:
    return [digests[start : start + MANY] for start in range(0, len(digests), MANY)]
