"""The first phase: from a link to the words of its post, and to our own copy of its picture.

The words are enough for a recipe, so no video is fetched for them; a picture that cannot be had is a warning and no failure.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.backends.blobs import Blobs
from tintype.backends.outbound import Outbound
from tintype.core.downloads import Downloads
from tintype.core.recipes.items import Extract, Item
from tintype.core.recipes.policy import Policy
from tintype.errors import Invalid, Trouble, Unavailable
from tintype.instagram.links import Link, LinkKind, parse_link, post_url
from tintype.instagram.model import MediaKind
from tintype.instagram.public import PublicMedia, PublicPost, fetch, resolve

FOLDER = "recipes"
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_POSTS = frozenset({LinkKind.POST, LinkKind.REEL, LinkKind.TV})


class UnsupportedLink(Invalid):
    """The link leads to Instagram, but to no post."""


@dataclass(frozen=True, slots=True)
class Found:
    """A post that was looked up, by its own link."""

    link: Link
    post: PublicPost

    def extract(self) -> Extract:
        """Return what is kept of it."""
        post, picture = self.post, _picture(self.post)
        return Extract(
            post.caption,
            self.link.url,
            post.owner,
            post.taken_at,
            post.kind.value.lower(),
            picture=picture.url if picture else None,
        )


@dataclass(frozen=True, slots=True)
class Extracting:
    """Finds posts and copies their pictures."""

    downloads: Downloads
    outbound: Outbound
    blobs: Blobs
    policy: Policy

    async def find(self, item: Item) -> Found:
        """Return the post of an item's link.

        Raises `UnsupportedLink` for one that leads to no post, and what the look-up raises.
        """
        link = await resolve(self.outbound, media_link(item.url or ""))
        if link.shortcode is None or link.kind not in _POSTS:
            raise _unsupported()
        return Found(link, await self.downloads.look(link.shortcode))

    async def copy_cover(self, post: PublicPost) -> str | None:
        """Return the blob key of our copy of a post's picture; None: it has none, or it cannot be had."""
        picture = _picture(post)
        return await self.copy_picture(picture.url) if picture else None

    async def copy_picture(self, url: str) -> str | None:
        """Return the blob key of our copy of a picture at Instagram; None: it cannot be had."""
        try:
            with tempfile.TemporaryDirectory(prefix="cover-") as folder:
                return await self._copy(PublicMedia(MediaKind.IMAGE, url), Path(folder) / "cover")
        except Trouble:
            return None

    async def pictures(self, item: Item) -> Sequence[bytes]:
        """Return the pictures of an item: those that came with it, its cover, or all slides of a carousel.

        Raises `Unavailable` when the slides were not had in time.
        """
        source, code = item.source, item.shortcode
        if item.given.pictures:
            return [await self.blobs.get(key) for key in item.given.pictures]
        if source is None or source.kind == "video" or code is None:
            return []
        if source.kind != "carousel_album":
            return [await self.blobs.get(source.cover)] if source.cover else []
        paths = await self._files(code, MediaKind.IMAGE)
        return [await asyncio.to_thread(path.read_bytes) for path in paths]

    async def video(self, item: Item) -> Path | None:
        """Return our copy of an item's video, or of the first one of a carousel; None when it has none.

        Raises `Unavailable` when it was not had in time.
        """
        source, code = item.source, item.shortcode
        if source is None or code is None or source.kind not in ("video", "carousel_album"):
            return None
        return next(iter(await self._files(code, MediaKind.VIDEO)), None)

    async def _files(self, code: str, kind: MediaKind) -> list[Path]:
        got = await self.downloads.ask(code, wait=self.policy.look_seconds)
        if got.post is None:
            raise Unavailable("the files of the post were not had")
        names = [file.name for file in got.post.files if file.kind == kind.value]
        return [(await self.downloads.file(code, name))[0] for name in names]

    async def _copy(self, picture: PublicMedia, place: Path) -> str:
        policy = self.policy
        got = await fetch(self.outbound, picture, place, max_bytes=policy.cover_bytes, seconds=policy.cover_seconds)
        key = cover_key(got.sha256, got.content_type)
        if await self.blobs.head(key) is None:
            content = await asyncio.to_thread(got.path.read_bytes)
            await self.blobs.put(key, content, content_type=got.content_type)
        return key


def cover_key(sha256: str, content_type: str) -> str:
    """Return where a picture lies: by its content, so that the same one lies there once."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}.{_ENDINGS.get(content_type, 'jpg')}"


def media_link(url: str) -> Link:
    """Return what a link leads to, if that is a post or a share link for one.

    Raises `UnsupportedLink` otherwise.
    """
    try:
        link = parse_link(url)
    except Invalid:
        raise _unsupported() from None
    if link.kind not in _POSTS and link.kind is not LinkKind.SHARE:
        raise _unsupported()
    return link


def known_shortcode(url: str) -> tuple[str | None, str | None]:
    """Return a link's plain form and its post's shortcode, as far as they can be read off the text."""
    try:
        link = media_link(url)
    except UnsupportedLink:
        return None, None
    return (post_url(link.shortcode, link.kind), link.shortcode) if link.shortcode else (link.url, None)


def _picture(post: PublicPost) -> PublicMedia | None:
    """Return the first picture of a post; of a video that is the one that stands before it."""
    for media in post.media:
        if media.kind is MediaKind.IMAGE:
            return media
        if media.poster_url:
            return PublicMedia(MediaKind.IMAGE, media.poster_url)
    return None


def _unsupported() -> UnsupportedLink:
    return UnsupportedLink("the link leads to no post, reel or video of Instagram")
