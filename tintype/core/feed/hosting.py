"""Pictures at Cloudinary as well, for websites that are used to being served from there.

A picture is put there before a feed shows it, and taken away a grace after the last feed that did; its public id is the hash
of its content, so that none is ever overwritten by another. Whatever fails is tried again later, and the own copy is shown
meanwhile; so it is with pictures that somebody else took out, once that is noticed. Without a cloud all of this does nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tintype.backends.blobs import Blobs
from tintype.backends.bus import Bus
from tintype.backends.cloudinary import MOST_TAGGED, Cloudinary, Picture
from tintype.core.feed.copies import blob_key
from tintype.core.feed.hosting_model import (
    FOLDER,
    Hosted,
    HostedStanding,
    Pause,
    Wanted,
    pictures,
    public_id,
    rest,
    tag_mark,
)
from tintype.core.feed.hosting_records import HostingRecords
from tintype.core.feed.model import Item
from tintype.errors import Gone, NotFound, Refused, Trouble
from tintype.events import MediaSynced

log = logging.getLogger(__name__)

AT_ONCE = 8
BATCH = 48

CLAIMED = timedelta(hours=2)  # a sync that claimed a picture longer ago than this was killed
LEASE = timedelta(minutes=10)  # a batch is taken away in far less, also where every call takes as long as it may
# Of each five minutes: whoever has a hundred thousand pictures needs the engine for other things.
TENDING = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Hosting:
    """Keeps the pictures that feeds show in the operator's cloud, when there is one."""

    records: HostingRecords
    blobs: Blobs
    bus: Bus
    now: Callable[[], datetime]
    cloud: Cloudinary | None = None
    pause: Pause = field(default_factory=Pause)

    @property
    def mark(self) -> str:
        """What makes a list that was prepared with this cloud another one than without it."""
        return f"-@{self.cloud.name}" if self.cloud else ""

    async def put(self, workspace_id: str, items: Iterable[Item]) -> None:
        """Have the pictures of items in the cloud before a feed shows them, as far as that can be done now."""
        if self.cloud is not None:
            await self._host(self.cloud, pictures(items), workspace_id)

    async def settle(self, items: Iterable[Item]) -> None:
        """Hold nothing back for items any more: a feed shows them."""
        if self.cloud is not None:
            await self.records.settle(self.cloud.name, pictures(items))

    async def addresses(self, workspace_id: str) -> Mapping[str, str]:
        """Return where pictures of a workspace's feed are served by the cloud, by digest."""
        return await self.records.addresses(self.cloud.name, workspace_id) if self.cloud else {}

    async def standing(self) -> HostedStanding | None:
        """Return how it stands; None without a cloud."""
        return await self.records.standing(self.cloud.name) if self.cloud else None

    async def tend(self) -> int:
        """Put there what waits, and take away what was not when it should have been; return how many pictures that were."""
        if self.cloud is None:
            return 0
        async with self.records.database.exclusive("feed.hosting"):
            done, now = 0, self.now()
            while self._goes_on(now) and (waiting := await self.records.waiting(self.cloud.name, now, BATCH)):
                done += await self._host(self.cloud, waiting)
                await self.records.settle(self.cloud.name, waiting)
            return done + await self._take_away(self.cloud)

    async def collect(self, grace: timedelta) -> int:
        """Take away what no feed has shown for `grace`; return how many pictures that were.

        What cannot be taken away now is shown by no feed any more either, and is tried again by `tend`.
        """
        if self.cloud is None:
            return 0
        async with self.records.database.exclusive("feed.hosting"):
            now, name = self.now(), self.cloud.name
            await self.records.mark_unused(name, now, now - CLAIMED)
            while await self.records.condemn(name, now - grace, now, now - CLAIMED):
                pass
            await self._retag(self.cloud)
            return await self._take_away(self.cloud)

    async def find_lost(self) -> int:
        """Notice pictures that somebody else took out of the cloud; return how many those are.

        Feeds show the own copies at once, and `tend` puts them there again. When Cloudinary does not say what lies there,
        all stays as it is.
        """
        if self.cloud is None or self.pause.holds(self.now()):
            return 0
        known = await self.records.tagged(self.cloud.name)
        if not known:
            return 0
        try:
            there = await self.cloud.listed(f"{FOLDER}/")
        except Trouble as trouble:
            log.warning("what lies at Cloudinary is not known: %s", trouble.message)
            return 0
        lost = [digest for digest in known if public_id(digest) not in there]
        for workspace, account in await self.records.lost(self.cloud.name, lost):
            await self.bus.publish(MediaSynced(workspace, account, changed=False))
        if lost:
            log.warning("%d pictures are at Cloudinary no longer; they are put there again", len(lost))
        return len(lost)

    def _goes_on(self, since: datetime) -> bool:
        return not self.pause.holds(self.now()) and self.now() - since < TENDING

    async def _host(self, cloud: Cloudinary, digests: Sequence[str], workspace_id: str | None = None) -> int:
        now = self.now()
        missing = await self.records.claim(cloud.name, digests, now)
        if not missing or self.pause.holds(now):
            return 0
        tenants = await self.records.tenants([one.digest for one in missing])
        own = frozenset({workspace_id} if workspace_id else ())
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(wanted: Wanted) -> Hosted | None:
            async with slots:
                return await self._upload(cloud, wanted, tenants.get(wanted.digest, frozenset()) | own)

        tried = await asyncio.gather(*(one(wanted) for wanted in missing))
        done = [one for one in tried if one]
        for workspace, account in await self.records.put(cloud.name, done):
            await self.bus.publish(MediaSynced(workspace, account, changed=False))
        return len(done)

    async def _upload(self, cloud: Cloudinary, wanted: Wanted, tenants: frozenset[str]) -> Hosted | None:
        if self.pause.holds(self.now()):
            return None
        try:
            body = await self.blobs.get(blob_key(wanted.digest, f"original.{wanted.format}"))
            picture = Picture(body, wanted.format)
            url = await cloud.upload(public_id(wanted.digest), picture, sorted(tenants))
        except Trouble as trouble:
            await self._failed(cloud, wanted, trouble)
            return None
        self.pause.end()
        return Hosted(wanted.digest, url, tag_mark(tenants))

    async def _take_away(self, cloud: Cloudinary) -> int:
        done, now = 0, self.now()
        while self._goes_on(now) and (leaving := await self.records.take_leaving(cloud.name, now, now + LEASE, BATCH)):
            slots = asyncio.Semaphore(AT_ONCE)

            async def one(wanted: Wanted, slots: asyncio.Semaphore = slots) -> bool:
                async with slots:
                    return await self._destroy(cloud, wanted)

            tried = await asyncio.gather(*(one(wanted) for wanted in leaving))
            gone = [wanted.digest for wanted, went in zip(leaving, tried, strict=True) if went]
            await self.records.forget(cloud.name, gone)
            done += len(gone)
        return done

    async def _destroy(self, cloud: Cloudinary, wanted: Wanted) -> bool:
        if self.pause.holds(self.now()):
            return False
        try:
            await cloud.destroy(public_id(wanted.digest))
        except Trouble as trouble:
            await self._failed(cloud, wanted, trouble)
            return False
        self.pause.end()
        return True

    async def _retag(self, cloud: Cloudinary) -> None:
        """Let pictures have the tags of those workspaces that show them now."""
        marks, tenants = await self.records.tagged(cloud.name), await self.records.tenants()
        wrong: dict[frozenset[str], list[str]] = {}
        for digest, mark in marks.items():
            mine = tenants.get(digest)
            if mine and tag_mark(mine) != mark:
                wrong.setdefault(mine, []).append(digest)
        for mine, digests in wrong.items():
            for start in range(0, len(digests), MOST_TAGGED):
                some = digests[start : start + MOST_TAGGED]
                if self.pause.holds(self.now()):
                    return  # they are found again by the next collection
                try:
                    await cloud.tag([public_id(one) for one in some], sorted(mine))
                except Trouble as trouble:
                    self._despair(trouble)
                    log.warning("tags of %d pictures at Cloudinary not changed: %s", len(some), trouble.message)
                    continue
                await self.records.retagged(cloud.name, some, tag_mark(mine))

    async def _failed(self, cloud: Cloudinary, wanted: Wanted, trouble: Trouble) -> None:
        now = self.now()
        self._despair(trouble)
        due = now + rest(wanted.tries, trouble.retry_after)
        await self.records.failed(cloud.name, wanted.digest, trouble.message, due)
        log.warning(
            "picture %s: %s; tried again after %s", wanted.digest, trouble.message, due.isoformat("T", "seconds")
        )

    def _despair(self, trouble: Trouble) -> None:
        """Leave Cloudinary alone for a while, unless the trouble is that of one picture alone."""
        if not isinstance(trouble, Refused | NotFound | Gone):
            self.pause.begin(self.now(), trouble.retry_after)
