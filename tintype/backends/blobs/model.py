"""What a blob store promises, whichever it is."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tintype.errors import Invalid

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._=+@,~-]{0,199}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,15}}")
_KEY_MAX = 700  # S3 takes 1,024 bytes, of which a prefix may take its share


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob: its key, its size in bytes, a tag that changes with its content, and when it was written (UTC)."""

    key: str
    size: int
    etag: str
    modified: datetime


class Blobs(Protocol):
    """Keeps bytes under keys such as `media/ab/cdef.jpg`; no key may be a folder of another.

    Every method raises `Invalid` for text that is no key and `Unavailable` when the store cannot be used.
    """

    async def put(self, key: str, chunks: bytes | AsyncIterable[bytes], *, content_type: str) -> None:
        """Store all of `chunks` or nothing: the key shows the whole new content, or what it showed before.

        An error of the iterable rises as it is. `content_type` is kept where the store can keep it.
        """
        ...

    async def get(self, key: str) -> bytes:
        """Return the whole content; raises `NotFound`."""
        ...

    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, not including, `end`; raises `NotFound` at the first step."""
        ...

    async def head(self, key: str) -> Blob | None:
        """Return what is known of a blob without reading it; None: there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a blob; one that is not there counts as removed."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[Blob]:
        """Yield, in no promised order, the blobs below a folder (`media` finds `media/a`, not `mediation/a`)."""
        ...

    def path(self, key: str) -> Path | None:
        """Return the file that holds the key's content, for a server that sends files by itself; None: no such file."""
        ...

    async def sweep(self, older_than: float) -> int:
        """Remove what writes left behind that were interrupted more than `older_than` seconds ago; return how many."""
        ...

    async def health(self) -> None:
        """Return when the store can be used; raises `Unavailable` with the reason."""
        ...


def check_key(key: str) -> str:
    """Return the key unchanged when every store can hold it; raises `Invalid` (dots in front, `..`, `//`, NUL …)."""
    if len(key) > _KEY_MAX or not _KEY.fullmatch(key):
        raise Invalid(f"{key[:80]!r} cannot be the key of a stored file")
    return key


def check_prefix(prefix: str) -> str:
    """Return a folder's key without its last slash; the empty text is the whole store."""
    return check_key(prefix.removesuffix("/")) if prefix else prefix


def span(size: int, start: int, end: int | None) -> tuple[int, int]:
    """Return the part of `size` bytes that `start` and `end` leave, which may be empty."""
    last = size if end is None else min(end, size)
    return min(max(start, 0), last), last
