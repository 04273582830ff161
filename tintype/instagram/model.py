"""The one inner vocabulary for what Instagram has: profiles, media, pages, tokens, containers, numbers.

Parsers (`…_from`) stand beside the words they make. They take any JSON value; a key that is missing becomes None, ids are
strings, and an answer that lacks its identity raises `Unreachable`. Field meanings: graph-api.md 2.1, 2.4, 3, 4.4.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from tintype.errors import Unreachable
from tintype.instagram import wire

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Login(StrEnum):
    """The two products through which an account can be connected; they have own hosts, scopes and tokens."""

    INSTAGRAM_LOGIN = "instagram"
    FACEBOOK_LOGIN = "facebook"


class MediaKind(StrEnum):
    """Instagram's `media_type`; OTHER is a live broadcast or a type invented after this was written."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    CAROUSEL_ALBUM = "CAROUSEL_ALBUM"
    OTHER = "OTHER"


class MediaProduct(StrEnum):
    """Instagram's `media_product_type`: where a medium is shown; OTHER is one we do not know."""

    FEED = "FEED"
    REELS = "REELS"
    STORY = "STORY"
    AD = "AD"
    LIVE = "LIVE"
    OTHER = "OTHER"


class ContainerState(StrEnum):
    """`status_code` of a publishing container; OTHER is one we do not know."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class App:
    """A Meta app's credentials for one login; for Instagram Login they are the Instagram app id and secret."""

    login: Login
    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `expires_at` is None for one that does not expire (Page tokens)."""

    value: str = field(repr=False)
    expires_at: datetime | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """A professional account; `user_id` is the id all other calls take, `app_scoped_id` the one of deletion callbacks."""

    user_id: str
    app_scoped_id: str | None
    username: str | None
    name: str | None = None
    account_type: str | None = None
    picture_url: str | None = None
    biography: str | None = None
    website: str | None = None
    followers_count: int | None = None
    follows_count: int | None = None
    media_count: int | None = None


@dataclass(frozen=True, slots=True)
class FacebookPage:
    """A Facebook Page of the person who connected, with the Instagram account linked to it, if any."""

    id: str
    name: str | None
    token: str | None = field(repr=False)
    instagram_user_id: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Media:
    """A post, reel, story or carousel child; the URLs expire (`expiry_of`) and are missing for flagged audio."""

    id: str
    kind: MediaKind
    product: MediaProduct | None
    timestamp: datetime
    caption: str | None = None
    permalink: str | None = None
    shortcode: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    alt_text: str | None = None
    like_count: int | None = None
    comments_count: int | None = None
    username: str | None = None
    children: tuple["Media", ...] = ()


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """The present CDN addresses of one medium, read again because the old ones expire."""

    id: str
    media_url: str | None
    thumbnail_url: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """One page of a list; `after` is the cursor of the next page, None on the last."""

    items: tuple[T_co, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Container:
    """A medium on its way to being published; `upload_url` is given for resumable uploads only.

    `failure` is the code, where one is told, and the subcode that a dead container died of.
    """

    id: str
    state: ContainerState | None = None
    status: str | None = None
    upload_url: str | None = None
    failure: tuple[int | None, int] | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a medium; `username` is None for a writer that Instagram does not name."""

    id: str
    text: str
    username: str | None
    timestamp: datetime | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a metric broken down, as (dimension, value) pairs such as ("country", "US")."""

    dimensions: tuple[tuple[str, str], ...]
    value: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a time series; `end_time` closes its period."""

    value: float | None
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `total`, a series of `points`, or both; None means not provided, never zero."""

    name: str
    period: str | None
    total: float | None
    points: tuple[Point, ...] = ()
    slices: tuple[Slice, ...] = ()


@dataclass(frozen=True, slots=True)
class InsightSet:
    """The metrics of one answer; those that Instagram left out are not in it."""

    metrics: tuple[Metric, ...]

    def total(self, name: str) -> float | None:
        """The metric's total, or None when Instagram did not provide it."""
        return next((metric.total for metric in self.metrics if metric.name == name), None)


@dataclass(frozen=True, slots=True)
class PublishingQuota:
    """How many posts the account published in the rolling window, of how many; None where Instagram did not say."""

    used: int | None
    total: int | None
    window_seconds: int | None


