"""Makes one picture out of others: gathers their bytes, and has the workshop do what the plan says."""

import hashlib
import time
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field

from tintype.backends.image_operations import Converted
from tintype.backends.images import Images
from tintype.core.files.conversion.model import Plan
from tintype.core.files.files import Files
from tintype.core.files.keys import is_handle
from tintype.core.files.model import File
from tintype.errors import Busy, NotFound, RateLimited, TooLarge, Trouble, Unavailable, Unsupported

SOURCE_BYTES = 64 * 2**20
REFUSED_SECONDS = 60.0  # so long a picture that cannot be converted is not tried again
REFUSED_MOST = 10_000
_PASSING = (Unavailable, RateLimited, Busy)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Remembers for a minute what could not be made, so that asking for it again costs nothing."""

    known: dict[str, tuple[float, Trouble]] = field(default_factory=dict[str, tuple[float, Trouble]])

    def check(self, name: str) -> None:
        """Raise again what was raised a moment ago."""
        until, trouble = self.known.get(name, (0.0, None))
        if trouble is not None and until > time.monotonic():
            raise trouble.with_traceback(None)

    def keep(self, name: str, trouble: Trouble) -> None:
        """Remember a refusal, unless it passes by itself."""
        if isinstance(trouble, _PASSING):
            return
        while len(self.known) >= REFUSED_MOST:
            self.known.pop(next(iter(self.known)))
        self.known[name] = (time.monotonic() + REFUSED_SECONDS, trouble)


@dataclass(frozen=True, slots=True)
class Making:
    """Converts files of ours and what lies on the web."""

    files: Files
    images: Images

    async def of_file(self, file: File, plan: Plan) -> Converted:
        """Return a file's picture after a plan.

        Raises `Unsupported` for what is no picture, `Invalid` for a broken one, `TooLarge` beyond the limits, `MediumGone` for
        a link whose medium is gone, and what a watermark's file raises.
        """
        return await self._converted(await self._read(file), plan, file)

    async def of_url(self, url: str, plan: Plan) -> Converted:
        """Return what lies at a public address after a plan; raises `Forbidden` for an address that is not called, too."""
        return await self._converted(await self._fetch(url), plan, None)

    async def size_of(self, file: File) -> tuple[int, int]:
        """Return width and height of a file's picture; raises what `of_file` raises."""
        seen = await self.images.inspect(await self._read(file))
        return seen.width, seen.height

    async def size_of_url(self, url: str) -> tuple[int, int]:
        """Return width and height of the picture at a public address."""
        seen = await self.images.inspect(await self._fetch(url))
        return seen.width, seen.height

    async def overlay_tags(self, plan: Plan) -> tuple[str, ...]:
        """Return what changes when a watermark's file does."""
        return tuple([(await self.files.get(name)).etag if is_handle(name) else name for name in plan.overlays])

    async def _converted(self, data: bytes, plan: Plan, file: File | None) -> Converted:
        overlays = {name: await self._overlay(name, file) for name in plan.overlays}
        return await self.images.convert(data, plan.operations, plan.output, overlays)

    async def _overlay(self, name: str, file: File | None) -> bytes:
        handle = name if is_handle(name) else self.files.own_handle(name)
        if handle is None:
            return await self._fetch(name)
        found = await self.files.get(handle)
        if file is not None and found.app_id != file.app_id:
            raise NotFound(f"the watermark's file {handle!r} is not one of this app's")
        return await self._read(found)

    async def _read(self, file: File) -> bytes:
        if not file.content_type.startswith("image/"):
            raise Unsupported(f"only pictures are converted; {file.filename!r} is {file.content_type}")
        if file.size is not None and file.size > SOURCE_BYTES:
            raise TooLarge(f"pictures of up to {SOURCE_BYTES} bytes are converted; this one has {file.size}")
        opened = await self.files.open(file)
        return await _whole(opened.chunks)

    async def _fetch(self, url: str) -> bytes:
        async with self.files.fetching.open(url, SOURCE_BYTES) as found:
            return await _whole(found.chunks)


async def _whole(chunks: AsyncIterable[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > SOURCE_BYTES:
            raise TooLarge(f"pictures of up to {SOURCE_BYTES} bytes are converted")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def tag_of(*parts: str) -> str:
    """Return a strong tag of a result, without its quotation marks: by what it was made of and how."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


EXTENSIONS: Mapping[str, str] = {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif"}
