"""Fetching the files of one post: a few at a time, never more bytes than a post may have, never slower than is worth it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tintype.backends.outbound import Outbound
from tintype.core.downloads.model import File, Policy, name_of
from tintype.instagram.public import Fetched, PublicMedia, PublicPost, Reason, fetch, trouble

T = TypeVar("T")

# A server that drips would hold a place for the whole time that an honest large video may take.
SLOW_BYTES_PER_SECOND = 1024
SLOW_AFTER_SECONDS = 20.0
_LOOK_SECONDS = 0.5

ENDINGS = {"video/mp4": "mp4", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

LookUp = Callable[[], Awaitable[PublicPost]]


@dataclass(slots=True)
class _Again:
    """One fresh look-up for all files of a post, when the addresses of the first one have expired."""

    look_up: LookUp
    asking: "asyncio.Future[PublicPost] | None" = None

    async def url(self, place: int) -> str:
        """Return a file's fresh address.

        Raises `Refused` when the post has changed meanwhile.
        """
        if self.asking is None:
            self.asking = asyncio.ensure_future(self.look_up())
        post = await self.asking
        if place >= len(post.media):
            raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
        return post.media[place].url


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches files within a policy; its places are shared by all posts of this process."""

    outbound: Outbound
    policy: Policy
    places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", asyncio.Semaphore(self.policy.at_once))

    async def fetch_all(self, shortcode: str, post: PublicPost, folder: Path, look_up: LookUp) -> tuple[File, ...]:
        """Fetch and verify every file of a post into a folder, under the promised names.

        Raises `Refused` when they are too many bytes, and what fetching one of them raises.
        """
        again = _Again(look_up)
        count = len(post.media)
        fetched = await together(
            [self._fetch(media, folder / f"{at}", again, at) for at, media in enumerate(post.media)]
        )
        if sum(one.bytes for one in fetched) > self.policy.max_bytes:
            raise trouble(Reason.MEDIA_TOO_LARGE)
        names = [name_of(shortcode, at, count, ENDINGS[one.content_type]) for at, one in enumerate(fetched)]
        _rename(fetched, [folder / name for name in names])  # within one folder: no work for a disk
        return tuple(_file(*one) for one in zip(names, post.media, fetched, strict=True))

    async def _fetch(self, media: PublicMedia, to: Path, again: _Again, place: int) -> Fetched:
        async with self.places:
            fetching = fetch(
                self.outbound,
                media,
                to,
                max_bytes=self.policy.max_bytes,
                seconds=self.policy.seconds,
                refresh=lambda: again.url(place),
            )
            return await unless_slow(fetching, lambda: _bytes_of(to))


async def unless_slow(work: Coroutine[Any, Any, T], so_far: Callable[[], int]) -> T:
    """Return what the work returns; ends it and raises `Unreachable` when it comes on too slowly for too long."""
    task = asyncio.create_task(work)
    clock = asyncio.get_running_loop().time
    begun = clock()
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_SECONDS)
            spent = clock() - begun
            if not task.done() and spent > SLOW_AFTER_SECONDS and so_far() < spent * SLOW_BYTES_PER_SECOND:
                raise trouble(Reason.UPSTREAM_TIMEOUT)
        return task.result()
    finally:
        await cancelled(task)


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return all results in order; the first trouble ends the others and is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancelled(*tasks)


async def cancelled(*tasks: "asyncio.Task[Any]") -> None:
    """End tasks, and return when they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _bytes_of(place: Path) -> int:
    try:
        return sum(path.stat().st_size for path in place.parent.glob(f".{place.name}.*"))
    except OSError:
        return 0  # renamed between two looks


def _rename(fetched: Sequence[Fetched], places: Sequence[Path]) -> None:
    for one, place in zip(fetched, places, strict=True):
        one.path.rename(place)


def _file(name: str, media: PublicMedia, fetched: Fetched) -> File:
    return File(
        name=name,
        kind=fetched.kind.value,
        content_type=fetched.content_type,
        bytes=fetched.bytes,
        sha256=fetched.sha256,
        width=media.width or fetched.width,
        height=media.height or fetched.height,
        cdn_url=media.url,
    )
