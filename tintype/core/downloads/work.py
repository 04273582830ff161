"""The background work of downloads: finishing what dead processes left, and taking old posts away. Each may run twice."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.downloads.downloads import Downloads
from tintype.core.downloads.model import Download, State

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


def jobs(downloads: Downloads) -> Sequence[Job]:
    """Return the jobs of downloads."""
    cleaning = Cleaning(downloads)

    async def fetch(download_id: str) -> Result:
        found = await downloads.resume(download_id)
        return {"id": found.id, "state": found.state.value}

    async def sweep() -> Result:
        handed = [await hand_over(downloads, one) for one in await downloads.lapsed()]
        cleaned = await cleaning.clean() if cleaning.is_due() else 0
        return {"handed_over": len(handed), "cleaned": cleaned}

    return (Job("downloads.fetch", fetch), Job("downloads.sweep", sweep))


async def hand_over(downloads: Downloads, download: Download) -> str:
    """Give a download that nobody works to the engine; return the job's id."""
    return await downloads.engine.enqueue("downloads.fetch", download.id, unique=f"downloads.fetch:{download.id}")


def schedules() -> Sequence[Schedule]:
    """Return when the jobs of downloads start by themselves."""
    return (Schedule("downloads.sweep", "downloads.sweep", "* * * * *"),)


async def inherit(downloads: Downloads) -> int:
    """End the leases that an earlier process of this one's name left; only for who works alone, before it begins."""
    return await downloads.records.release(downloads.node, downloads.now() - timedelta(seconds=1))


async def recover(downloads: Downloads) -> int:
    """Make good, at the start, what killed processes left, and return how many downloads go on."""
    running = await downloads.records.running()
    left = await asyncio.to_thread(downloads.folders.sweep, {one.id for one in running})
    if left:
        log.info("removed %d folders that were half-written", left)
    lapsed = await downloads.lapsed()
    for one in lapsed:
        await hand_over(downloads, one)
    return len(lapsed)
