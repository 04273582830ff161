"""The feed's wire shapes: request bodies, and items as JSON with the promised keys first."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tintype.backends.outbound import browser_url
from tintype.core.feed import FORMATS, Asset, Item, first_sentence, widths
from tintype.instagram import Login


class ApiType(StrEnum):
    """Seed 0's names of the two logins."""

    FACEBOOK_LOGIN = "FACEBOOK_LOGIN"
    INSTAGRAM_LOGIN = "INSTAGRAM_LOGIN"

    @property
    def login(self) -> Login:
        """Return the login that is meant."""
        return Login.FACEBOOK_LOGIN if self is ApiType.FACEBOOK_LOGIN else Login.INSTAGRAM_LOGIN


class _Body(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("must not contain the character NUL")  # Postgres keeps no such text
        return value


class Registration(_Body):
    """Body of POST /register."""

    name: str = Field(min_length=3, max_length=200)
    instagramAccountId: str = Field(min_length=1, max_length=64)  # noqa: N815 - the promised key
    instagramAccountSecret: str = Field(min_length=1, max_length=512)  # noqa: N815
    instagramAccessToken: str | None = Field(None, max_length=2048)  # noqa: N815
    apiType: ApiType  # noqa: N815


class TokenExchange(_Body):
    """Body of POST /auth/obtain-token."""

    code: str = Field(min_length=1, max_length=4096)
    instagramAppId: str = Field(min_length=1, max_length=64)  # noqa: N815 - the promised key
    instagramAppSecret: str = Field(min_length=1, max_length=512)  # noqa: N815
    embedUrl: str | None = Field(None, max_length=8192)  # noqa: N815


class SyncRequest(_Body):
    """Body of POST /sync; the secret may come in the header X-Sync-Secret instead."""

    secret: str | None = None

    @field_validator("secret", mode="before")
    @classmethod
    def _no_text_no_secret(cls, value: object) -> object:
        return value if isinstance(value, str) else None


class ProcessRequest(_Body):
    """Body of POST /sync/process/{tenantId}."""

    tenantId: str | None = None  # noqa: N815 - the promised key


class ConnectRequest(_Body):
    """Body of POST /auth/connect."""

    apiType: ApiType = ApiType.INSTAGRAM_LOGIN  # noqa: N815 - the promised key

    @field_validator("apiType", mode="before")
    @classmethod
    def _default(cls, value: object) -> object:
        return value or ApiType.INSTAGRAM_LOGIN


@dataclass(frozen=True, slots=True)
class Links:
    """Builds the addresses that a feed shows: own copies below `base`, Instagram's only until they expire."""

    base: str
    instagram_origin: str | None = None

    def file(self, asset: Asset, name: str) -> str:
        """Return the address of one file of a copy."""
        return f"{self.base}/m/{asset.digest}/{name}"

    def original(self, asset: Asset) -> str:
        """Return the address of a copy as it came."""
        return self.file(asset, f"original.{asset.format}")

    def fallback(self, url: str | None, until: datetime | None) -> str | None:
        """Return an Instagram address that stands in for a missing copy, or None when it is over."""
        if url is None or (until is not None and until <= datetime.now(UTC)):
            return None
        return browser_url(url, self.instagram_origin)

    def srcset(self, asset: Asset) -> dict[str, str]:
        """Return a picture's sizes per format, as the srcset attribute takes them."""
        real = widths(asset)
        return {
            kind: ", ".join(f"{self.file(asset, f'{size}.{kind}')} {width}w" for size, width in real.items())
            for kind in FORMATS
        }


def photo(item: Item, links: Links, hosted: Mapping[str, str]) -> dict[str, Any] | None:
    """Return an item as JSON, or None when there is nothing of it that a page could show.

    Its addresses are ours; where Cloudinary serves its picture as well, `cdnUrl` says so.
    """
    picture = (
        links.original(item.picture) if item.picture else links.fallback(item.picture_fallback, item.fallback_until)
    )
    video = links.original(item.video) if item.video else links.fallback(item.video_fallback, item.fallback_until)
    shown = video or picture
    if shown is None:
        return None
    return {
        "id": item.id,
        "mediaUrl": shown,
        "caption": item.caption,
        "mediaType": item.kind,
        "permalink": item.permalink,
        "timestamp": moment(item.posted_at),
        "productType": item.product,
        **_looks(item, picture, links),
        **({"cdnUrl": hosted[item.picture.digest]} if item.picture and item.picture.digest in hosted else {}),
        **_children(item, links, hosted),
    }


def _looks(item: Item, picture: str | None, links: Links) -> dict[str, Any]:
    found: dict[str, Any] = {"altText": item.alt_text or first_sentence(item.caption) or ""}
    found["altTextSource"] = "instagram" if item.alt_text else "caption"
    if item.kind == "VIDEO":
        found["posterUrl"] = picture
    if item.picture:
        found |= {
            "width": item.picture.width,
            "height": item.picture.height,
            "srcset": links.srcset(item.picture),
            "placeholder": {"color": item.picture.colour, "thumbhash": item.picture.thumbhash},
        }
    return found


def _children(item: Item, links: Links, hosted: Mapping[str, str]) -> dict[str, Any]:
    if item.kind != "CAROUSEL_ALBUM":
        return {}
    shown = (photo(child, links, hosted) for child in item.children)
    kept = ("id", "mediaUrl", "mediaType", "posterUrl", "altText", "width", "height", "srcset", "placeholder", "cdnUrl")
    return {"children": [{key: one[key] for key in kept if key in one} for one in shown if one]}


# Servers that ask for GET /photos want the list; the many addresses of every size are for pages, in /feeds/{key}.json.
_LEAN = ("id", "mediaUrl", "caption", "mediaType", "permalink", "timestamp", "productType", "altText", "posterUrl")
_LEAN_PICTURE = ("width", "height", "placeholder")
_LEAN_CHILD = ("id", "mediaUrl", "mediaType", "posterUrl", "width", "height")


def lean(shown: dict[str, Any]) -> dict[str, Any]:
    """Return an item without the addresses of its many sizes but for those in JPEG, and with its picture at Cloudinary."""
    found = {key: shown[key] for key in (*_LEAN, *_LEAN_PICTURE) if key in shown} | _hosted(shown)
    if "srcset" in shown:
        found["srcset"] = {"jpeg": shown["srcset"]["jpeg"]}
    if "children" in shown:
        found["children"] = [
            {key: child[key] for key in _LEAN_CHILD if key in child} | _hosted(child) for child in shown["children"]
        ]
    return found


def _hosted(shown: dict[str, Any]) -> dict[str, Any]:
    """Return those addresses of an item that show its picture, as they are at Cloudinary; none: it is not there."""
    if "cdnUrl" not in shown:
        return {}
    own = shown.get("posterUrl", shown["mediaUrl"])
    return {key: shown["cdnUrl"] for key in ("mediaUrl", "posterUrl") if shown.get(key) == own}


def photos(
    items: Iterable[Item], links: Links, names: Mapping[str, str], hosted: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return items as JSON with the names of their accounts, without those that a page could not show."""
    shown = ((photo(item, links, hosted), names.get(item.account_id)) for item in items)
    return [{**one, "username": name} for one, name in shown if one is not None]


def encode(value: object) -> bytes:
    """Return JSON as it is sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def moment(at: datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_ms(at: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with milliseconds, as seed 0 shows its sync times."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def first_expiry(items: Sequence[Item]) -> datetime | None:
    """Return when the first Instagram address among items ends; a prepared list must not live longer."""
    ends = [one.fallback_until for item in items for one in (item, *item.children) if one.fallback_until]
    future = [end for end in ends if end > datetime.now(UTC)]
    return min(future) if future else None
