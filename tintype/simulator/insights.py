"""Numbers of posts and accounts: which metric exists for what, and plausible values that never change by themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from tintype.simulator import audience, ids
from tintype.simulator.clock import stamp
from tintype.simulator.errors import GraphError
from tintype.simulator.grammar import Field
from tintype.simulator.model import DAY, HOUR, Answer, Media, Person
from tintype.simulator.visit import Visit, moment

Product = Literal["FEED", "REELS", "STORY"]
ALL: tuple[Product, ...] = ("FEED", "REELS", "STORY")
IMPRESSIONS_ENDED = 1_719_878_400  # 2024-07-02: posts made since have no impressions
SPAN_MOST = 30 * DAY


@dataclass(frozen=True, slots=True)
class PostMetric:
    """A metric of posts: for which products, with which breakdown, and how it follows from the post."""

    products: tuple[Product, ...]
    value: Callable[[Media, int], float]
    facebook_only: bool = False
    breakdown: str | None = None
    shares: tuple[tuple[str, int], ...] = ()


def _views(per_mille: int) -> Callable[[Media, int], float]:
    return lambda media, _comments: seen(media) * per_mille // 1000


def _likes(per_mille: int) -> Callable[[Media, int], float]:
    return lambda media, _comments: media.like_count * per_mille // 1000


def seen(media: Media) -> int:
    """How often a post was viewed: never less than it was liked."""
    return max(media.views, media.like_count * 7)


FEED_REELS: tuple[Product, ...] = ("FEED", "REELS")
FEED_STORY: tuple[Product, ...] = ("FEED", "STORY")

POST_METRICS: Mapping[str, PostMetric] = {
    "views": PostMetric(ALL, _views(1000)),
    "reach": PostMetric(ALL, _views(710)),
    "likes": PostMetric(FEED_REELS, _likes(1000)),
    "comments": PostMetric(FEED_REELS, lambda _media, comments: comments),
    "saved": PostMetric(FEED_REELS, _likes(55)),
    "shares": PostMetric(ALL, _likes(31)),
    "reposts": PostMetric(ALL, _likes(9)),
    "total_interactions": PostMetric(ALL, lambda media, comments: media.like_count * 1095 // 1000 + comments),
    "follows": PostMetric(FEED_STORY, _views(2)),
    "profile_visits": PostMetric(FEED_STORY, _views(14)),
    "profile_activity": PostMetric(
        FEED_STORY, _views(6), breakdown="action_type",
        shares=(("bio_link_clicked", 6), ("direction", 2), ("email", 1), ("text", 1)),
    ),
    "ig_reels_avg_watch_time": PostMetric(("REELS",), lambda media, _c: int(media.seconds * 640)),
    "ig_reels_video_view_total_time": PostMetric(("REELS",), lambda media, _c: int(media.seconds * 640) * seen(media)),
    "reels_skip_rate": PostMetric(("REELS",), lambda media, _c: 20 + media.pk % 30),
    "crossposted_views": PostMetric(("REELS",), _views(0)),
    "facebook_views": PostMetric(ALL, _views(0)),
    "navigation": PostMetric(
        ("STORY",), _views(900), breakdown="story_navigation_action_type",
        shares=(("tap_forward", 76), ("tap_back", 14), ("tap_exit", 6), ("swipe_forward", 4)),
    ),
    "replies": PostMetric(("STORY",), _views(3)),
    "link_clicks": PostMetric(("STORY",), _views(8), facebook_only=True),
    "total_likes": PostMetric(FEED_REELS, _likes(1040), facebook_only=True),
    "total_comments": PostMetric(FEED_REELS, lambda _media, comments: comments, facebook_only=True),
    "total_views": PostMetric(ALL, _views(1060), facebook_only=True),
    "impressions": PostMetric(ALL, _views(1210)),
}  # fmt: skip
NEEDS_FACEBOOK_SHARE = frozenset({"crossposted_views", "facebook_views"})


def product_of(media: Media) -> Product:
    """The column of the matrix that a post belongs to."""
    products: dict[str, Product] = {"REELS": "REELS", "STORY": "STORY"}
    return products.get(media.kind, "FEED")


def metrics_of(args: Mapping[str, str]) -> list[str]:
    """The asked names: a comma list or a JSON list."""
    text = args.get("metric", "").strip().strip("[]")
    names = [name.strip().strip("\"'") for name in text.split(",")]
    if not any(names):
        raise GraphError(100, "(#100) The parameter metric is required")
    return [name for name in names if name]


def of_media(visit: Visit, media: Media, field: Field) -> Answer:
    """`/{media}/insights`: one entry per metric; one wrong name refuses the whole call."""
    visit.require("insights")
    if media.parent_id:
        raise GraphError(100, "(#100) Insights are not available for items inside a carousel")
    asked, breakdown = metrics_of(field.args), field.args.get("breakdown")
    for place, name in enumerate(asked):
        _allowed(visit, media, name, place)
    if breakdown and any(POST_METRICS[name].breakdown != breakdown for name in asked):
        raise GraphError(1, "An unknown error has occurred.")
    viewers = visit.world.settings.story_viewers
    if media.kind == "STORY" and viewers is not None and viewers < 5:
        raise GraphError(10, "(#10) Not enough viewers for the media to show insights")
    if visit.world.now() - media.timestamp < visit.world.settings.insights_delay_hours * HOUR:
        return {"data": []}
    return {"data": [_entry(visit, media, name, breakdown) for name in asked]}


def _allowed(visit: Visit, media: Media, name: str, place: int) -> None:
    metric = POST_METRICS.get(name)
    if metric is None or (metric.facebook_only and visit.login != "facebook"):
        known = (one for one, it in POST_METRICS.items() if visit.login == "facebook" or not it.facebook_only)
        raise GraphError(100, f"(#100) metric[{place}] must be one of the following values: {', '.join(known)}")
    if name == "impressions" and media.timestamp >= IMPRESSIONS_ENDED:
        raise GraphError(100, _no_impressions("media"))
    if product_of(media) not in metric.products or name in NEEDS_FACEBOOK_SHARE:
        raise GraphError(
            100, f"(#100) The Media Insights API does not support the {name} metric for this media product type."
        )


def _no_impressions(whose: str) -> str:
    page = "https://developers.facebook.com/docs/instagram-api/reference/ig-user/insights"
    return (
        "(#100) Starting from version 22 and above, the impressions metric is no longer supported for the queried "
        f"{whose}. Please refer to the documentation at {page} for a list of supported metrics."
    )


def _entry(visit: Visit, media: Media, name: str, breakdown: str | None) -> Answer:
    metric = POST_METRICS[name]
    value = metric.value(media, visit.world.comments_count(media))
    entry: Answer = {"name": name, "period": "lifetime", "values": [{"value": value}], **words(name)}
    if breakdown:
        total = audience.split(int(value), breakdown, metric.shares)
        entry["total_value"] = {"value": value, "breakdowns": [total]}
    return entry | {"id": f"{media.id}/insights/{name}/lifetime"}


def words(name: str) -> Answer:
    """Title and description of a metric."""
    title = name.replace("ig_reels_", "").replace("_", " ").capitalize()
    return {"title": title, "description": f"{title}, counted by the pretend Instagram."}


@dataclass(frozen=True, slots=True)
class AccountMetric:
    """A metric of accounts; `daily` is its usual part per mille of the followers on one day."""

    daily: int
    breakdowns: tuple[str, ...] = ()
    periods: tuple[str, ...] = ("day",)
    series: bool = False
    total: bool = True
    min_followers: int = 0


PRODUCTS = ("media_product_type",)
ACCOUNT_METRICS: Mapping[str, AccountMetric] = {
    "reach": AccountMetric(420, ("media_product_type", "follow_type"), ("day", "week", "days_28"), series=True),
    "views": AccountMetric(900, ("media_product_type", "follower_type", "follow_type")),
    "accounts_engaged": AccountMetric(45),
    "total_interactions": AccountMetric(70, PRODUCTS),
    "likes": AccountMetric(52, PRODUCTS),
    "comments": AccountMetric(6, PRODUCTS),
    "shares": AccountMetric(4, PRODUCTS),
    "saves": AccountMetric(7, PRODUCTS),
    "replies": AccountMetric(1),
    "reposts": AccountMetric(1),
    "follows_and_unfollows": AccountMetric(3, ("follow_type",), min_followers=100),
    "profile_links_taps": AccountMetric(8, ("contact_button_type",)),
    "follower_count": AccountMetric(2, series=True, total=False, min_followers=100),
    "online_followers": AccountMetric(300, periods=("lifetime",), series=True, total=False, min_followers=100),
    "follower_demographics": AccountMetric(0, audience.TRAITS, ("lifetime",), min_followers=100),
    "engaged_audience_demographics": AccountMetric(0, audience.TRAITS, ("lifetime",), min_followers=100),
}
SERIES_ENDED = frozenset(
    (
        "profile_views",
        "website_clicks",
        "email_contacts",
        "phone_call_clicks",
        "text_message_clicks",
        "get_directions_clicks",
    )
)


def of_account(visit: Visit, person: Person, field: Field) -> Answer:
    """`/{ig-user}/insights`: totals with breakdowns, or a series by day."""
    visit.require("insights")
    names, args = metrics_of(field.args), field.args
    if "impressions" in names:
        raise GraphError(100, _no_impressions("user"))
    if len(names) > 1:
        names = [name for name in names if name not in SERIES_ENDED]
    period = args.get("period", "")
    if not period:
        raise GraphError(100, "(#100) The parameter period is required")
    for place, name in enumerate(names):
        _asked_rightly(name, place, period, args, visit.world.settings.views_breakdown)
    since, until = _span(args, visit.world.now())
    entries = [_account_entry(visit, person, name, args, since, until) for name in names]
    shown = [entry for entry in entries if entry is not None]
    if not shown or period == "lifetime":
        return {"data": shown}
    return {"data": shown, "paging": _shifted(visit, person, field, since, until)}


def _asked_rightly(name: str, place: int, period: str, args: Mapping[str, str], views_name: str) -> None:
    metric = ACCOUNT_METRICS.get(name)
    if metric is None:
        known = ", ".join(ACCOUNT_METRICS)
        raise GraphError(100, f"(#100) metric[{place}] must be one of the following values: {known}")
    if period not in metric.periods:
        raise GraphError(100, f"(#100) Incompatible metrics ({name}) with period of ({period})")
    total = args.get("metric_type") == "total_value"
    if not total and not metric.series:
        raise GraphError(
            100, f"(#100) The following metrics ({name}) should be specified with parameter metric_type=total_value"
        )
    wanted = [one for one in args.get("breakdown", "").split(",") if one]
    allowed = {"media_product_type", views_name} if name == "views" else set(metric.breakdowns)
    if total and set(wanted) - allowed:
        raise GraphError(100, f"(#100) Incompatible breakdowns ({', '.join(wanted)}) with metric ({name})")
    if name.endswith("_demographics"):
        audience.check_timeframe(args.get("timeframe"), wanted)


def _span(args: Mapping[str, str], now: float) -> tuple[float, float]:
    until = moment(args.get("until"), now)
    since = moment(args.get("since"), now)
    until = now if until is None else until
    since = until - DAY if since is None else since
    if until - since > SPAN_MOST:
        raise GraphError(100, "(#100) There cannot be more than 30 days (2592000 s) between since and until")
    if since > until:
        raise GraphError(100, "(#100) since must be before until")
    return since, until


def _account_entry(
    visit: Visit, person: Person, name: str, args: Mapping[str, str], since: float, until: float
) -> Answer | None:
    metric, period = ACCOUNT_METRICS[name], args["period"]
    if person.followers_count < metric.min_followers:
        return None
    entry: Answer = {"name": name, "period": period}
    tail: Answer = {"id": f"{person.user_id}/insights/{name}/{period}"}
    wanted = [one for one in args.get("breakdown", "").split(",") if one]
    if name.endswith("_demographics"):
        total = audience.demographics(person.followers_count, name, args["timeframe"], wanted, visit.world.seed)
        return entry | words(name) | {"total_value": total} | tail
    if args.get("metric_type") == "total_value" and metric.total:
        value = sum(on_day(visit, person, name, day) for day in days(since, until))
        total: Answer = {"value": value}
        if wanted:
            total["breakdowns"] = [audience.across(value, wanted)]
        return entry | words(name) | {"total_value": total} | tail
    return entry | {"values": _series(visit, person, name, period, since, until)} | words(name) | tail


def days(since: float, until: float) -> Sequence[int]:
    """Numbers of the days that a span touches; at least one."""
    return range(int(since // DAY), max(int(since // DAY) + 1, int((until + DAY - 1) // DAY)))


def on_day(visit: Visit, person: Person, name: str, day: int) -> int:
    """The value of a metric on one day: around its usual share of the followers, quieter on some days."""
    usual = person.followers_count * ACCOUNT_METRICS[name].daily
    swing = 70 + ids.number(6, visit.world.seed, person.username, name, day) % 61
    return usual * swing // 100_000


def _series(visit: Visit, person: Person, name: str, period: str, since: float, until: float) -> list[Answer]:
    width = {"week": 7, "days_28": 28}.get(period, 1)
    rows: list[Answer] = []
    for day in days(since, until):
        if name == "online_followers":
            value: object = {str(hour): on_day(visit, person, name, day * 24 + hour) for hour in range(24)}
        else:
            value = (
                sum(on_day(visit, person, name, day - back) for back in range(width)) * (10 if width == 1 else 7) // 10
            )
        rows.append({"value": value, "end_time": midnight_in_california(day)})
    return rows


def midnight_in_california(day: int) -> str:
    """When a day of Meta's statistics ends: 07:00 UTC in summer, 08:00 in winter."""
    text = stamp(day * DAY)
    summer = 4 <= int(text[5:7]) <= 10
    return f"{text[:11]}0{7 if summer else 8}:00:00+0000"


def _shifted(visit: Visit, person: Person, field: Field, since: float, until: float) -> Answer:
    width = int(until - since)

    def link(shift: int) -> str:
        query = dict(field.args) | {"since": str(int(since) + shift), "until": str(int(until) + shift)}
        query["access_token"] = visit.token.value
        return f"{visit.address}/{person.user_id}/insights?{urlencode(query)}"

    return {"previous": link(-width), "next": link(width)}
