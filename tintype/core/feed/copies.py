"""Own copies of pictures and videos: fetch, verify, put, and only then let anybody refer to them."""

import asyncio
import hashlib
import logging
import tempfile
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from tintype.backends import video
from tintype.backends.blobs import Blobs
from tintype.backends.images import Images
from tintype.backends.outbound import Outbound, Outgoing, Policy
from tintype.core.feed.model import Asset, Item, ends_soon, resting
from tintype.core.feed.model import Policy as FeedPolicy
from tintype.core.feed.records import FeedRecords
from tintype.errors import Invalid, TooLarge, Trouble, Unreachable
from tintype.instagram import Media, MediaUrls, expiry_of

log = logging.getLogger(__name__)

CDN = (".cdninstagram.com", ".fbcdn.net")
PICTURE = Policy(total_seconds=60, first_byte_seconds=10, max_bytes=16 * 2**20, max_redirects=3, host_suffixes=CDN)
VIDEO = replace(PICTURE, total_seconds=600, max_bytes=300 * 2**20)

AT_ONCE = 8
CHUNK = 2**20

_GONE = frozenset({403, 404, 410})  # what the CDN answers when a signature expired (graph-api.md 2.5)


class Again(Protocol):
    """Asks Instagram for the present addresses of a medium, because the ones at hand have expired."""

    async def __call__(self, media_id: str) -> MediaUrls: ...


class _Expired(Exception):
    """An address whose signature is over."""


def blob_key(digest: str, name: str) -> str:
    """Return where a copy's file lies: `original.jpeg`, `640.webp` and so on, under its digest."""
    return f"media/{digest[:2]}/{digest}/{name}"


def original_name(asset: Asset) -> str:
    """Return the file name of a copy as it came."""
    return f"original.{asset.format}"


@dataclass(frozen=True, slots=True)
class When:
    """The moment of a pass, and the rules by which failed copies are tried again then."""

    now: datetime
    policy: FeedPolicy


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item's files are to be had at the moment."""

    picture: str | None = field(repr=False)
    video: str | None = field(repr=False)


def source_of(media: Media) -> Source:
    """Return a medium's addresses: a video's picture is its thumbnail."""
    return Source(*addresses(media.kind.value, media.media_url, media.thumbnail_url))


def addresses(kind: str, media_url: str | None, thumbnail_url: str | None) -> tuple[str | None, str | None]:
    """Return which of a medium's two addresses shows its picture, and which its video."""
    if kind == "VIDEO":
        return thumbnail_url, media_url
    return media_url or thumbnail_url, None


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies what new and changed items show; a copy that fails leaves the previous one, or Instagram's address."""

    outbound: Outbound
    blobs: Blobs
    images: Images
    records: FeedRecords
    copy_videos: bool = True

    async def fill(
        self, items: Sequence[Item], sources: Mapping[str, Source], stored: Mapping[str, Item], again: Again, when: When
    ) -> Sequence[Item]:
        """Return the items with their copies; everything they refer to is in the blob store and on record."""
        work = _Work(self, sources, {**stored, **_children(stored.values())}, again, when)
        return await asyncio.gather(*(work.item(item) for item in items))

    async def picture(self, url: str) -> Asset:
        """Copy one picture.

        Raises `_Expired` for an address that is over, `Trouble` for one that has no whole picture.
        """
        answer = await self.outbound.send(Outgoing("GET", url), PICTURE)
        _check_status(answer.status)
        return await self.put_picture(answer.body)

    async def put_picture(self, body: bytes) -> Asset:
        """Verify a picture by decoding it and put it into the blob store."""
        seen = await self.images.inspect(body)
        digest = hashlib.sha256(body).hexdigest()
        asset = Asset(digest, seen.format, len(body), seen.width, seen.height, seen.colour, seen.thumbhash)
        key = blob_key(digest, original_name(asset))
        await self.records.claim([asset], datetime.now(UTC))
        await self.blobs.put(key, body, content_type=f"image/{seen.format}")
        await self._verify(key, len(body))
        return asset

    async def video(self, url: str, *, poster: bool) -> tuple[Asset, bytes | None]:
        """Copy one video, and take one of its frames when a `poster` is wanted because Instagram sent no thumbnail."""
        with tempfile.NamedTemporaryFile(prefix="tintype-") as file:
            digest = hashlib.sha256()
            async with self.outbound.stream(Outgoing("GET", url), VIDEO) as answer:
                _check_status(answer.status)
                async for chunk in answer.chunks:
                    digest.update(chunk)
                    file.write(chunk)
            video.check_mp4(file.file)
            asset = Asset(digest.hexdigest(), "mp4", file.seek(0, 2), None, None)
            key = blob_key(asset.digest, original_name(asset))
            await self.records.claim([asset], datetime.now(UTC))
            await self.blobs.put(key, _chunks(file.file), content_type="video/mp4")
            await self._verify(key, asset.bytes)
            file.flush()
            return asset, await _poster(Path(file.name)) if poster else None

    async def _verify(self, key: str, length: int) -> None:
        found = await self.blobs.head(key)
        if found is None or found.size != length:
            raise Unreachable("the blob store does not hold what was just put there; check its health and disk space")


