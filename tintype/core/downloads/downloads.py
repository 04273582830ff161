"""The trade of downloads: a post by its shortcode, as verified files in one folder, fetched once however many ask.

Who works a download. The process that accepts it begins at once, in a task of its own, because the engine looks for jobs only
every half second, which is longer than a whole download takes. The task belongs to the download, never to who asked: they may
go away. While it works it holds a lease in the download's row. A process that dies renews nothing: its lease lapses, and the
`Runner` of another process takes it and does the same work again. Whoever asks for a post with a lapsed lease takes it over as well.
"""

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4
from weakref import WeakValueDictionary

from tintype.core.downloads.fetching import Fetching, cancelled
from tintype.core.downloads.folders import Folders
from tintype.core.downloads.model import (
    DiskFull,
    Download,
    Failure,
    File,
    Lease,
    Policy,
    Post,
    State,
    Step,
    failure_from,
    next_step,
)
from tintype.core.downloads.records import DownloadRecords
from tintype.core.downloads.sessions import NEEDS_LOGIN, Member
from tintype.errors import Busy, Kind, NotFound, Trouble, Unavailable
from tintype.instagram.public import Doors, Health, PublicPost, Reason, reason_of
from tintype.instagram.public import State as Door

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2  # between two looks at a download that another process works
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Owns(Protocol):
    """Finds a post of an account that is connected here, by the official way; None: it is nobody's here."""

    async def find(self, shortcode: str) -> PublicPost | None: ...


@dataclass(slots=True)
class Flights:
    """The downloads that this process works now."""

    tasks: dict[str, "asyncio.Task[Download]"] = field(default_factory=dict[str, "asyncio.Task[Download]"])
    doors: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])