def expiry_of(url: str | None) -> datetime | None:
    """When a CDN address stops working, read from its `oe` parameter (hexadecimal Unix seconds); None if it has none."""
    if url is None:
        return None
    try:
        stamps = parse_qs(urlsplit(url).query).get("oe", [])
        return datetime.fromtimestamp(int(stamps[-1], 16), UTC) if stamps else None
    except (ValueError, OverflowError, OSError):
        return None


def profile_from(value: object, login: Login) -> Profile:
    """An account from `/me` or `/{ig-user}`, flat or wrapped; only Instagram Login has an app-scoped id beside it."""
    sent = wire.unwrapped(value)
    scoped = login is Login.INSTAGRAM_LOGIN
    account_type = wire.phrase(sent.get("account_type"))
    return Profile(
        user_id=wire.required(wire.identifier(sent.get("user_id" if scoped else "id")), "user_id", "an account"),
        app_scoped_id=wire.identifier(sent.get("id")) if scoped else None,
        username=wire.phrase(sent.get("username")),
        name=wire.phrase(sent.get("name")),
        account_type=account_type.upper() if account_type else None,
        picture_url=wire.phrase(sent.get("profile_picture_url")),
        biography=wire.phrase(sent.get("biography")),
        website=wire.phrase(sent.get("website")),
        followers_count=wire.count(sent.get("followers_count")),
        follows_count=wire.count(sent.get("follows_count")),
        media_count=wire.count(sent.get("media_count")),
    )


def facebook_page_from(value: object) -> FacebookPage:
    """One entry of `/me/accounts`; a Page without a professional account has no `instagram_business_account`."""
    sent = wire.record(value)
    linked = wire.record(sent.get("instagram_business_account"))
    return FacebookPage(
        id=wire.required(wire.identifier(sent.get("id")), "id", "a Facebook Page"),
        name=wire.phrase(sent.get("name")),
        token=wire.phrase(sent.get("access_token")),
        instagram_user_id=wire.identifier(linked.get("id")),
        username=wire.phrase(linked.get("username")),
    )


_STATES = {state.value: state for state in ContainerState}
_KINDS = {kind.value: kind for kind in MediaKind}
_PRODUCTS = {product.value: product for product in MediaProduct}


def media_from(value: object) -> Media:
    """A medium with its children; children take the parent's time where they have none of their own."""
    return _media(wire.record(value), None)


def _media(sent: Mapping[str, object], parent_time: datetime | None) -> Media:
    media_id = wire.required(wire.identifier(sent.get("id")), "id", "a medium")
    timestamp = wire.moment(sent.get("timestamp")) or parent_time
    if timestamp is None:
        raise Unreachable(f'Instagram sent medium {media_id} without a readable "timestamp".')
    children = () if parent_time else wire.records(sent.get("children"))
    product = wire.phrase(sent.get("media_product_type"))
    return Media(
        id=media_id,
        kind=_KINDS.get(wire.phrase(sent.get("media_type")) or "", MediaKind.OTHER),
        product=_PRODUCTS.get(product, MediaProduct.OTHER) if product else None,
        timestamp=timestamp,
        caption=wire.phrase(sent.get("caption")),
        permalink=wire.phrase(sent.get("permalink")),
        shortcode=wire.phrase(sent.get("shortcode")),
        media_url=wire.phrase(sent.get("media_url")),
        thumbnail_url=wire.phrase(sent.get("thumbnail_url")),
        alt_text=wire.phrase(sent.get("alt_text")),
        like_count=wire.count(sent.get("like_count")),
        comments_count=wire.count(sent.get("comments_count")),
        username=wire.phrase(sent.get("username")),
        children=tuple(_media(child, timestamp) for child in children),
    )


def media_urls_from(value: object) -> MediaUrls:
    """The addresses of one medium; either may be missing."""
    sent = wire.record(value)
    return MediaUrls(
        id=wire.required(wire.identifier(sent.get("id")), "id", "a medium"),
        media_url=wire.phrase(sent.get("media_url")),
        thumbnail_url=wire.phrase(sent.get("thumbnail_url")),
    )


