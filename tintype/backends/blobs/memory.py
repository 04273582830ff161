"""The blob store that needs nothing: bytes in this process, gone with it."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from tintype.backends.blobs.model import Blob, check_key, check_prefix, span
from tintype.errors import NotFound


@dataclass(frozen=True, slots=True)
class MemoryBlobs:
    """Blobs in a dictionary; see `Blobs` for what each method promises."""

    _kept: dict[str, tuple[Blob, bytes]] = field(default_factory=dict[str, tuple[Blob, bytes]], repr=False)

    async def put(self, key: str, chunks: bytes | AsyncIterable[bytes], *, content_type: str) -> None:
        check_key(key)
        body = chunks if isinstance(chunks, bytes) else b"".join([chunk async for chunk in chunks])
        self._kept[key] = Blob(key, len(body), sha256(body).hexdigest()[:32], datetime.now(UTC)), body

    async def get(self, key: str) -> bytes:
        if (found := self._kept.get(check_key(key))) is None:
            raise NotFound(f"there is no stored file {key!r}")
        return found[1]

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        body = await self.get(key)
        first, last = span(len(body), start, end)
        if first < last:
            yield body[first:last]

    async def head(self, key: str) -> Blob | None:
        found = self._kept.get(check_key(key))
        return found[0] if found else None

    async def delete(self, key: str) -> None:
        self._kept.pop(check_key(key), None)

    async def list(self, prefix: str = "") -> AsyncIterator[Blob]:
        folder = check_prefix(prefix)
        for key, (blob, _) in list(self._kept.items()):
            if not folder or key.startswith(f"{folder}/"):
                yield blob

    def path(self, key: str) -> None:
        check_key(key)

    async def sweep(self, older_than: float) -> int:
        return 0

    async def health(self) -> None:
        return None
