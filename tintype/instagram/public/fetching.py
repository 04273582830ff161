"""Fetches a post's file: from Instagram's media hosts alone, whole or not at all, visible only once it is known to be good.

A cut connection is taken up where it broke, but only within one signed address; an address whose signature is over is asked
for anew, once. The deadline holds for all of it, also for a host that sends one byte a second.
"""

import asyncio
import hashlib
import os
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tintype.backends.outbound import INSTAGRAM_CDN, Outbound, Outgoing, Policy, Stream
from tintype.errors import Forbidden, TooLarge, Trouble, Unavailable, Unreachable
from tintype.instagram.model import MediaKind, expiry_of
from tintype.instagram.public import signals
from tintype.instagram.public.model import PublicMedia
from tintype.instagram.public.reasons import Reason, reason_of, trouble
from tintype.instagram.public.whole import Container, container_of

SILENCE = 10.0  # seconds without a byte after which a connection counts as broken
HOPS = 3
_JITTER = (0.05, 0.25)  # seconds before a next try
TRIES = 3  # connections for one file: the first, and twice more after it was cut

_EXPIRED = {403: Reason.MEDIA_FORBIDDEN, 404: Reason.MEDIA_GONE, 410: Reason.MEDIA_GONE}
_CUT = frozenset({Reason.MEDIA_TRUNCATED, Reason.MEDIA_EMPTY, Reason.MEDIA_UNAVAILABLE, Reason.UPSTREAM_UNREACHABLE})
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")

Refresh = Callable[[], Awaitable[str]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it lies there: verified, with its size, digest and type; a picture's dimensions where they are known."""

    path: Path
    bytes: int
    sha256: str
    kind: MediaKind
    content_type: str
    width: int | None = None
    height: int | None = None


async def fetch(
    outbound: Outbound,
    media: PublicMedia,
    to: Path,
    *,
    max_bytes: int,
    seconds: float,
    refresh: Refresh | None = None,
    now: Callable[[], datetime] = _utc_now,
) -> Fetched:
    """Fetch a picture or video into `to`, whose folder exists; a file that is there already is replaced.

    `refresh` looks the post up again for the file's present address. Raises troubles with a reason, or `Unavailable` when
    the disk does not take the file; whatever is raised, nothing is left behind.
    """
    part = to.with_name(f".{to.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            work = _Fetching(outbound, media, part, file, max_bytes, time.monotonic() + seconds, refresh)
            found = await work.whole(now())
            await asyncio.to_thread(os.fsync, file.fileno())
        part.replace(to)
    except OSError as broken:
        raise Unavailable("the disk did not take the post's file; check its free space and rights") from broken
    finally:
        part.unlink(missing_ok=True)
    return Fetched(to, work.length, work.digest.hexdigest(), found.kind, found.content_type, found.width, found.height)


@dataclass(slots=True)
class _Fetching:
    """One file on its way: what has arrived, and by which address and mark the rest is asked for."""

    outbound: Outbound
    media: PublicMedia
    part: Path
    file: IO[bytes]
    max_bytes: int
    ends: float
    refresh: Refresh | None
    length: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    mark: str | None = None  # a strong ETag: the same file is there for sure

    async def whole(self, now: datetime) -> Container:
        """Receive the file and return what it is, over as many connections and addresses as are due to it."""
        url, expiry = self.media.url, expiry_of(self.media.url)
        if self.refresh and expiry and expiry <= now:
            url = await self._anew(self.refresh)
        for tried in range(1, TRIES + 1):
            try:
                return await self._once(url)
            except Trouble as problem:
                reason = reason_of(problem)
                over = tried == TRIES or time.monotonic() >= self.ends
                if reason in _EXPIRED.values() and self.refresh and not over:
                    url = await self._anew(self.refresh)
                elif reason not in _CUT or over:
                    raise
            await asyncio.sleep(random.uniform(*_JITTER))  # noqa: S311 - spreads retries, guards nothing
        raise AssertionError("the last try has returned or raised")

    async def _anew(self, refresh: Refresh) -> str:
        self.refresh = None  # once
        self._restart()
        try:
            async with asyncio.timeout(max(self.ends - time.monotonic(), 0.0)):
                return await refresh()
        except TimeoutError:
            raise trouble(Reason.UPSTREAM_TIMEOUT) from None

    async def _once(self, url: str) -> Container:
        await self._receive(url)
        self.file.flush()
        mark, self.mark = self.mark, None  # what is found wanting is not taken up again, but fetched from its start
        found = await asyncio.to_thread(container_of, self.part)
        self.mark = mark
        if found.kind is not self.media.kind:
            raise trouble(Reason.MEDIA_NOT_MEDIA)
        return found

    async def _receive(self, url: str) -> None:
        asked = {"range": f"bytes={self.length}-", "if-range": self.mark} if self.mark and self.length else {}
        if not asked:
            self._restart()
        try:
            async with self.outbound.stream(Outgoing("GET", url, headers=asked), self._policy()) as answer:
                self._begin(answer)
                async for chunk in answer.chunks:
                    self.file.write(chunk)
                    self.digest.update(chunk)
                    self.length += len(chunk)
        except (Unreachable, Forbidden, TooLarge) as problem:
            if reason_of(problem) is not None:
                raise
            raise trouble(self._reason(problem)) from problem

    def _begin(self, answer: Stream) -> None:
        """Look at the head of an answer: where its bytes belong, or which trouble it is."""
        match answer.status:
            case 200:
                self._restart()
            case 206 if _starts_at(answer.headers) == self.length:
                pass
            case 206 | 416:
                self.mark = None
                raise trouble(Reason.MEDIA_TRUNCATED)
            case 429:
                raise trouble(Reason.UPSTREAM_RATE_LIMITED, retry_after=signals.retry_after(answer.headers))
            case status if status >= 500:
                raise trouble(Reason.MEDIA_UNAVAILABLE)
            case status:
                raise trouble(_EXPIRED.get(status, Reason.MEDIA_FORBIDDEN))
        tag = answer.headers.get("etag", "")
        self.mark = tag if tag.startswith('"') else None

    def _policy(self) -> Policy:
        left = max(self.ends - time.monotonic(), 0.01)
        room = max(self.max_bytes - self.length, 0)
        return Policy(left, min(left, SILENCE), max_bytes=room, max_redirects=HOPS, host_suffixes=INSTAGRAM_CDN)

    def _reason(self, problem: Trouble) -> Reason:
        match problem:
            case Forbidden():
                return Reason.UNEXPECTED_REDIRECT
            case TooLarge():
                return Reason.MEDIA_TOO_LARGE
            case _ if time.monotonic() >= self.ends:
                return Reason.UPSTREAM_TIMEOUT
            case _:
                return Reason.MEDIA_TRUNCATED if self.length else Reason.UPSTREAM_UNREACHABLE

    def _restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.length, self.digest, self.mark = 0, hashlib.sha256(), None


def _starts_at(headers: Mapping[str, str]) -> int | None:
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    return int(found[1]) if found else None