@dataclass(frozen=True, slots=True)
class Downloads:
    """Gets posts; `node` is the name of this process, under which it holds leases."""

    records: DownloadRecords
    folders: Folders
    owns: Owns
    doors: Doors
    member: Member
    fetching: Fetching
    policy: Policy
    node: str
    now: Callable[[], datetime]
    flights: Flights = field(default_factory=Flights)

    async def ask(self, shortcode: str, *, wait: float = 0) -> Download:
        """Return a post's download, waiting up to `wait` seconds for its end; it goes on when nobody waits any more.

        A post that lies here whole is answered from the disk, and a fresh no of Instagram's without asking again.
        """
        download = await self._accepted(shortcode)
        return await self.wait(download, wait) if download.state is State.RUNNING else download

    async def look(self, shortcode: str) -> PublicPost:
        """Return what a post says and where its files lie now, without fetching any of them.

        Raises troubles with a reason.
        """
        return await self._look_up(shortcode)

    async def check(self) -> None:
        """Return when a look-up could be made now, without making one.

        Raises `Unavailable` while every public way rests.
        """
        if all(one.state is Door.OPEN for one in await self.doors.health()):
            raise Unavailable("Instagram is not asked for now")

    async def find(self, download_id: str) -> Download:
        """Return a download by its id.

        Raises `NotFound` when there is none, or none any more.
        """
        found = await self.records.find(download_id)
        if found is None:
            raise NotFound("there is no such job; those that ended are forgotten after some days")
        return found

    async def known(self, shortcode: str) -> Download | None:
        """Return a post's present answer without asking for it; None: there is none."""
        return await self.records.current(shortcode)

    async def recent(self, limit: int = 50) -> Sequence[Download]:
        """Return what became of the posts that were asked for last."""
        return await self.records.recent(limit)

    async def wait(self, download: Download, seconds: float) -> Download:
        """Return a download as it is at its end, or when the seconds are over."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while download.state is State.RUNNING and clock() < until:
            task = self.flights.tasks.get(download.id)
            if task is None:
                await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, until - clock())))
                download = await self.find(download.id)
                continue
            await asyncio.wait({task}, timeout=until - clock())
            if task.done() and not task.cancelled():
                download = task.result()
        return download

    async def take_over(self) -> int:
        """Go on with the downloads that nobody works any more; return how many those were."""
        return sum([await self._take_over(one) for one in await self.lapsed()])

    async def inherit(self, node: str) -> int:
        """Go on with the downloads of a dead process of this name; return how many those were."""
        left = await self.records.release(node, self.now())
        if left:
            await self.take_over()
        return left

    async def lapsed(self) -> list[Download]:
        """Return the running downloads that nobody works any more."""
        now = self.now()
        running = [one for one in await self.records.running() if one.id not in self.flights.tasks]
        return [one for one in running if next_step(one, now, whole=False) is Step.TAKE_OVER]

    async def file(self, shortcode: str, name: str) -> tuple[Path, File]:
        """Return a published file and what is known of it.

        Raises `NotFound` when the post was not downloaded, is gone again, or has no such file.
        """
        found = await self.records.current(shortcode)
        file = next((one for one in found.post.files if one.name == name), None) if found and found.post else None
        path = await asyncio.to_thread(self.folders.file, shortcode, name) if file else None
        if file is None or path is None:
            raise NotFound("there is no such file; posts are removed some days after they were downloaded")
        return path, file

    def written(self, download: Download) -> int:
        """Return how many bytes of a running download this process has so far."""
        return self.folders.staged_bytes(download.id)

    async def health(self) -> tuple[Health, ...]:
        """Return how the ways to public posts stand, that of the lent session last, if there is one."""
        member = await self.member.doors.health() if await self.member.is_open() else ()
        return (*await self.doors.health(), *member)

    async def close(self) -> None:
        """Stop working; what is unfinished is free for the next start, or for another process, at once."""
        tasks = list(self.flights.tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.records.release(self.node, self.now())
        for way in (*self.doors.ways, *self.member.doors.ways):
            way.close()

    async def _accepted(self, shortcode: str) -> Download:
        """Return the present answer for a post, beginning a new try when there is none."""
        # One caller looks at the records; the others find what it found or began.
        lock = self.flights.doors.setdefault(shortcode, asyncio.Lock())
        async with lock:
            while True:
                found = await self.records.current(shortcode)
                now = self.now()
                match next_step(found, now, whole=await self._is_whole(found)):
                    case Step.BEGIN:
                        lease = Lease(self.node, now + self.policy.lease)
                        fresh = Download(str(uuid4()), shortcode, State.RUNNING, now, lease)
                        if await self.records.begin(fresh, found):
                            self._start(fresh)
                            return fresh
                    case Step.TAKE_OVER if found and found.id not in self.flights.tasks:
                        if await self._take_over(found):
                            return found
                    case _:
                        assert found is not None
                        return found

    async def _is_whole(self, found: Download | None) -> bool:
        if found is None or found.post is None:
            return False
        return await asyncio.to_thread(self.folders.is_whole, found.shortcode, found.post.files)

    async def _take_over(self, download: Download) -> bool:
        taken = await self._take(download)
        if taken and download.id not in self.flights.tasks:
            self._start(download)
        return taken

    async def _take(self, download: Download) -> bool:
        now = self.now()
        return await self.records.take(download.id, Lease(self.node, now + self.policy.lease), now)

    def _start(self, download: Download) -> None:
        task = asyncio.create_task(self._work(download))
        self.flights.tasks[download.id] = task
        task.add_done_callback(lambda _: self.flights.tasks.pop(download.id, None))

    async def _work(self, download: Download) -> Download:
        """Bring a download to its end and store that; whoever another took it over from stops."""
        trying, keeping = asyncio.create_task(self._tried(download)), asyncio.create_task(self._keep(download))
        try:
            await asyncio.wait({trying, keeping}, return_when=asyncio.FIRST_COMPLETED)
            ended = trying.result() if trying.done() else None
        finally:
            await cancelled(trying, keeping)
        if ended is not None and await self.records.finish(ended, self.node):
            return ended
        return await self.find(download.id)

    async def _keep(self, download: Download) -> None:
        """Renew the lease again and again; returns when it is lost."""
        while True:
            await asyncio.sleep(self.policy.lease.total_seconds() / 3)
            try:
                if not await self._take(download):
                    log.info("download %s was taken over by somebody else", download.id)
                    return
            except Trouble as trouble:
                log.warning("the lease of download %s was not renewed: %s", download.id, trouble.message)

    async def _tried(self, download: Download) -> Download:
        try:
            async with asyncio.timeout(self.policy.seconds):
                post = await self._get(download)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must learn of the end
            failure = self._failure(download, error)
            if self.folders.is_staged(download.id):
                await asyncio.to_thread(self.folders.drop, download.id)
            return download.failed(failure, self.now())
        return download.done(post, self.now())

    def _failure(self, download: Download, error: Exception) -> Failure:
        match error:
            case Trouble(__cause__=OSError(errno=errno.ENOSPC | errno.EDQUOT)):
                return failure_from(DiskFull("the disk is full; make room and ask again"), self.now())
            case Trouble():
                return failure_from(error, self.now())
            case TimeoutError():
                message = f"the download took longer than {self.policy.seconds:.0f} seconds"
                return Failure(Kind.UNREACHABLE, "upstream_timeout", message)
            case OSError() if error.errno in _FULL:
                return failure_from(DiskFull("the disk is full; make room and ask again"), self.now())
            case _:
                log.error("download %s of %s failed", download.id, download.shortcode, exc_info=error)
                return Failure(None, "internal", "Internal server error")

    async def _get(self, download: Download) -> Post:
        """Return a post whose files lie in its folder: as an earlier try left it, or looked up, fetched and published."""
        kept = await asyncio.to_thread(self._kept, download.shortcode)
        if kept is not None:
            return kept
        return await self._fetched(download, await self._look_up(download.shortcode))

    def _kept(self, shortcode: str) -> Post | None:
        """Return the post as an earlier try left it, if it did and is young enough.

        Raises `DiskFull` when there is no room to get it anew.
        """
        kept = self.folders.read(shortcode)
        if kept is not None and self.now() - kept[1] < self.policy.kept:
            return kept[0]
        if self.folders.free_bytes() < self.policy.min_free_bytes:
            raise DiskFull("the disk is nearly full; make room and ask again")
        return None

    async def _fetched(self, download: Download, found: PublicPost) -> Post:
        shortcode = download.shortcode
        stage = await asyncio.to_thread(self.folders.stage, download.id)
        try:
            files = await self.fetching.fetch_all(shortcode, found, stage, lambda: self._look_up(shortcode))
        except Busy as limit:
            if reason_of(limit) is Reason.UPSTREAM_RATE_LIMITED:
                await self.doors.rest(limit)  # whoever says so, it is this address that is to wait
            raise
        post = _post(found, files)
        await asyncio.to_thread(self.folders.publish, download.id, shortcode, post, self.now())
        return post

    async def _look_up(self, shortcode: str) -> PublicPost:
        """Ask the official way first, and the public ones for what is nobody's here."""
        try:
            own = await self.owns.find(shortcode)
        except Busy:
            raise  # after a limit nobody tries the next door
        except Trouble as trouble:
            log.warning("%s is a post of an account here that could not be read: %s", shortcode, trouble.message)
            own = None
        if own is not None:
            return own
        try:
            return await self.doors.look_up(shortcode)
        except Trouble as trouble:
            if reason_of(trouble) not in NEEDS_LOGIN or not await self.member.is_open():
                raise
        return await self.member.look_up(shortcode)


def _post(found: PublicPost, files: tuple[File, ...]) -> Post:
    return Post(
        kind=found.kind.value,
        product=found.product,
        media_id=found.media_id,
        caption=found.caption or "",
        owner=found.owner,
        owner_name=found.owner_name,
        taken_at=found.taken_at,
        source=found.source,
        files=files,
    )