@dataclass(slots=True)
class _Work:
    """One call of `fill`: remembers what was copied, so that a carousel and its first child cost one download."""

    copies: Copies
    sources: Mapping[str, Source]
    stored: Mapping[str, Item]
    again: Again
    when: When
    _hopeless: set[str] = field(default_factory=set[str])
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _pictures: dict[str, asyncio.Task[Asset | None]] = field(default_factory=dict[str, "asyncio.Task[Asset | None]"])

    async def item(self, item: Item) -> Item:
        old = self.stored.get(item.id)
        same = old if old and _names(old) == _names(item) else None
        rests = same is not None and resting(same.tries, same.tried_at, self.when.now)
        children = tuple(await asyncio.gather(*(self.item(child) for child in item.children)))
        movie, video_name, frame = await self._movie(item, old, rests)
        picture, picture_name = await self._picture(item, old, rests, frame)
        source = self.sources.get(item.id, Source(None, None))
        wants_picture = source.picture if picture is None else None
        wants_video = source.video if movie is None else None
        filled = replace(
            item,
            children=children,
            picture_name=picture_name,
            video_name=video_name,
            picture=picture,
            video=movie,
            picture_fallback=wants_picture,
            video_fallback=wants_video,
            fallback_until=_earliest(wants_picture, wants_video),
        )
        return self._noted(self._unrenewed(filled, same), same, rests)

    def _unrenewed(self, filled: Item, same: Item | None) -> Item:
        """Return an item with the Instagram addresses it showed before, unless these end soon: they'd be no news."""
        if same is None or _lacks(same) != _lacks(filled):
            return filled
        if ends_soon(same.fallback_until, self.when.policy, self.when.now):
            return filled
        return replace(
            filled,
            picture_fallback=same.picture_fallback,
            video_fallback=same.video_fallback,
            fallback_until=same.fallback_until,
        )

    def _noted(self, filled: Item, same: Item | None, rests: bool) -> Item:
        """Return an item with the count of its copies that failed in a way that time seldom mends."""
        before = same.tries if same else 0
        if rests and same and any(_lacks(filled)):
            return replace(filled, tries=before, tried_at=same.tried_at)
        no_picture = filled.picture_fallback and _picture_key(filled) in self._hopeless
        no_video = filled.video_fallback and _video_key(filled) in self._hopeless
        return replace(filled, tries=before + 1, tried_at=self.when.now) if no_picture or no_video else filled

    async def _picture(
        self, item: Item, old: Item | None, rests: bool, frame: bytes | None
    ) -> tuple[Asset | None, str | None]:
        """Return the picture to show and its name: both the previous ones when a new copy fails, so that it is retried."""
        before = old.picture if old else None
        source = self.sources.get(item.id)
        if old and before and old.picture_name == item.picture_name:
            return before, item.picture_name
        if source is None or source.picture is None:
            return before or (await self._kept(frame) if frame else None), item.picture_name
        if rests and before is None:
            return None, item.picture_name
        key = _picture_key(item)
        if key not in self._pictures:
            self._pictures[key] = asyncio.create_task(self._copied_picture(key, item.id, source.picture))
        copied = await self._pictures[key]
        if copied is None and old and before:
            return before, old.picture_name
        return copied, item.picture_name

    async def _kept(self, frame: bytes) -> Asset | None:
        try:
            return await self.copies.put_picture(frame)
        except Trouble:
            return None

    async def _copied_picture(self, key: str, media_id: str, url: str) -> Asset | None:
        async with self._slots:
            try:
                try:
                    return await self.copies.picture(url)
                except _Expired:
                    now = await self.again(media_id)
                    return await self.copies.picture(now.thumbnail_url or now.media_url or url)
            except (_Expired, Trouble) as problem:
                self._despair(key, problem)
                log.warning("picture of %s not copied: %s", media_id, problem)
                return None

    def _despair(self, key: str, problem: Exception) -> None:
        if isinstance(problem, TooLarge | Invalid):
            self._hopeless.add(key)

    async def _movie(self, item: Item, old: Item | None, rests: bool) -> tuple[Asset | None, str | None, bytes | None]:
        """Return the video to show and its name, as `_picture` does, and a frame of it when there is no thumbnail."""
        before = old.video if old else None
        source = self.sources.get(item.id)
        if item.kind != "VIDEO" or source is None or source.video is None or not self.copies.copy_videos:
            return before, item.video_name, None
        if old and before and old.video_name == item.video_name:
            return before, item.video_name, None
        if rests and before is None:
            return None, item.video_name, None
        copied = await self._copied_video(item, source.video, poster=source.picture is None)
        if copied is None:
            return before, old.video_name if old and before else item.video_name, None
        return copied[0], item.video_name, copied[1]

    async def _copied_video(self, item: Item, url: str, *, poster: bool) -> tuple[Asset, bytes | None] | None:
        async with self._slots:
            try:
                try:
                    return await self.copies.video(url, poster=poster)
                except _Expired:
                    now = await self.again(item.id)
                    return await self.copies.video(now.media_url or url, poster=poster)
            except (_Expired, Trouble) as problem:
                self._despair(_video_key(item), problem)
                log.warning("video of %s not copied: %s", item.id, problem)
                return None


def _names(item: Item) -> tuple[str | None, str | None]:
    return item.picture_name, item.video_name


def _lacks(item: Item) -> tuple[bool, bool]:
    return item.picture_fallback is not None, item.video_fallback is not None


def _picture_key(item: Item) -> str:
    return item.picture_name or item.id


def _video_key(item: Item) -> str:
    return f"{item.id} video"


def _check_status(status: int) -> None:
    if status in _GONE:
        raise _Expired(f"the CDN answered {status}")
    if status != 200:
        raise Unreachable(f"the CDN answered {status}")


async def _poster(path: Path) -> bytes | None:
    try:
        return await video.frame(path)
    except Trouble:
        return None


async def _chunks(file: IO[bytes]) -> AsyncGenerator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _children(items: Iterable[Item]) -> dict[str, Item]:
    return {child.id: child for item in items for child in item.children}


def _earliest(*urls: str | None) -> datetime | None:
    ends = [end for end in map(expiry_of, urls) if end]
    return min(ends) if ends else None
