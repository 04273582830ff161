"""The stored files' part of a backup: each content once, read again only when its source says that it changed."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from tintype.backends.archive.manifest import BLOBS, DOWNLOADS, STORED, Stored, place_of, sync
from tintype.backends.blobs import Blobs
from tintype.errors import Invalid, NotFound

_STEP = 1024 * 1024
_SWEPT = ".new-"
_UNDER_WAY = ".under-way"
_DOWNLOADED = re.compile(r"[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,80}\.[a-z0-9]{2,5}")

# What a store is told of a file whose kind no row says; a folder keeps none, and nobody but us reads the bucket.
_KINDS = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif",
          "gif": "image/gif", "mp4": "video/mp4", "mov": "video/quicktime", "json": "application/json"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A file at its source: its key, its size, and a tag that changes with its content."""

    key: str
    bytes: int
    tag: str


class Area(Protocol):
    """Where stored files lie."""

    name: str

    def list(self) -> AsyncIterator[Known]:
        """Yield what is there."""
        ...

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file; raises `NotFound` at the first step."""
        ...

    async def put(self, key: str, path: Path) -> None:
        """Store the content of a file under a key."""
        ...


class BlobArea:
    """The house's own store of files."""

    name = BLOBS

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def list(self) -> AsyncIterator[Known]:
        async for blob in self._blobs.list():
            yield Known(blob.key, blob.size, blob.etag)

    def stream(self, key: str) -> AsyncIterator[bytes]:
        return self._blobs.stream(key)

    async def put(self, key: str, path: Path) -> None:
        await self._blobs.put(key, _pieces(path), content_type=kind_of(key))


class FolderArea:
    """The folder of downloaded posts, whose names are shortcodes and no keys of a store."""

    name = DOWNLOADS

    def __init__(self, root: Path) -> None:
        self._root = root

    async def list(self) -> AsyncIterator[Known]:
        for known in await asyncio.to_thread(lambda: list(_inside(self._root))):
            yield known

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        try:
            async for piece in _pieces(self._root / key):
                yield piece
        except FileNotFoundError:
            raise NotFound(f"there is no downloaded file {key!r}") from None

    async def put(self, key: str, path: Path) -> None:
        if not _DOWNLOADED.fullmatch(key):
            raise Invalid(f"{key[:80]!r} cannot be the name of a downloaded file")
        await asyncio.to_thread(_copy, path, self._root / key, self._root / _UNDER_WAY)


async def take(area: Area, root: Path, before: Mapping[tuple[str, str], Stored]) -> list[Stored]:
    """Bring what lies in an area into the backup folder, and return what is there; `before` is what earlier looks found."""
    found: list[Stored] = []
    async for known in area.list():
        old = before.get((area.name, known.key))
        same = old is not None and (old.bytes, old.tag) == (known.bytes, known.tag)
        if old is not None and same and _is_whole(place_of(root, old.sha256), old.bytes):
            found.append(old)
            continue
        try:
            size, digest = await _copied(area.stream(known.key), root)
        except NotFound:
            continue  # it was deleted between the two looks
        found.append(Stored(area.name, known.key, size, digest, known.tag))
    return found


async def give(area: Area, root: Path, stored: Iterable[Stored]) -> int:
    """Put the files of a backup into an area; return how many that were."""
    done = 0
    for one in stored:
        await area.put(one.key, place_of(root, one.sha256))
        done += 1
    return done


async def has_only(area: Area, known: Mapping[str, int]) -> bool:
    """Tell whether nothing lies in an area but files of these keys in these sizes."""
    async for one in area.list():
        if known.get(one.key) != one.bytes:
            return False
    return True


def drop_others(root: Path, needed: frozenset[str]) -> int:
    """Delete stored files that no backup names, and what was half-written; return how many that were."""
    gone = [path for path in (root / STORED).glob("*/*") if path.name not in needed]
    for path in (*gone, *(root / STORED).glob(f"{_SWEPT}*")):
        path.unlink()
    return len(gone)


async def _copied(chunks: AsyncIterator[bytes], root: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    draft = root / STORED / f"{_SWEPT}{token_hex(8)}"
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        with draft.open("xb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        target = place_of(root, digest.hexdigest())
        if not _is_whole(target, size):
            sync(draft)
            target.parent.mkdir(exist_ok=True)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return size, digest.hexdigest()


def kind_of(key: str) -> str:
    """Return the media type that a key's ending tells."""
    return _KINDS.get(key.rpartition(".")[2], "application/octet-stream")


def _copy(path: Path, target: Path, beside: Path) -> None:
    """Copy a file so that it appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, beside)
    beside.replace(target)


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _inside(root: Path) -> Iterable[Known]:
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if folder.name.startswith(".") or not folder.is_dir():
            continue  # half-written
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink():
                seen = path.stat()
                yield Known(f"{folder.name}/{path.name}", seen.st_size, f"{seen.st_mtime_ns:x}")


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _STEP):
            yield piece
    finally:
        file.close()
