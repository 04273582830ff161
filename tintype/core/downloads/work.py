"""The background work of downloads: finishing what dead processes left, and taking old posts away."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.downloads.downloads import Downloads
from tintype.core.downloads.model import Download, State
from tintype.errors import Unavailable

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Cleaning:
    """Takes posts away that were published longer ago than the policy keeps them."""

    downloads: Downloads
    cleaned_at: datetime | None = field(default=None, init=False)

    def is_due(self) -> bool:
        """Tell whether the last clean-up of this process is as long ago as the policy wants."""
        interval = self.downloads.policy.cleanup_interval
        return self.cleaned_at is None or self.downloads.now() - self.cleaned_at >= interval

    async def clean(self) -> int:
        """Take old posts away, and forget old tries; return how many posts that were."""
        self.cleaned_at = self.downloads.now()
        before = self.cleaned_at - self.downloads.policy.kept
        gone = 0
        while ended := await self.downloads.records.ended(before):
            for one in ended:
                gone += await self._remove(one)
        return gone + await self._remove_strays(before)

    async def _remove(self, download: Download) -> bool:
        records, folders = self.downloads.records, self.downloads.folders
        shown = download.state is State.DONE and await records.is_current(download)
        await records.forget(download.id)
        # Forgotten first: whoever asks now begins anew and finds a folder that is whole, or none.
        if shown:
            await asyncio.to_thread(folders.remove, download.shortcode, download.id)
        return shown

    async def _remove_strays(self, before: datetime) -> int:
        """Take folders away that have a sidecar of ours and are on no record: the database is younger than they are."""
        records, folders = self.downloads.records, self.downloads.folders
        gone = 0
        for shortcode in await asyncio.to_thread(folders.published):
            if await records.current(shortcode) is not None:
                continue
            found = await asyncio.to_thread(folders.read, shortcode)
            if found is not None and found[1] <= before:
                await asyncio.to_thread(folders.remove, shortcode, f"stray-{shortcode}")
                gone += 1
        return gone


class Runner:
    """Looks for downloads whose process died and goes on with them, until it is closed."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make good what killed processes left half-written, and begin to look."""
        downloads = self._downloads
        running = await downloads.records.running()
        left = await asyncio.to_thread(downloads.folders.sweep, {one.id for one in running})
        if left:
            log.info("removed %d folders that were half-written", left)
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Stop looking; what was taken over goes on until the downloads are closed."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        while True:
            try:
                if taken := await self._downloads.take_over():
                    log.info("%d downloads of processes that died go on here", taken)
            except Unavailable as trouble:
                log.warning("nobody looks after others' downloads for now: %s", trouble.message)
            except Exception:
                log.exception("looking for downloads that nobody works failed")
            await asyncio.sleep(self._downloads.policy.look.total_seconds())


def jobs(downloads: Downloads) -> Sequence[Job]:
    """Return the jobs of downloads."""
    cleaning = Cleaning(downloads)

    async def sweep() -> Result:
        return {"cleaned": await cleaning.clean() if cleaning.is_due() else 0}

    return (Job("downloads.sweep", sweep),)


def schedules() -> Sequence[Schedule]:
    """Return when the jobs of downloads start by themselves."""
    return (Schedule("downloads.sweep", "downloads.sweep", "* * * * *"),)


async def inherit(downloads: Downloads) -> int:
    """End the leases that an earlier process of this one's name left; only for who works alone, before it begins."""
    return await downloads.records.release(downloads.node, downloads.now() - timedelta(seconds=1))
