"""Graph API calls as values: where they go, what they ask for, and how their answer is read. Nothing here does I/O.

A constructor raises `Invalid` for an id that could not be one. Paths and field lists are those of graph-api.md 1.7, 2, 3, 4.6
and 7.3. A field that one login does not know makes Instagram refuse the whole call, so the lists are kept per login.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Generic, TypeVar

from tintype.errors import Invalid
from tintype.instagram import model, wire
from tintype.instagram.limits import LIMITS
from tintype.instagram.model import Login

T_co = TypeVar("T_co", covariant=True)

PAGE_SIZE = 50  # one answer stays well below Meta's "reduce the amount of data" refusal even with carousels


class Host(StrEnum):
    """The hosts that answer calls."""

    GRAPH_INSTAGRAM = "graph.instagram.com"
    GRAPH_FACEBOOK = "graph.facebook.com"
    API_INSTAGRAM = "api.instagram.com"
    RUPLOAD = "rupload.facebook.com"


GRAPH_HOSTS: Mapping[Login, Host] = {
    Login.INSTAGRAM_LOGIN: Host.GRAPH_INSTAGRAM,
    Login.FACEBOOK_LOGIN: Host.GRAPH_FACEBOOK,
}

_PROFILE = "id,username,name,profile_picture_url,biography,website,followers_count,follows_count,media_count"
PROFILE_FIELDS: Mapping[Login, str] = {
    Login.INSTAGRAM_LOGIN: f"{_PROFILE},user_id,account_type",
    Login.FACEBOOK_LOGIN: _PROFILE,
}
# Children have no caption, counts or permalink of their own.
CHILD_FIELDS = "id,media_type,media_url,thumbnail_url,timestamp"
MEDIA_FIELDS = (
    "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,shortcode,timestamp,username,"
    f"like_count,comments_count,alt_text,children{{{CHILD_FIELDS}}}"
)
PAGE_FIELDS = "id,name,access_token,instagram_business_account{id,username}"


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One request to Instagram and the reading of its answer; `name` completes "Could not …" for a person."""

    name: str
    method: str
    host: Host
    path: str
    parse: Callable[[object], T_co] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    versioned: bool = True

    @property
    def safe(self) -> bool:
        """Whether asking twice does no more than asking once."""
        return self.method == "GET"

    def at(self, cursor: str) -> "Call[T_co]":
        """The same call for the page behind a cursor."""
        return replace(self, params={**self.params, "after": cursor})


def checked_id(graph_id: str) -> str:
    """The id as it may stand in a path; raises Invalid for text that could not be one."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", graph_id):
        raise Invalid(f"{graph_id[:64]!r} is not an id of Instagram's; ids are digits.")
    return graph_id


def profile(login: Login, user_id: str = "me") -> Call[model.Profile]:
    """The account itself; `me` works with Instagram Login only, Facebook's `me` is a person and not an account."""
    if login is Login.FACEBOOK_LOGIN and user_id == "me":
        raise ValueError("With Facebook Login an Instagram account has to be named by its id; see accounts().")
    return Call(
        name="read the Instagram profile",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=checked_id(user_id),
        params={"fields": PROFILE_FIELDS[login]},
        parse=partial(model.profile_from, login=login),
    )


def me() -> Call[model.Profile]:
    """The account that an Instagram Login token belongs to."""
    return profile(Login.INSTAGRAM_LOGIN)


def accounts() -> Call[model.Page[model.FacebookPage]]:
    """The Facebook Pages of a Facebook Login user, with Page tokens and linked Instagram accounts."""
    return Call(
        name="list the Facebook Pages",
        method="GET",
        host=Host.GRAPH_FACEBOOK,
        path="me/accounts",
        params={"fields": PAGE_FIELDS, "limit": str(LIMITS.list_page_items.value)},
        parse=partial(model.page_from, read=model.facebook_page_from),
    )


def permissions() -> Call[frozenset[str]]:
    """The permissions that a Facebook Login user granted."""
    return Call(
        name="read the granted permissions",
        method="GET",
        host=Host.GRAPH_FACEBOOK,
        path="me/permissions",
        parse=_granted,
    )


def _granted(value: object) -> frozenset[str]:
    granted = (wire.phrase(row.get("permission")) for row in wire.records(value) if row.get("status") == "granted")
    return frozenset(name for name in granted if name)


def media_page(
    login: Login, user_id: str, *, after: str | None = None, limit: int = PAGE_SIZE
) -> Call[model.Page[model.Media]]:
    """One page of an account's media, newest first, at most `limit` (1 to 100) of them; stories are not among them."""
    size = max(1, min(limit, int(LIMITS.list_page_items.value)))
    return _media_list(login, f"{checked_id(user_id)}/media", "read the media list", {"limit": str(size)}, after)


