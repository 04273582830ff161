"""How much room the data folder takes, and what is left beside it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """What one part of the data folder takes, in bytes and files."""

    name: str
    bytes: int
    files: int


def rooms(folder: Path) -> tuple[Room, ...]:
    """Return what lies in a data folder, part by part, the largest first. It reads the disk: call it in a thread."""
    found = (_room(path) for path in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(found, key=lambda room: room.bytes, reverse=True))


def free(folder: Path) -> int:
    """Return how many bytes are free where a folder lies."""
    return shutil.disk_usage(folder).free


def _room(path: Path) -> Room:
    sizes = list(_sizes(path))
    return Room(path.name, sum(sizes), len(sizes))


def _sizes(path: Path) -> Iterator[int]:
    try:
        if not path.is_dir():
            yield path.stat().st_size
            return
        with os.scandir(path) as entries:
            inside = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_folder in inside:
            yield from _sizes(Path(name)) if is_folder else (Path(name).lstat().st_size,)
    except FileNotFoundError:
        return  # it went away while it was looked at
