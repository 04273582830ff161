"""From SQLite to PostgreSQL, and from a folder to a bucket: everything or nothing, while nobody works here."""

from dataclasses import dataclass

from tintype.backends.archive.database import check_answers, check_empty, copy_rows
from tintype.backends.archive.files import BlobArea, has_only, kind_of
from tintype.backends.archive.premises import Premises
from tintype.backends.blobs import Blobs
from tintype.backends.database import Database
from tintype.backends.migrations import upgrade
from tintype.errors import Conflict, Unavailable


@dataclass(frozen=True, slots=True)
class Moved:
    """How much was moved."""

    tables: int
    rows: int
    files: int


async def move(here: Premises, there: Database, blobs: Blobs | None = None) -> Moved:
    """Copy the database into an empty one, and the stored files into an empty store if one is given.

    Raises `Conflict` when either is not empty but for files that an interrupted move left. What was here stays as it is.
    """
    await check_answers(there)
    await check_empty(there)
    if blobs is not None and not await has_only(
        BlobArea(blobs), {blob.key: blob.size async for blob in here.blobs.list()}
    ):
        raise Conflict("the new place of stored files is not empty; give an empty one")
    files = await _copy_files(here.blobs, blobs) if blobs is not None else 0
    await upgrade(here.database)
    await upgrade(there)
    arrived = await copy_rows(here.database, there)
    return Moved(len(arrived), sum(arrived.values()), files)


async def _copy_files(source: Blobs, target: Blobs) -> int:
    done = 0
    async for blob in source.list():
        await target.put(blob.key, source.stream(blob.key), content_type=kind_of(blob.key))
        arrived = await target.head(blob.key)
        if arrived is None or arrived.size != blob.size:
            raise Unavailable(f"the stored file {blob.key} did not arrive whole; nothing was moved")
        done += 1
    return done