def stories(login: Login, user_id: str, *, after: str | None = None) -> Call[model.Page[model.Media]]:
    """The stories of the last 24 hours."""
    return _media_list(login, f"{checked_id(user_id)}/stories", "read the stories", {}, after)


def _media_list(
    login: Login, path: str, name: str, params: Mapping[str, str], after: str | None
) -> Call[model.Page[model.Media]]:
    call = Call(
        name=name,
        method="GET",
        host=GRAPH_HOSTS[login],
        path=path,
        params={"fields": MEDIA_FIELDS, **params},
        parse=partial(model.page_from, read=model.media_from),
    )
    return call.at(after) if after else call


def media_item(login: Login, media_id: str) -> Call[model.Media]:
    """One medium with its children."""
    return Call(
        name=f"read medium {media_id}",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=checked_id(media_id),
        params={"fields": MEDIA_FIELDS},
        parse=model.media_from,
    )


def media_urls(login: Login, media_id: str) -> Call[model.MediaUrls]:
    """Fresh CDN addresses of one medium."""
    return Call(
        name=f"read the addresses of medium {media_id}",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=checked_id(media_id),
        params={"fields": "id,media_url,thumbnail_url"},
        parse=model.media_urls_from,
    )


def children(login: Login, media_id: str) -> Call[model.Page[model.Media]]:
    """The pictures and videos of one carousel, in its order."""
    return Call(
        name=f"read the children of medium {media_id}",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(media_id)}/children",
        params={"fields": CHILD_FIELDS},
        parse=partial(model.page_from, read=model.media_from),
    )


def insights_media(
    login: Login, media_id: str, metrics: Sequence[str], *, breakdown: str | None = None
) -> Call[model.InsightSet]:
    """Lifetime numbers of one medium; one metric that its product type lacks fails the whole call."""
    return _insights(login, media_id, f"read the insights of medium {media_id}", metrics, {"breakdown": breakdown})


def insights_account(
    login: Login,
    user_id: str,
    metrics: Sequence[str],
    *,
    period: str = "day",
    metric_type: str | None = None,
    breakdown: str | None = None,
    timeframe: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Call[model.InsightSet]:
    """Numbers of an account for a period; `since` and `until` are inclusive, without them it is the last 24 hours."""
    options = {
        "period": period,
        "metric_type": metric_type,
        "breakdown": breakdown,
        "timeframe": timeframe,
        "since": str(int(since.timestamp())) if since else None,
        "until": str(int(until.timestamp())) if until else None,
    }
    return _insights(login, user_id, "read the insights of the account", metrics, options)


def _insights(
    login: Login, node: str, name: str, metrics: Sequence[str], options: Mapping[str, str | None]
) -> Call[model.InsightSet]:
    asked = {key: value for key, value in options.items() if value is not None}
    return Call(
        name=name,
        method="GET",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(node)}/insights",
        params={"metric": ",".join(metrics), **asked},
        parse=model.insights_from,
    )


def publishing_limit(login: Login, user_id: str) -> Call[model.PublishingQuota]:
    """How much of the publishing quota is used; an error here means the account may not publish at all."""
    return Call(
        name="read the publishing quota",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(user_id)}/content_publishing_limit",
        params={"fields": "quota_usage,config"},
        parse=model.quota_from,
    )


def subscribed_apps(login: Login, node: str) -> Call[frozenset[str]]:
    """The webhook fields an account (Facebook Login: a Page) is subscribed to."""
    return Call(
        name="read the webhook subscriptions",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(node)}/subscribed_apps",
        parse=_subscribed_fields,
    )


def _subscribed_fields(value: object) -> frozenset[str]:
    fields = (wire.phrase(name) for app in wire.records(value) for name in wire.items(app.get("subscribed_fields")))
    return frozenset(name for name in fields if name)


def subscribe(login: Login, node: str, fields: Sequence[str]) -> Call[bool]:
    """Subscribes an account (Facebook Login: a Page, with its Page token) to webhook fields; True when done."""
    return Call(
        name="subscribe to webhooks",
        method="POST",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(node)}/subscribed_apps",
        form={"subscribed_fields": ",".join(fields)},
        parse=_succeeded,
    )


def unsubscribe(login: Login, node: str) -> Call[bool]:
    """Ends all webhooks of an account; True when done."""
    return Call(
        name="end the webhook subscriptions",
        method="DELETE",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(node)}/subscribed_apps",
        parse=_succeeded,
    )


def _succeeded(value: object) -> bool:
    return wire.record(value).get("success") is True
