"""Blobs as plain files in a folder: readable with any tool, and safe against being killed half-way.

A file is written beside the others, flushed to the disk, and renamed to its key; a rename shows all of it or nothing.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import IO, TypeVar

from tintype.backends.blobs.model import Blob, check_key, check_prefix, span
from tintype.errors import Misconfigured, NotFound, Unavailable

_UNFINISHED = ".unfinished"  # no key begins with a dot, so nothing in here is ever visible under one
_STEP = 256 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FolderBlobs:
    """Blobs below `root`; see `Blobs` for what each method promises."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "FolderBlobs":
        """Open a folder, making it where it is missing; raises `Misconfigured` when it cannot be written."""
        try:
            (root / _UNFINISHED).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"BLOBS_URL: the folder {str(root)!r} cannot be made: {error.strerror}") from error
        return cls(root)

    async def put(self, key: str, chunks: bytes | AsyncIterable[bytes], *, content_type: str) -> None:
        target = self.path(key)
        draft = self.root / _UNFINISHED / token_hex(16)
        try:
            if isinstance(chunks, bytes):
                await _off_loop(lambda: _write(draft, target, chunks))
            else:
                await self._put_stream(draft, target, chunks)
        finally:
            # Nothing is left to remove after a rename; after an error or a cancelled task there may be.
            draft.unlink(missing_ok=True)

    async def get(self, key: str) -> bytes:
        return await _off_loop(self.path(key).read_bytes, key)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        path = self.path(key)
        file = await _off_loop(lambda: path.open("rb"), key)
        try:
            first, last = span(os.fstat(file.fileno()).st_size, start, end)
            file.seek(first)
            while first < last and (piece := await _off_loop(_reader(file, min(_STEP, last - first)))):
                first += len(piece)
                yield piece
        finally:
            file.close()

    async def head(self, key: str) -> Blob | None:
        path = self.path(key)
        try:
            return await _off_loop(lambda: _blob(key, path), key)
        except NotFound:
            return None

    async def delete(self, key: str) -> None:
        path = self.path(key)
        await _off_loop(lambda: path.unlink(missing_ok=True))

    async def list(self, prefix: str = "") -> AsyncIterator[Blob]:
        folder = self.root / check_prefix(prefix)
        for key in await _off_loop(lambda: list(_keys(self.root, folder))):
            if (blob := await self.head(key)) is not None:
                yield blob

    def path(self, key: str) -> Path:
        return self.root / check_key(key)

    async def sweep(self, older_than: float) -> int:
        return await _off_loop(lambda: _sweep(self.root / _UNFINISHED, time.time() - older_than))

    async def health(self) -> None:
        probe = self.root / _UNFINISHED / token_hex(16)
        try:
            await _off_loop(lambda: probe.write_bytes(b"x"))
        finally:
            probe.unlink(missing_ok=True)

    async def _put_stream(self, draft: Path, target: Path, chunks: AsyncIterable[bytes]) -> None:
        file = await _off_loop(lambda: draft.open("xb"))
        try:
            async for chunk in chunks:
                await _off_loop(_writer(file, chunk))
            await _off_loop(lambda: _finish(file, draft, target))
        finally:
            with suppress(OSError):  # on a full disk it fails once more with what could not be written before
                file.close()


def _write(draft: Path, target: Path, body: bytes) -> None:
    with draft.open("xb") as file:
        file.write(body)
        _finish(file, draft, target)


def _finish(file: IO[bytes], draft: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    if draft.stat().st_size != file.tell():
        raise Unavailable("the folder of stored files took fewer bytes than it was given")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)


def _reader(file: IO[bytes], size: int) -> Callable[[], bytes]:
    return lambda: file.read(size)


def _writer(file: IO[bytes], chunk: bytes) -> Callable[[], int]:
    return lambda: file.write(chunk)


def _keys(root: Path, folder: Path) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (str((Path(where) / name).relative_to(root)) for name in files if not name.startswith("."))


def _blob(key: str, path: Path) -> Blob:
    found = path.stat()
    if not S_ISREG(found.st_mode):
        raise IsADirectoryError
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return Blob(key, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}", modified)


def _sweep(folder: Path, before: float) -> int:
    removed = 0
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # its writer finished, or another node swept it
    return removed


async def _off_loop(work: Callable[[], T], reading: str | None = None) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        if reading is not None and isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
            raise NotFound(f"there is no stored file {reading!r}") from error
        # The text of the error holds the absolute path; the reason alone is enough for people.
        raise Unavailable(f"the folder of stored files cannot be used: {error.strerror}") from error