def page_from(value: object, read: Callable[[object], T]) -> Page[T]:
    """A page of a list. The last page may keep its cursors, so only `paging.next` says that there is more."""
    sent = wire.record(value)
    if not isinstance(sent.get("data"), list):
        raise Unreachable('Instagram sent a list without "data"; try again, and report it if it stays so.')
    paging = wire.record(sent.get("paging"))
    cursor = wire.phrase(wire.record(paging.get("cursors")).get("after"))
    return Page(tuple(read(item) for item in wire.items(sent["data"])), cursor if paging.get("next") else None)


def container_from(value: object) -> Container:
    """A container as created or as polled; one without a code whose status begins with "Error" is dead all the same."""
    sent = wire.record(value)
    status = wire.phrase(sent.get("status"))
    state = _container_state(wire.phrase(sent.get("status_code")), status or "")
    return Container(
        id=wire.required(wire.identifier(sent.get("id")), "id", "a container"),
        state=state,
        status=status,
        upload_url=wire.phrase(sent.get("uri")),
        failure=_failure(status or "") if state is ContainerState.ERROR else None,
    )


def _container_state(code: str | None, status: str) -> ContainerState | None:
    if code is None:
        return ContainerState.ERROR if status.startswith("Error") else None
    return _STATES.get(code, ContainerState.OTHER)


def _failure(status: str) -> tuple[int | None, int] | None:
    """The numbers in "-2/2207003" or "Error: … with error code 2207082": servers send either (publishing.md 2.5)."""
    if pair := re.match(r"(-?[0-9]{1,9})/([0-9]{1,9})\b", status):
        return int(pair[1]), int(pair[2])
    alone = re.search(r"\b[0-9]{7}\b", status)
    return (None, int(alone[0])) if alone else None


def comment_from(value: object) -> Comment:
    """A comment with what Instagram told of it."""
    sent = wire.record(value)
    return Comment(
        id=wire.required(wire.identifier(sent.get("id")), "id", "a comment"),
        text=wire.text(sent.get("text")) or "",
        username=wire.phrase(sent.get("username")),
        timestamp=wire.moment(sent.get("timestamp")),
    )


def made_from(value: object) -> str:
    """The id of what a call has made."""
    return wire.required(wire.identifier(wire.record(value).get("id")), "id", "what it made")


def transferred_from(value: object) -> int:
    """How many bytes of a resumable upload have arrived; none when Instagram does not say."""
    uploading = wire.record(wire.record(wire.record(value).get("video_status")).get("uploading_phase"))
    return max(0, wire.count(uploading.get("bytes_transferred")) or 0)


def insights_from(value: object) -> InsightSet:
    """The metrics of an insights answer, series and totals and breakdowns alike; empty `data` is no metric, not zero."""
    return InsightSet(tuple(_metric(sent) for sent in wire.records(value)))


def _metric(sent: Mapping[str, object]) -> Metric:
    total = wire.record(sent.get("total_value"))
    points = tuple(
        Point(wire.number(point.get("value")), wire.moment(point.get("end_time")))
        for point in wire.records(sent.get("values"))
    )
    lifetime = points[0].value if len(points) == 1 and points[0].end_time is None else None
    return Metric(
        name=wire.required(wire.phrase(sent.get("name")), "name", "a metric"),
        period=wire.phrase(sent.get("period")),
        total=wire.number(total.get("value")) if "value" in total else lifetime,
        points=points,
        slices=tuple(part for cut in wire.records(total.get("breakdowns")) for part in _slices(cut)),
    )


def _slices(cut: Mapping[str, object]) -> tuple[Slice, ...]:
    keys = [wire.identifier(key) or "" for key in wire.items(cut.get("dimension_keys"))]
    return tuple(
        Slice(
            tuple(
                zip(
                    keys,
                    (wire.identifier(word) or "" for word in wire.items(part.get("dimension_values"))),
                    strict=False,
                )
            ),
            wire.number(part.get("value")),
        )
        for part in wire.records(cut.get("results"))
    )


def quota_from(value: object) -> PublishingQuota:
    """`content_publishing_limit`; without `fields=config` only the use is known."""
    sent = wire.unwrapped(value)
    config = wire.record(sent.get("config"))
    return PublishingQuota(
        used=wire.count(sent.get("quota_usage")),
        total=wire.count(config.get("quota_total")),
        window_seconds=wire.count(config.get("quota_duration")),
    )
