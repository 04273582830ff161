"""The files' background work: what was let go is deleted, and what nobody went on with. It may run twice."""

from collections.abc import Sequence

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.files.apps import Apps
from tintype.core.files.conversion import Conversions
from tintype.core.files.files import Files
from tintype.core.files.uploads import Uploads


def jobs(apps: Apps, files: Files, uploads: Uploads, conversions: Conversions) -> Sequence[Job]:
    """Return the files' jobs."""

    async def sweep() -> Result:
        abandoned = await files.erase_abandoned()
        await apps.records.forget_removed()
        over = await uploads.collect()
        unwanted = await conversions.collect()
        deleted = await files.tidy()
        return {"abandoned": abandoned, "uploads": over, "unwanted": unwanted, "deleted": deleted}

    return (Job("files.sweep", sweep),)


def schedules() -> Sequence[Schedule]:
    """Return when they start by themselves."""
    return (Schedule("files.sweep", "files.sweep", "23 * * * *"),)
