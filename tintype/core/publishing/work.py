"""The background work of publishing beside its runner: own copies and uploads are put away when no post needs them."""

from collections.abc import Sequence
from datetime import timedelta

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.publishing.resources import Resources

FOLDER = "publishing"
# Instagram fetches a medium when its container is made, and a container lives a day; an upload may wait for its post.
KEPT = timedelta(days=3)


def jobs(resources: Resources) -> Sequence[Job]:
    """Return the jobs of publishing. Each may run twice."""

    async def sweep() -> Result:
        return {"swept": await swept(resources)}

    return (Job("publishing.sweep", sweep),)


def schedules() -> Sequence[Schedule]:
    """Return when the jobs of publishing start by themselves."""
    return (Schedule("publishing.sweep", "publishing.sweep", "11 4 * * *"),)


async def swept(resources: Resources) -> int:
    """Remove the files of posts that have ended, and uploads that nobody used; return how many."""
    before = resources.graph.now() - KEPT
    old = [blob.key async for blob in resources.blobs.list(FOLDER) if blob.modified < before]
    needed = await resources.records.needed() if old else frozenset[str]()
    gone = [key for key in old if key not in needed]
    for key in gone:
        await resources.blobs.delete(key)
    return len(gone)
