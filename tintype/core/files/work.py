"""The files' background work: what was let go is deleted, and what nobody went on with. It may run twice."""

from collections.abc import Sequence

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.files.files import Files
from tintype.core.files.uploads import Uploads


def jobs(files: Files, uploads: Uploads) -> Sequence[Job]:
    """Return the files' jobs."""

    async def sweep() -> Result:
        abandoned = await files.erase_abandoned()
        over = await uploads.collect()
        return {"abandoned": abandoned, "uploads": over, "deleted": await files.storing.stores.pay()}

    return (Job("files.sweep", sweep),)


def schedules() -> Sequence[Schedule]:
    """Return when they start by themselves."""
    return (Schedule("files.sweep", "files.sweep", "23 * * * *"),)
