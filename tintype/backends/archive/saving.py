"""Making a backup while the house is open: files, database, and files once more, so that no row misses its file."""

import asyncio
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from tintype.backends.archive.database import Contents, check_answers, copy_sqlite, count_sqlite, write_rows
from tintype.backends.archive.files import drop_others, take
from tintype.backends.archive.holding import held
from tintype.backends.archive.manifest import (
    LISTING,
    MANIFEST,
    ROWS,
    SQLITE,
    Manifest,
    Part,
    Stored,
    backups,
    listed,
    new_name,
    part_of,
    sync,
)
from tintype.backends.archive.premises import KEY_FILE, Premises
from tintype.backends.database import revision
from tintype.backends.migrations import HEAD
from tintype.errors import Conflict, Invalid, NotFound

DATABASE, JOBS = "tintype.db", "jobs.db"
DRAFT = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a backup holds beside the database, and how many of them are kept."""

    files: bool = True
    key: bool = True
    keep: int = 7


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup that was made."""

    name: str
    manifest: Manifest
    files: int
    bytes: int
    dropped: tuple[str, ...]


async def back_up(here: Premises, root: Path, wish: Wish, version: str, now: datetime) -> Saved:
    """Make one more backup in the folder `root`; files that an earlier one has are not copied again.

    Raises `NotFound` when there is nothing to save, `Conflict` when the database is newer than this version, or another
    backup is being made there, `Invalid` for a place among the files themselves.
    """
    if here.has_among_files(root):
        raise Invalid(f"{str(root)!r} lies among the stored files that are saved; give a folder outside of them")
    stands = await _standing(here)
    _make(root)
    with held(root, alone=True):
        return await _made(here, root, wish, version, stands, now)


async def _made(here: Premises, root: Path, wish: Wish, version: str, stands: str, now: datetime) -> Saved:
    name, draft = _begun(root, now)
    try:
        before = _earlier(root) if wish.files else {}
        before |= _by_key(await _files(here, root, before) if wish.files else ())
        contents = await (_copies(here, draft) if here.file else write_rows(here.database, draft))
        stored = await _files(here, root, before) if wish.files else []
        parts = (*contents.parts, *_key(here, draft, wish), _listing(draft, stored))
        made = Manifest(
            made_at=now,
            version=version,
            revision=stands,
            kind=SQLITE if here.file else ROWS,
            rows=contents.rows,
            numbers=contents.numbers,
            key=here.key_id(),
            parts=parts,
            has_files=wish.files,
        )
        _publish(draft, root / name, made)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    dropped = await asyncio.to_thread(_drop_old, root, wish.keep)
    total = sum(one.bytes for one in stored) + sum(part.bytes for part in parts)
    return Saved(name, made, len(stored), total, tuple(dropped))


def _make(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)


def _begun(root: Path, now: datetime) -> tuple[str, Path]:
    draft = root / f"{DRAFT}{uuid4().hex}"
    draft.mkdir(mode=0o700)
    return new_name(root, now), draft


async def _standing(here: Premises) -> str:
    if here.file is not None and not here.file.is_file():
        raise NotFound(f"there is no database at {str(here.file)!r} to save")
    await check_answers(here.database)
    found = await revision(here.database)
    if found is None:
        raise NotFound("the database is empty; there is nothing to save")
    if found > HEAD:
        raise Conflict(f"the database is at revision {found}, and this version knows {HEAD}; use the newer version")
    return found


async def _files(here: Premises, root: Path, before: dict[tuple[str, str], Stored]) -> list[Stored]:
    return [one for area in here.areas() for one in await take(area, root, before)]


async def _copies(here: Premises, draft: Path) -> Contents:
    """Copy SQLite's files: jobs first, because a job that is in the queue has its data stored already."""
    assert here.file is not None
    pairs = [(here.jobs, draft / JOBS)] if here.jobs.is_file() else []
    pairs.append((here.file, draft / DATABASE))
    for source, target in pairs:
        await asyncio.to_thread(copy_sqlite, source, target)
    rows = await asyncio.to_thread(count_sqlite, draft / DATABASE)
    return Contents(tuple(part_of(target) for _, target in pairs), rows, {})


def _key(here: Premises, draft: Path, wish: Wish) -> Sequence[Part]:
    if here.key_file is None or not wish.key:
        return ()
    target = draft / KEY_FILE
    target.touch(mode=0o600)
    target.write_text(here.key_file.read_text())
    return (part_of(target),)


def _listing(draft: Path, stored: Iterable[Stored]) -> Part:
    with (draft / LISTING).open("w") as file:
        file.writelines(f"{json.dumps(asdict(one))}\n" for one in stored)
    return part_of(draft / LISTING)


def _earlier(root: Path) -> dict[tuple[str, str], Stored]:
    known = backups(root)
    return _by_key(listed(root / known[-1])) if known else {}


def _by_key(stored: Iterable[Stored]) -> dict[tuple[str, str], Stored]:
    return {(one.area, one.key): one for one in stored}


def _publish(draft: Path, place: Path, made: Manifest) -> None:
    (draft / MANIFEST).write_text(made.written())
    sync(draft / MANIFEST)
    sync(draft)
    draft.rename(place)
    sync(place.parent)


def _drop_old(root: Path, keep: int) -> list[str]:
    """Delete the oldest backups beyond `keep`, what killed ones left, and stored files that no backup names any more."""
    known = backups(root)
    gone = known[: max(0, len(known) - keep)] if keep else []
    for place in (*(root / name for name in gone), *root.glob(f"{DRAFT}*")):
        shutil.rmtree(place, ignore_errors=True)
    needed = frozenset(one.sha256 for name in backups(root) for one in listed(root / name))
    drop_others(root, needed)
    return gone
