"""The sizes of a picture that websites ask for: made once after a sync, or when the first one asks before that."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tintype.backends.blobs import Blobs
from tintype.backends.images import Images
from tintype.core.feed.copies import blob_key, original_name
from tintype.core.feed.model import FORMATS, SIZES, Asset
from tintype.core.feed.records import MANY, FeedRecords
from tintype.errors import NotFound, Trouble

log = logging.getLogger(__name__)

BATCH = 50
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Renditions:
    """Makes and finds the files behind an own copy."""

    records: FeedRecords
    blobs: Blobs
    images: Images
    making: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])

    async def render_all(self) -> int:
        """Make the sizes of every picture that lacks them; return how many pictures that were."""
        done = 0
        failed: set[str] = set()
        while waiting := [one for one in await self.records.unrendered(BATCH + len(failed)) if one not in failed]:
            slots = asyncio.Semaphore(AT_ONCE)

            async def one(digest: str, slots: asyncio.Semaphore = slots) -> bool:
                async with slots:
                    return await self._attempt(digest)

            results = await asyncio.gather(*(one(digest) for digest in waiting))
            failed.update(digest for digest, made in zip(waiting, results, strict=True) if not made)
            done += sum(results)
        return done

    async def file(self, digest: str, name: str) -> str:
        """Return the blob key of `original.{format}` or `{size}.{format}` of a copy, making the sizes if need be.

        Raises `NotFound` when there is no such copy, or it never has such a file.
        """
        key = blob_key(digest, name)
        if await self.blobs.head(key) is not None:
            return key
        asset = await self.records.asset(digest)
        if asset is None or name not in names(asset):
            raise NotFound("there is no such picture")
        await self.render(digest)
        return key

    async def render(self, digest: str) -> None:
        """Make all sizes of one picture; callers who ask at once share the work.

        Raises `NotFound` when there is no such copy.
        """
        task = self.making.get(digest)
        if task is None:
            task = self.making[digest] = asyncio.create_task(self._render(digest))
            task.add_done_callback(lambda _: self.making.pop(digest, None))
        await asyncio.shield(task)

    async def collect(self, grace: timedelta, *, strays_too: timedelta | None = None) -> int:
        """Drop the copies that no living item showed for `grace`, and files without a record; return how many.

        Files without a record, and copies that were claimed and never shown, are left by a killed process; they go when
        they are older than `strays_too` (`grace` when not given), because a running sync may be at work on them.
        """
        now = datetime.now(UTC)
        age = grace if strays_too is None else strays_too
        await self.records.mark_unused(now, now - age)
        gone = await self._collect_unused(now, grace, age)
        unfinished = await self.blobs.sweep(age.total_seconds())
        return gone + unfinished + await self._collect_strays(now, now - age)

    async def _collect_unused(self, now: datetime, grace: timedelta, age: timedelta) -> int:
        # Condemned, deleted, forgotten: a sync that wants the same bytes in between is refused, and so never puts a file
        # that is deleted under its hands.
        done = 0
        while digests := await self.records.condemn(now - grace, now, left_before=now - age):
            for digest in digests:
                await self._delete(digest)
            await self.records.forget(digests)
            done += len(digests)
        return done

    async def _collect_strays(self, now: datetime, before: datetime) -> int:
        done = 0
        files: dict[str, list[str]] = {}
        async for key, digest in self._old_files(before):
            if digest not in files and len(files) == MANY:
                done += await self._drop_strays(files, now)
                files = {}
            files.setdefault(digest, []).append(key)
        return done + await self._drop_strays(files, now)

    async def _drop_strays(self, files: Mapping[str, Sequence[str]], now: datetime) -> int:
        if not files:
            return 0
        strays = await self.records.condemn_strays(list(files), now)
        keys = [key for digest in strays for key in files[digest]]
        for key in keys:
            await self.blobs.delete(key)
        await self.records.forget(strays)
        return len(keys)

    async def _old_files(self, before: datetime) -> AsyncIterator[tuple[str, str]]:
        async for blob in self.blobs.list("media"):
            parts = blob.key.split("/")
            if len(parts) == 4 and blob.modified <= before:
                yield blob.key, parts[2]

    async def _delete(self, digest: str) -> None:
        keys = [blob.key async for blob in self.blobs.list(f"media/{digest[:2]}/{digest}")]
        for key in keys:
            await self.blobs.delete(key)

    async def _attempt(self, digest: str) -> bool:
        try:
            await self.render(digest)
        except Trouble as trouble:
            log.warning("sizes of picture %s not made: %s", digest, trouble.message)
            return False
        return True

    async def _render(self, digest: str) -> None:
        asset = await self.records.asset(digest)
        if asset is None or asset.width is None:
            raise NotFound("there is no such picture")
        original = await self.blobs.get(blob_key(digest, original_name(asset)))
        sizes = widths(asset)
        for made in await self.images.render(original, tuple(sizes), FORMATS):
            name = f"{made.size}.{made.format}"
            await self.blobs.put(blob_key(digest, name), made.data, content_type=f"image/{made.format}")
        await self.records.rendered(digest)


def widths(asset: Asset) -> dict[int, int]:
    """Return the sizes made of a picture with their real widths: nothing is blown up, and no width is made twice."""
    if asset.width is None:
        return {}
    found = {size: size for size in SIZES if size < asset.width}
    larger = next((size for size in SIZES if size >= asset.width), None)
    return found | ({larger: asset.width} if larger else {})


def names(asset: Asset) -> frozenset[str]:
    """Return the names of all files that a copy has or can have."""
    return frozenset({original_name(asset), *(f"{size}.{kind}" for size in widths(asset) for kind in FORMATS)})
