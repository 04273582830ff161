"""What a backup says of itself: when and of what it was made, and every file in it with its size and SHA-256.

A backup folder holds one folder a backup, named by its moment, and beside them the stored files of all backups, each once
and named by its content. The manifest is written last, so a backup that was interrupted is none.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tintype.errors import Invalid, NotFound, Unavailable

FORMAT = 1
MANIFEST, LISTING = "manifest.json", "files.jsonl"
STORED = "files"
SQLITE, ROWS = "sqlite", "rows"
BLOBS, DOWNLOADS = "blobs", "downloads"  # where stored files came from

_NAME = re.compile(r"\d{8}T\d{6}Z(?:-\d+)?")
_STEP = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A file of one backup: of the database, or the list of stored files."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file: where it came from, under which key, and the tag by which a change of it shows."""

    area: str
    key: str
    bytes: int
    sha256: str
    tag: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup; `kind` says whether it holds SQLite's files or rows of every table, `keys` which keys sealed it."""

    made_at: datetime
    version: str
    revision: str
    kind: str
    rows: Mapping[str, int]
    numbers: Mapping[str, int]
    key: str | None
    parts: tuple[Part, ...]
    has_files: bool
    format: int = FORMAT

    def written(self) -> str:
        """Return it as JSON."""
        return json.dumps({**asdict(self), "made_at": self.made_at.isoformat()}, indent=1)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a backup.

        Raises `Invalid` for one that is damaged, or of a format that this version does not know.
        """
        try:
            said: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            if said["format"] != FORMAT:
                raise Invalid(
                    f"the backup {folder.name} was made by another version of Tintype; restore it with that one"
                )
            said["parts"] = tuple(Part(**one) for one in said["parts"])
            said["made_at"] = datetime.fromisoformat(said["made_at"])
            return cls(**said)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Invalid(f"the manifest of the backup {folder.name} cannot be read: {type(error).__name__}") from error

    def part(self, name: str) -> Part:
        """Return a file of the backup.

        Raises `Invalid` when it has none of that name.
        """
        for one in self.parts:
            if one.name == name:
                return one
        raise Invalid(f"the backup has no {name}")


def backups(folder: Path) -> list[str]:
    """Return the names of the whole backups in a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}") if _NAME.fullmatch(path.parent.name))


def chosen(folder: Path, at: str | None) -> Path:
    """Return the folder of one backup: the named one, else the newest.

    Raises `NotFound`.
    """
    known = backups(folder)
    if not known:
        raise NotFound(f"there is no whole backup in {str(folder)!r}")
    if at is not None and at not in known:
        raise NotFound(f"there is no backup {at!r} in {str(folder)!r}; there are {', '.join(known)}")
    return folder / (at or known[-1])


def new_name(folder: Path, now: datetime) -> str:
    """Return a name for a new backup that sorts behind those that are there."""
    name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    taken = len(list(folder.glob(f"{name}*"))) if folder.is_dir() else 0
    return f"{name}-{taken}" if taken else name


def listed(folder: Path) -> Iterator[Stored]:
    """Yield the stored files of one backup."""
    with (folder / LISTING).open() as lines:
        for line in lines:
            yield Stored(**json.loads(line))


def place_of(root: Path, sha256: str) -> Path:
    """Return where the stored file of this content lies."""
    return root / STORED / sha256[:2] / sha256


def part_of(path: Path) -> Part:
    """Return a file of the backup as its manifest names it, after it is on the disk."""
    sync(path)
    return Part(path.name, path.stat().st_size, sha256_of(path))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_STEP):
            digest.update(piece)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or what a folder says of its files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(path: Path, size: int, sha256: str, what: str) -> None:
    """Go on when a file is what the manifest says; raises `Unavailable` otherwise."""
    if not path.is_file() or path.stat().st_size != size:
        raise Unavailable(f"the backup is damaged: {what} is not there in its full size; nothing was restored")
    if sha256_of(path) != sha256:
        raise Unavailable(f"the backup is damaged: {what} is not what it was; nothing was restored")
