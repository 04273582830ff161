"""What a look-up without a token finds: a post and its media, from the shape that Instagram's own web pages are fed with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tintype.instagram import wire
from tintype.instagram.model import MediaKind, MediaProduct
from tintype.instagram.public.reasons import Reason, trouble

_KINDS = {1: MediaKind.IMAGE, 2: MediaKind.VIDEO, 8: MediaKind.CAROUSEL_ALBUM}
_PRODUCTS = {
    "clips": MediaProduct.REELS,
    "feed": MediaProduct.FEED,
    "carousel_container": MediaProduct.FEED,
    "carousel_item": MediaProduct.FEED,
    "igtv": MediaProduct.FEED,
    "story": MediaProduct.STORY,
    "ad": MediaProduct.AD,
}


@dataclass(frozen=True, slots=True)
class PublicMedia:
    """One picture or video of a post; the addresses are signed and expire (`expiry_of`)."""

    kind: MediaKind
    url: str = field(repr=False)
    poster_url: str | None = field(default=None, repr=False)
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PublicPost:
    """A post as anybody may see it; `kind` is IMAGE, VIDEO or CAROUSEL_ALBUM, `source` the way by which it was found."""

    shortcode: str
    media_id: str | None
    kind: MediaKind
    product: str | None
    caption: str
    owner: str | None
    owner_name: str | None
    taken_at: datetime | None
    media: tuple[PublicMedia, ...]
    source: str


class Way(Protocol):
    """One way to a post. Raises troubles of `reasons`, never sleeps, never asks a second time for what failed."""

    @property
    def name(self) -> str: ...

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost: ...

    def close(self) -> None: ...


def post_from(value: object, shortcode: str, source: str) -> PublicPost:
    """Return the post in an item of Instagram's web answers, under the shortcode that was asked for.

    Only what has to be there is asked of it: raises BAD_UPSTREAM_RESPONSE when its kind is unknown, or a file's address
    is missing.
    """
    item = wire.record(value)
    kind = _kind(item)
    parts = wire.records(item.get("carousel_media")) if kind is MediaKind.CAROUSEL_ALBUM else (item,)
    if not parts:
        raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
    owner = wire.record(item.get("user"))
    product = _PRODUCTS.get(wire.text(item.get("product_type")) or "")
    return PublicPost(
        shortcode=shortcode,
        media_id=wire.identifier(item.get("pk")),
        kind=kind,
        product=product.value if product else None,
        caption=wire.text(wire.record(item.get("caption")).get("text")) or "",
        owner=wire.phrase(owner.get("username")),
        owner_name=wire.phrase(owner.get("full_name")),
        taken_at=wire.unix_moment(item.get("taken_at")),
        media=tuple(_media(part) for part in parts),
        source=source,
    )


def largest(versions: object) -> Mapping[str, object] | None:
    """Return the version with the most pixels, then the most bits a second: their order means nothing."""
    usable = [version for version in wire.records(versions) if wire.phrase(version.get("url"))]
    return max(usable, key=_weight, default=None)


def _weight(version: Mapping[str, object]) -> tuple[int, float]:
    area = (wire.count(version.get("width")) or 0) * (wire.count(version.get("height")) or 0)
    return area, wire.number(version.get("bandwidth")) or wire.number(version.get("bitrate")) or 0.0


def _kind(item: Mapping[str, object]) -> MediaKind:
    number = wire.count(item.get("media_type"))
    kind = _KINDS.get(number) if number is not None else None
    if kind is None:
        raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
    return kind


def _media(item: Mapping[str, object]) -> PublicMedia:
    picture = largest(wire.record(item.get("image_versions2")).get("candidates"))
    poster_url = wire.phrase(picture["url"]) if picture else None
    if _kind(item) is MediaKind.VIDEO:
        shown, poster = largest(item.get("video_versions")), poster_url
        kind = MediaKind.VIDEO
    else:
        shown, poster = picture, None
        kind = MediaKind.IMAGE
    url = wire.phrase(shown["url"]) if shown else None
    if shown is None or url is None:
        raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
    return PublicMedia(
        kind=kind,
        url=url,
        poster_url=poster,
        width=wire.count(shown.get("width")) or wire.count(item.get("original_width")),
        height=wire.count(shown.get("height")) or wire.count(item.get("original_height")),
        seconds=wire.number(item.get("video_duration")) if kind is MediaKind.VIDEO else None,
    )
