"""The feed's SQL: media, own copies, and how the syncs went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, put, upsert
from tintype.backends.statements import Record, Statement
from tintype.core.accounts import Account, connected_ids, held
from tintype.core.feed.comparing import Known, Said
from tintype.core.feed.model import Asset, Departures, Item, Standing, Suspect
from tintype.core.feed.tables import assets, media, syncs
from tintype.errors import Gone, Unavailable

_picture = assets.alias("picture_asset")
_video = assets.alias("video_asset")

# Rows are read by place: a sync reads hundreds of them, and looking names up would cost more than all the rest.
_ITEM, _ASSET = tuple(Item.__dataclass_fields__), tuple(Asset.__dataclass_fields__)
_SAID, _BESIDE = Said._fields[:-1], _ITEM[_ITEM.index("video") + 1 : _ITEM.index("children")]
_FACTS = [media.c[name] for name in ("account_id", "parent_id", "place", *_SAID, *_BESIDE)]
_AT_BESIDE, _AT_PICTURE, _AT_VIDEO = 3 + len(_SAID), len(_FACTS), len(_FACTS) + len(_ASSET)

_living = (
    select(*_FACTS, *(_picture.c[name] for name in _ASSET), *(_video.c[name] for name in _ASSET))
    .outerjoin(_picture, media.c.picture == _picture.c.digest)
    .outerjoin(_video, media.c.video == _video.c.digest)
    .where(media.c.workspace_id == bindparam("workspace_id"), media.c.removed_at.is_(None))
    .order_by(media.c.posted_at.desc(), media.c.id.desc(), media.c.place)
)
_LIVING_OF_ACCOUNT = Statement(_living.where(media.c.account_id == bindparam("account_id")))
_KNOWN = Statement(
    select(
        media.c.parent_id,
        *(media.c[name] for name in _SAID),
        media.c.picture_fallback.is_not(None),
        media.c.video_fallback.is_not(None),
        *(media.c[name] for name in ("fallback_until", "tries", "tried_at")),
        media.c.missed > 0,
    )
    .where(media.c.account_id == bindparam("account_id"), media.c.removed_at.is_(None))
    # Posts newest first, then children in their places.
    .order_by(media.c.place, media.c.posted_at.desc(), media.c.id.desc())
)
_HELD = Statement(held(bindparam("account_id")))
_standings = select(*(syncs.c[name] for name in Standing.__dataclass_fields__))
_STANDINGS = Statement(_standings.where(syncs.c.workspace_id == bindparam("workspace_id")))
_STANDING = Statement(_standings.where(syncs.c.account_id == bindparam("account_id")))

# What a sync may never overwrite when it stores an item again.
_KEPT = frozenset({"missed", "missed_at", "removed_at"})

_POSTED_AS = (
    select(media.c.account_id, media.c.id)
    .where(media.c.permalink.in_(bindparam("permalinks", expanding=True)), media.c.account_id.in_(connected_ids()))
    .where(media.c.parent_id.is_(None), media.c.removed_at.is_(None))
    .limit(1)
)

MANY = 1000  # digests in one statement: far below what any database takes as parameters


@dataclass(frozen=True, slots=True)
class FeedRecords:
    """Reads and writes the feed, one short transaction a method; every query takes the workspace or the account."""

    database: Database

    async def items(self, workspace_id: str, account_id: str | None = None) -> Sequence[Item]:
        """Return a workspace's (or one account's) living items with their copies, newest first."""
        if account_id:
            mine = {"workspace_id": workspace_id, "account_id": account_id}
            return _assemble(await self.database.look(lambda connection: _LIVING_OF_ACCOUNT.all(connection, mine)))
        async with self.database.read() as connection:
            return _assemble((await connection.execute(_living, {"workspace_id": workspace_id})).all())

    async def posted_as(self, permalinks: Sequence[str]) -> tuple[str, str] | None:
        """Return the account and the id of a living post by its possible addresses; connected accounts only."""
        wanted = {"permalinks": list(permalinks)}
        row = await self.database.look(lambda connection: connection.execute(_POSTED_AS, wanted).one_or_none())
        return (row.account_id, row.id) if row else None

    async def known(self, account_id: str) -> tuple[Standing, Mapping[str, Known]]:
        """Return an account's standing, and by their ids what a pass compares of its living posts, newest first."""
        wanted = {"account_id": account_id}

        def both(connection: Connection) -> tuple[Record | None, Sequence[Record]]:
            return _STANDING.one(connection, wanted), _KNOWN.all(connection, wanted)

        row, rows = await self.database.look(both)
        return Standing(*row) if row else Standing(account_id), _compared(rows)

    async def suspects(self, account_id: str, ids: Iterable[str]) -> Sequence[Suspect]:
        """Return how often each of these items was found to be missing so far."""
        query = select(media.c.id, media.c.missed, media.c.missed_at).where(
            media.c.account_id == account_id, media.c.id.in_(list(ids)), media.c.removed_at.is_(None)
        )
        async with self.database.read() as connection:
            return [Suspect(row.id, row.missed, row.missed_at) for row in await connection.execute(query)]

    async def standings(self, workspace_id: str) -> Mapping[str, Standing]:
        """Return the standing of each of a workspace's accounts that was ever synced."""
        wanted = {"workspace_id": workspace_id}
        rows = await self.database.look(lambda connection: _STANDINGS.all(connection, wanted))
        return {row[0]: Standing(*row) for row in rows}

    async def all_standings(self) -> Mapping[str, Standing]:
        """Return the standing of every account that was ever synced."""
        async with self.database.read() as connection:
            return {row[0]: Standing(*row) for row in await connection.execute(_standings)}

    async def standing(self, account_id: str) -> Standing:
        """Return one account's standing."""
        wanted = {"account_id": account_id}
        row = await self.database.look(lambda connection: _STANDING.one(connection, wanted))
        return Standing(*row) if row else Standing(account_id)

    async def claim(self, found: Sequence[Asset], now: datetime) -> None:
        """Put own copies on record before their files are put, so that no collection takes them away.

        Raises `Unavailable` while a collection deletes an earlier file of the same content.
        """
        rows = [_asset_row(asset) | {"claimed_at": now} for asset in {asset.digest: asset for asset in found}.values()]
        async with self.database.write() as connection:
            await upsert(connection, assets, rows, keep=frozenset({"rendered", "leaving_at"}))
            await self._check_staying(connection, {asset.digest for asset in found})

    async def store(
        self,
        account: Account,
        items: Sequence[Item],
        *,
        kept: Sequence[str],
        departures: Departures,
        standing: Standing,
        max_items: int,
        shown: bool = True,
    ) -> None:
        """Swap in what a pass decided, in one transaction: readers see the feed before it or after it.

        The revision goes up when the feed looks different (`shown`). Raises `Gone` when the account was let go, and
        `Unavailable` when a copy that the items refer to was dropped; nothing is stored then.
        """
        async with self.database.write() as connection:
            await self._check_held(connection, account.id)
            rows = [row for item in items for row in _rows(account, item)]
            await self._use(connection, {row[name] for row in rows for name in ("picture", "video") if row[name]})
            await upsert(connection, media, rows, keep=_KEPT)
            await self._forget_children(connection, account.id, items)
            await self._revive(connection, account.id, [*kept, *(item.id for item in items)])
            await self._suspect(connection, account.id, departures.suspects)
            await self._tombstone(connection, account.id, departures.removed, standing)
            await self._trim(connection, account.id, max_items)
            await self._stand(connection, account.workspace_id, standing)
            if shown:
                mine = syncs.c.account_id == account.id
                await connection.execute(update(syncs).where(mine).values(revision=syncs.c.revision + 1))

    async def note(self, workspace_id: str, standing: Standing) -> None:
        """Store how a sync went that changed no item.

        Raises `Gone` when the account was let go.
        """
        await self.database.store(partial(_noted, workspace_id=workspace_id, standing=standing))

    async def unrendered(self, limit: int) -> Sequence[str]:
        """Return pictures whose sizes were not made yet."""
        there = assets.c.claimed_at.is_(None) & assets.c.leaving_at.is_(None)
        query = select(assets.c.digest).where(assets.c.rendered.is_(False), assets.c.width.is_not(None), there)
        async with self.database.read() as connection:
            return list((await connection.execute(query.order_by(assets.c.digest).limit(limit))).scalars())

    async def rendered(self, digest: str) -> None:
        """Note that all sizes of a picture lie in the blob store."""
        async with self.database.write() as connection:
            await connection.execute(update(assets).where(assets.c.digest == digest).values(rendered=True))

    async def asset(self, digest: str) -> Asset | None:
        """Return an own copy."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(assets).where(assets.c.digest == digest))).one_or_none()
        return _asset(row) if row else None

    async def mark_unused(self, now: datetime, claims_before: datetime) -> None:
        """Start, or stop, the grace of every own copy by whether any living item shows it.

        A copy that was claimed after `claims_before` is left to the sync that claimed it.
        """
        lapsed = assets.c.claimed_at <= claims_before
        async with self.database.write() as connection:
            await connection.execute(
                update(assets)
                .where(~_in_use(), assets.c.unused_since.is_(None), assets.c.claimed_at.is_(None) | lapsed)
                .values(unused_since=now)
            )
            await connection.execute(
                update(assets)
                .where(_in_use(), assets.c.unused_since.is_not(None) | lapsed)
                .values(unused_since=None, claimed_at=None)
            )

    async def condemn(self, unused_before: datetime, now: datetime, *, left_before: datetime) -> Sequence[str]:
        """Return some own copies whose grace has passed, whose files the caller has to delete before it `forget`s them.

        Nobody can refer to them from now on. Copies that another collection condemned before `left_before` and did not
        forget are among them.
        """
        unused = (assets.c.unused_since <= unused_before) & assets.c.leaving_at.is_(None)
        left = assets.c.leaving_at < left_before
        chosen = select(assets.c.digest).where((unused & ~_in_use()) | left).limit(MANY)
        async with self.database.write() as connection:
            # Both conditions are said again, because Postgres looks once more at a row that changed while it waited.
            query = update(assets).where(assets.c.digest.in_(chosen), unused | left).values(leaving_at=now)
            return list((await connection.execute(query.returning(assets.c.digest))).scalars())

    async def condemn_strays(self, digests: Sequence[str], now: datetime) -> frozenset[str]:
        """Return which of at most `MANY` digests are on no record, condemned as `condemn` does."""
        rows = [_asset_row(Asset(digest, "", 0, None, None)) | {"leaving_at": now} for digest in digests]
        async with self.database.write() as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            query = insert(assets).values(rows).on_conflict_do_nothing().returning(assets.c.digest)
            return frozenset((await connection.execute(query)).scalars())

    async def forget(self, digests: Iterable[str]) -> None:
        """Forget condemned copies whose files are deleted."""
        chosen = list(digests)
        async with self.database.write() as connection:
            for column in (media.c.picture, media.c.video):
                await connection.execute(update(media).where(column.in_(chosen)).values({column.name: None}))
            await connection.execute(delete(assets).where(assets.c.digest.in_(chosen)))

    async def erase(self, workspace_id: str, account_id: str | None = None) -> None:
        """Forget a workspace's, or one account's, media; the copies follow after their grace."""
        async with self.database.write() as connection:
            # Revisions go on: one that comes again would let old answers pass for new ones.
            nothing: dict[str, Any] = {"synced_at": None, "deep_at": None, "failed_at": None, "problem": None}
            await connection.execute(delete(media).where(*_whose(media, workspace_id, account_id)))
            forget = update(syncs).where(*_whose(syncs, workspace_id, account_id))
            await connection.execute(forget.values(**nothing, revision=syncs.c.revision + 1))

    async def count(self, workspace_id: str) -> int:
        """Return how many living posts a workspace has."""
        query = select(func.count()).where(
            media.c.workspace_id == workspace_id, media.c.removed_at.is_(None), media.c.parent_id.is_(None)
        )
        async with self.database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def _check_held(self, connection: AsyncConnection, account_id: str) -> None:
        await connection.run_sync(_check_held, account_id)

    async def _check_staying(self, connection: AsyncConnection, digests: Iterable[str]) -> None:
        chosen = sorted(digests)
        query = select(assets.c.digest).where(assets.c.digest.in_(chosen), assets.c.leaving_at.is_(None))
        found = (await connection.execute(query.order_by(assets.c.digest).with_for_update())).all()
        if len(found) < len(chosen):
            raise Unavailable("a copy is being dropped at this moment; it is made again with the next sync")

    async def _use(self, connection: AsyncConnection, digests: Iterable[str]) -> None:
        chosen = sorted(digests)
        await self._check_staying(connection, chosen)
        free = assets.c.unused_since.is_not(None) | assets.c.claimed_at.is_not(None)
        await connection.execute(
            update(assets).where(assets.c.digest.in_(chosen), free).values(unused_since=None, claimed_at=None)
        )

    async def _stand(self, connection: AsyncConnection, workspace_id: str, standing: Standing) -> None:
        await connection.run_sync(_stand, workspace_id, standing)

    async def _forget_children(self, connection: AsyncConnection, account_id: str, items: Sequence[Item]) -> None:
        for item in items:
            if item.kind == "CAROUSEL_ALBUM":
                stays = [child.id for child in item.children]
                await connection.execute(
                    delete(media).where(
                        media.c.account_id == account_id, media.c.parent_id == item.id, media.c.id.not_in(stays)
                    )
                )

    async def _revive(self, connection: AsyncConnection, account_id: str, ids: Sequence[str]) -> None:
        if ids:
            seen = media.c.id.in_(list(ids)) | media.c.parent_id.in_(list(ids))
            await connection.execute(
                update(media)
                .where(media.c.account_id == account_id, seen)
                .where((media.c.missed > 0) | media.c.removed_at.is_not(None))
                .values(missed=0, missed_at=None, removed_at=None)
            )

    async def _suspect(self, connection: AsyncConnection, account_id: str, suspects: Sequence[Suspect]) -> None:
        for one in suspects:
            await connection.execute(
                update(media)
                .where(media.c.account_id == account_id, media.c.id == one.id)
                .values(missed=one.confirmed, missed_at=one.confirmed_at)
            )

    async def _tombstone(
        self, connection: AsyncConnection, account_id: str, removed: Sequence[str], standing: Standing
    ) -> None:
        if removed:
            mine = (media.c.id.in_(list(removed))) | (media.c.parent_id.in_(list(removed)))
            await connection.execute(
                update(media).where(media.c.account_id == account_id, mine).values(removed_at=standing.synced_at)
            )

    async def _trim(self, connection: AsyncConnection, account_id: str, max_items: int) -> None:
        newest = (
            select(media.c.id)
            .where(media.c.account_id == account_id, media.c.parent_id.is_(None), media.c.removed_at.is_(None))
            .order_by(media.c.posted_at.desc(), media.c.id.desc())
            .offset(max_items)
        )
        beyond = list((await connection.execute(newest)).scalars())
        if beyond:
            mine = media.c.id.in_(beyond) | media.c.parent_id.in_(beyond)
            await connection.execute(delete(media).where(media.c.account_id == account_id, mine))


def _in_use() -> ColumnElement[bool]:
    used = select(media.c.picture).where(media.c.removed_at.is_(None), media.c.picture.is_not(None))
    more = select(media.c.video).where(media.c.removed_at.is_(None), media.c.video.is_not(None))
    return assets.c.digest.in_(used.union(more))


def _whose(table: Table, workspace_id: str, account_id: str | None) -> Sequence[ColumnElement[bool]]:
    mine = table.c.workspace_id == workspace_id
    return (mine, table.c.account_id == account_id) if account_id else (mine,)


def _check_held(connection: Connection, account_id: str) -> None:
    if _HELD.one(connection, {"account_id": account_id}) is None:
        raise Gone("the account was let go; nothing of it is stored any more")


def _stand(connection: Connection, workspace_id: str, standing: Standing) -> None:
    put(connection, syncs, [_standing_row(workspace_id, standing)], keep=frozenset({"revision"}))


def _noted(connection: Connection, workspace_id: str, standing: Standing) -> None:
    _check_held(connection, standing.account_id)
    _stand(connection, workspace_id, standing)


def _compared(rows: Sequence[Record]) -> Mapping[str, Known]:
    children: dict[str, list[Known]] = {}
    for row in rows:
        if row[0]:
            children.setdefault(row[0], []).append(_known(row, ()))
    return {row[1]: _known(row, tuple(children.get(row[1], ()))) for row in rows if not row[0]}


def _known(row: Record, children: tuple[Known, ...]) -> Known:
    facts: list[Any] = [*row[1 : 1 + len(_SAID)], tuple(child.said for child in children)]
    beside: list[Any] = [*row[1 + len(_SAID) :], children]
    return Known(Said(*facts), *beside)


def _assemble(rows: Iterable[Sequence[Any]]) -> Sequence[Item]:
    children: dict[tuple[str, str], list[tuple[int, Item]]] = {}
    top: list[Item] = []
    for row in rows:
        account_id, parent_id, place = row[:3]
        item = _item(row, account_id)
        if parent_id:
            children.setdefault((account_id, parent_id), []).append((place, item))
        else:
            top.append(item)
    return [_with_children(item, children.get((item.account_id, item.id), ())) for item in top]


def _with_children(item: Item, children: Sequence[tuple[int, Item]]) -> Item:
    placed = sorted(children, key=lambda pair: pair[0])
    return replace(item, children=tuple(child for _, child in placed)) if placed else item


def _item(row: Sequence[Any], account_id: str) -> Item:
    picture, video = row[_AT_PICTURE:_AT_VIDEO], row[_AT_VIDEO:]
    copies = [Asset(*one) if one[0] else None for one in (picture, video)]
    said: list[Any] = [*row[3:_AT_BESIDE], *copies, *row[_AT_BESIDE:_AT_PICTURE]]
    return Item(*said, account_id=account_id)


def _asset(row: Row[Any]) -> Asset:
    return Asset(**{name: getattr(row, name) for name in _ASSET})


def _asset_row(asset: Asset) -> dict[str, Any]:
    row = {name: getattr(asset, name) for name in Asset.__dataclass_fields__}
    return row | {"unused_since": None, "claimed_at": None, "leaving_at": None}


def _rows(account: Account, item: Item) -> list[dict[str, Any]]:
    rows = [_row(account, item, None, 0)]
    rows.extend(_row(account, child, item.id, at) for at, child in enumerate(item.children))
    return rows


def _row(account: Account, item: Item, parent_id: str | None, place: int) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "id": item.id,
        "workspace_id": account.workspace_id,
        "parent_id": parent_id,
        "place": place,
        "kind": item.kind,
        "product": item.product,
        "caption": item.caption,
        "permalink": item.permalink,
        "posted_at": item.posted_at,
        "alt_text": item.alt_text,
        "picture_name": item.picture_name,
        "video_name": item.video_name,
        "picture": item.picture.digest if item.picture else None,
        "video": item.video.digest if item.video else None,
        "picture_fallback": item.picture_fallback,
        "video_fallback": item.video_fallback,
        "fallback_until": item.fallback_until,
        "tries": item.tries,
        "tried_at": item.tried_at,
        "missed": 0,
        "missed_at": None,
        "removed_at": None,
    }


def _standing_row(workspace_id: str, standing: Standing) -> dict[str, Any]:
    return {
        "account_id": standing.account_id,
        "workspace_id": workspace_id,
        "synced_at": standing.synced_at,
        "deep_at": standing.deep_at,
        "failed_at": standing.failed_at,
        "problem": standing.problem,
        "revision": 0,
    }
