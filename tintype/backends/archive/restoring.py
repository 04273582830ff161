"""Putting a backup back: into an empty place only, and only after every byte of it was compared with its manifest."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.backends.archive.database import check_answers, check_empty, read_rows
from tintype.backends.archive.files import give, has_only
from tintype.backends.archive.holding import held
from tintype.backends.archive.manifest import (
    LISTING,
    SQLITE,
    Manifest,
    Part,
    Stored,
    check,
    chosen,
    listed,
    place_of,
    sha256_of,
)
from tintype.backends.archive.premises import KEY_FILE, Premises
from tintype.backends.archive.saving import DATABASE, JOBS
from tintype.backends.database import revision
from tintype.backends.migrations import HEAD, upgrade
from tintype.errors import Conflict, Misconfigured, Unavailable


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    name: str
    manifest: Manifest
    files: int
    has_key: bool


async def restore(here: Premises, root: Path, at: str | None = None) -> Restored:
    """Put the newest backup of a folder, or the named one, into an empty place.

    Raises `Conflict` when the place is not empty or of another kind, or a backup is being made in that folder,
    `Unavailable` for a backup that is damaged, `Misconfigured` when its secrets could not be opened here.
    """
    folder = chosen(root, at)
    with held(root, alone=False):
        return await _put_back(here, root, folder)


async def _put_back(here: Premises, root: Path, folder: Path) -> Restored:
    made = Manifest.read(folder)
    stored = await asyncio.to_thread(_looked_over, root, folder, made)
    has_key = _key_of(here, made)
    await _check_place(here, made, stored)
    for area in here.areas():
        await give(area, root, (one for one in stored if one.area == area.name))
    if has_key:
        _put_file(folder / KEY_FILE, here.data / KEY_FILE)
    if made.kind == SQLITE:
        await asyncio.to_thread(_put_sqlite, here, folder, made)
    else:
        await _put_rows(here, folder, made)
    await upgrade(here.database)
    return Restored(folder.name, made, len(stored), has_key)


def _looked_over(root: Path, folder: Path, made: Manifest) -> list[Stored]:
    """Compare everything with the manifest and return the stored files."""
    for part in made.parts:
        check(folder / part.name, part.bytes, part.sha256, part.name)
    stored = list(listed(folder)) if made.part(LISTING) else []
    for one in {one.sha256: one for one in stored}.values():
        check(place_of(root, one.sha256), one.bytes, one.sha256, f"the stored file {one.key}")
    return stored


def _key_of(here: Premises, made: Manifest) -> bool:
    """Tell whether the backup's own key is to be put back; otherwise the settings have it."""
    if made.key is None or here.knows(made.key):
        return False
    if here.keys:
        raise Misconfigured("ENCRYPTION_KEY is not the key that sealed this backup; put that one there")
    if not any(part.name == KEY_FILE for part in made.parts):
        raise Misconfigured("this backup has no key in it; put the key that sealed it into ENCRYPTION_KEY")
    if here.file is None:
        raise Misconfigured(f"put the key that sealed this backup into ENCRYPTION_KEY; it lies in its {KEY_FILE}")
    return True


async def _check_place(here: Premises, made: Manifest, stored: Sequence[Stored]) -> None:
    """Go on where nothing is but what an interrupted restore of this very backup left; raises `Conflict`."""
    if made.revision > HEAD:
        raise Conflict(
            f"the backup is of revision {made.revision}, and this version knows {HEAD}; use the newer version"
        )
    if made.kind == SQLITE and here.file is None:
        raise Conflict(
            "this is a backup of SQLite files, and DATABASE_URL names a server: restore it without DATABASE_URL, "
            "and then use `tintype move`"
        )
    if here.file is not None:
        parts = {part.name: part for part in made.parts}
        left = ((here.jobs, parts.get(JOBS)), (here.data / KEY_FILE, parts.get(KEY_FILE)))
        there = [here.file.name] if here.file.exists() else []
        if there := there + [path.name for path, part in left if path.exists() and not _is_part(path, part)]:
            raise Conflict(f"the data folder {str(here.data)!r} is not empty: it has {', '.join(there)}")
    else:
        await check_answers(here.database)
        await check_empty(here.database)
    if made.has_files:
        for area in here.areas():
            if not await has_only(area, {one.key: one.bytes for one in stored if one.area == area.name}):
                raise Conflict(f"the place of stored files is not empty: there are {area.name}; give an empty one")


def _is_part(path: Path, part: Part | None) -> bool:
    return part is not None and path.stat().st_size == part.bytes and sha256_of(path) == part.sha256


def _put_sqlite(here: Premises, folder: Path, made: Manifest) -> None:
    assert here.file is not None
    pairs: tuple[tuple[str, Path], ...] = ((JOBS, here.jobs), (DATABASE, here.file))
    names = {part.name for part in made.parts}
    for name, target in pairs:
        if name in names:
            _put_file(folder / name, target)


async def _put_rows(here: Premises, folder: Path, made: Manifest) -> None:
    await upgrade(here.database, to=made.revision)
    if (stands := await revision(here.database)) != made.revision:
        raise Conflict(
            f"the database is at revision {stands} and the backup at {made.revision}; give an empty database"
        )
    names = [part.name for part in made.parts]
    arrived = await read_rows(here.database, folder, names, dict(made.numbers))
    if {name: count for name, count in arrived.items() if count} != {
        name: count for name, count in made.rows.items() if count
    }:
        raise Unavailable("fewer rows arrived than the backup has")


def _put_file(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.restored")
    beside.touch(mode=0o600)
    shutil.copyfile(source, beside)
    beside.rename(target)
