"""What seed 3's callers may say of a post, a story or a reel, and the draft that is meant by it."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints, field_validator

from tintype.core.publishing import UPLOAD, Draft, Fit, Item, ItemKind, Moment, Product, Tag, moment_of
from tintype.errors import Invalid
from tintype.zones import zone_named

_VIDEO_SUFFIXES = frozenset({"mp4", "mov"})


def _number(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
        return int(value)
    if isinstance(value, bool | float | str) or (isinstance(value, int) and abs(value) >= 10**18):
        raise ValueError("must be a whole number")
    return value


def _measure(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _upload(value: object) -> object:
    if isinstance(value, str) and value and not UPLOAD.fullmatch(value):
        raise ValueError("must be what POST /uploads answered")
    return value


Number = Annotated[int, BeforeValidator(_number)]
Place = Annotated[float, BeforeValidator(_measure), Field(ge=0, le=1)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=8192)]
Upload = Annotated[str, BeforeValidator(_upload)]
Digits = Annotated[str, BeforeValidator(_digits), StringConstraints(max_length=64)]
Words = Annotated[str, StringConstraints(max_length=10_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        texts = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType] - any field
        if any(isinstance(one, str) and "\0" in one for one in texts):  # pyright: ignore[reportUnknownVariableType]
            raise ValueError("must not contain the character NUL")  # Postgres keeps no such text
        return value  # pyright: ignore[reportUnknownVariableType]


class UserTag(_Body):
    """Somebody marked on an item; `x` and `y` run from 0 to 1."""

    username: Name
    x: Place | None = None
    y: Place | None = None


class Child(_Body):
    """One picture or video of a carousel."""

    image_url: Address | None = None
    video_url: Address | None = None
    upload: Upload | None = None
    alt_text: Words | None = None
    user_tags: list[UserTag] | None = Field(None, max_length=50)

    def item(self) -> Item:
        """Return the child as core knows it.

        Raises `Invalid` when it has no address.
        """
        if not (self.image_url or self.video_url or self.upload):
            raise Invalid("children: each needs an image_url, a video_url or an upload")
        return _item(self.image_url, self.video_url, self.upload, self.alt_text, self.user_tags)


class Publication(_Body):
    """What may be said of a post, a story or a reel; every route takes those fields that it has a use for."""

    account_id: Number | None = None
    image_url: Address | None = Field(None, description="Posts, stories: the picture's public address.")
    video_url: Address | None = Field(None, description="Reels, stories: the video's public address.")
    upload: Upload | None = Field(None, description="In place of an address: what POST /uploads answered.")
    children: list[Child] | None = Field(None, max_length=100, description="Posts: the items of a carousel.")
    caption: Words | None = None
    hashtags: list[Words] | None = Field(None, max_length=100)
    text: Words | None = Field(None, description="Stories: drawn onto the picture.")
    scheduled_at: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = None
    timezone: Name | None = Field(None, description="IANA name of the zone in which `scheduled_at` is meant.")
    draft: StrictBool | None = Field(None, description="Keep it; publish nothing.")
    alt_text: Words | None = None
    location_id: Digits | None = None
    user_tags: list[UserTag] | None = Field(None, max_length=50)
    collaborators: list[Name] | None = Field(None, max_length=50)
    cover_url: Address | None = Field(None, description="Reels: a picture for the cover.")
    thumbnail_url: Address | None = Field(None, description="Reels: another name of `cover_url`.")
    cover_upload: Upload | None = None
    thumb_offset: Number | None = Field(None, ge=0, le=86_400_000, description="Reels: the cover, in milliseconds.")
    share_to_feed: StrictBool | None = None
    first_comment: Words | None = None
    fit: Fit | None = Field(None, description="How a picture comes into a ratio that Instagram takes.")
    background: Name | None = Field(None, description="Around a padded picture: #rrggbb, white, blur or dominant.")

    def draft_for(self, product: Product) -> Draft:
        """Return the draft that is meant; children make a post a carousel."""
        product = Product.CAROUSEL if product is Product.IMAGE and self.children else product
        return Draft(
            product=product,
            items=self._items(product),
            caption=self.caption or "",
            hashtags=tuple(self.hashtags or ()),
            text=self.text or None,
            location_id=self.location_id or None,
            collaborators=tuple(self.collaborators or ()),
            cover_url=self.cover_url or self.thumbnail_url or None,
            cover_blob=self.cover_upload or None,
            thumb_offset=self.thumb_offset,
            share_to_feed=self.share_to_feed,
            first_comment=self.first_comment or None,
            fit=self.fit or Fit.PAD,
            background=self.background or "white",
        )

    def moment(self, now: datetime) -> Moment | None:
        """Return when it is wanted; None: at once.

        Raises `Invalid` for a time that does not exist, has passed or cannot be read.
        """
        if self.scheduled_at is not None:
            return moment_of(self.scheduled_at, self.timezone, now)
        if self.timezone is not None:
            zone_named(self.timezone)
        return None

    def _items(self, product: Product) -> tuple[Item, ...]:
        if product is Product.CAROUSEL:
            return tuple(child.item() for child in self.children or ())
        image = None if product is Product.REEL else self.image_url
        video = None if product is Product.IMAGE else self.video_url
        return (_item(image, video, self.upload, self.alt_text, self.user_tags),)


class Batch(Publication):
    """Body of POST /batch-post: one post for every active account, or for those named."""

    account_ids: list[Number] | None = Field(None, max_length=1000)


class Rehearsal(Publication):
    """Body of POST /posts/validate."""

    kind: Literal["image", "carousel", "reel", "story"] | None = None

    @property
    def product(self) -> Product:
        """What is asked about: as named, or as the media say."""
        if self.kind is not None:
            return Product(self.kind)
        return Product.REEL if self.video_url and not self.children else Product.IMAGE


class Link(_Body):
    """Body of POST /posts/{id}/link."""

    media_id: Digits | None = None


def _item(
    image: str | None, video: str | None, upload: str | None, alt_text: str | None, tags: Iterable[UserTag] | None
) -> Item:
    suffix = UPLOAD.fullmatch(upload or "")
    is_video = suffix is not None and suffix[2] in _VIDEO_SUFFIXES if upload else bool(video and not image)
    return Item(
        kind=ItemKind.VIDEO if is_video else ItemKind.PICTURE,
        url=None if upload else image or video,
        blob=upload or None,
        alt_text=alt_text or None,
        tags=tuple(Tag(tag.username, tag.x, tag.y) for tag in tags or ()),
    )
