"""The background work of recipes beside its runner: old changes and pictures that nobody refers to are put away."""

from collections.abc import Sequence
from datetime import timedelta

from tintype.backends.blobs import Blobs
from tintype.backends.engine import Job, Result, Schedule
from tintype.core.recipes.extracting import FOLDER
from tintype.core.recipes.pipeline import Pipeline

FRESH = timedelta(hours=1)  # a picture is stored a moment before the item that refers to it


def jobs(pipeline: Pipeline, blobs: Blobs) -> Sequence[Job]:
    """Return the jobs of recipes. Each may run twice."""

    async def trim() -> Result:
        policy = pipeline.policy
        return {"forgotten": await pipeline.records.forget(pipeline.now() - policy.log_age, policy.log_lines)}

    async def sweep() -> Result:
        return {"swept": await swept(pipeline, blobs)}

    return (Job("recipes.trim", trim), Job("recipes.sweep", sweep))


def schedules() -> Sequence[Schedule]:
    """Return when the jobs of recipes start by themselves."""
    return (
        Schedule("recipes.trim", "recipes.trim", "*/10 * * * *"),
        Schedule("recipes.sweep", "recipes.sweep", "41 4 * * *"),
    )


async def swept(pipeline: Pipeline, blobs: Blobs) -> int:
    """Remove pictures of items that are gone; return how many."""
    before = pipeline.now() - FRESH
    old = [blob.key async for blob in blobs.list(FOLDER) if blob.modified < before]
    needed = await pipeline.records.blobs() if old else frozenset[str]()
    gone = [key for key in old if key not in needed]
    for key in gone:
        await blobs.delete(key)
    return len(gone)
