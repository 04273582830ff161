"""Words of insights and its pure rules: what is measured, when it is due next, and when measuring ends."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from tintype.core.accounts import Account, State
from tintype.instagram import INSIGHT_SCOPES, LIMITS, Media, MediaKind, MediaProduct

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# From which age on a post is read how often: a story of 24 hours is told by hours, that of a month by quarters of a day.
CADENCE = ((DAY, HOUR), (30 * DAY, 6 * HOUR), (90 * DAY, DAY))
MEASURED = CADENCE[-1][0]

STORY_LIFE = timedelta(seconds=LIMITS.story_life.value)
STORY_CADENCE = ((STORY_LIFE - 30 * MINUTE, HOUR),)  # the last look comes half an hour before a story's numbers vanish

JITTER = 0.1  # the part of an interval by which media that were published at one moment are read apart

RETRY = (10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR)  # after reads of one medium that failed in a row
GONE_AFTER = (
    6  # reads that were refused in a row, over half a day: fresh posts, and whole accounts, are unreadable at times
)

STORIES_EVERY = 3 * HOUR  # stories made in the app are found early enough to be read several times
DAY_BEGINS = 9 * HOUR  # after midnight in UTC: yesterday is over in California by then, where Meta's days end
DAY_SPREAD = 12 * HOUR  # the part of a day over which accounts are visited


class Product(StrEnum):
    """What kind of medium is measured; each has metrics of its own."""

    FEED = "FEED"
    REELS = "REELS"
    STORY = "STORY"
    CAROUSEL = "CAROUSEL"


class Source(StrEnum):
    """Where a number comes from."""

    API = "api"
    WEBHOOK = "webhook"
    DERIVED = "derived"


class End(StrEnum):
    """Why a medium is not read any more before its age says so."""

    GONE = "gone"  # Instagram knows it no longer
    TOLD = "told"  # a story's last numbers came by webhook


_POST = ("likes", "comments", "saved", "shares", "reach", "views", "total_interactions", "reposts")
_FEED = (*_POST, "follows", "profile_visits")
METRICS: Mapping[Product, tuple[str, ...]] = {
    Product.FEED: _FEED,
    Product.CAROUSEL: _FEED,
    Product.REELS: (*_POST, "ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate"),
    Product.STORY: (
        "reach", "views", "replies", "shares", "total_interactions", "reposts", "follows", "profile_visits",
        "navigation",
    ),
}  # fmt: skip
NAVIGATION = "story_navigation_action_type"


class Formula(StrEnum):
    """How an engagement rate is computed; see `rates`."""

    REACH = "reach"
    VIEWS = "views"
    FOLLOWERS = "followers"
    LIKES_COMMENTS_FOLLOWERS = "likes_comments_followers"


@dataclass(frozen=True, slots=True)
class Policy:
    """How numbers are kept and shown: the engagement rate, how old a number may be, how long samples are kept.

    Without `collects` nothing is read by itself, only when somebody asks.
    """

    formula: Formula = Formula.REACH
    fresh_for: timedelta = 5 * MINUTE
    raw_for: timedelta = 90 * DAY
    kept: timedelta = 760 * DAY  # each day of a year beside the same one of the year before, and a month
    collects: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A medium that is measured; `next_due` is None once it is not read any more."""

    account_id: str
    workspace_id: str
    media_id: str
    product: Product
    published_at: datetime
    permalink: str | None = None
    caption: str = ""
    read_at: datetime | None = None
    next_due: datetime | None = None
    tries: int = 0
    ended: End | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One number as it was at one moment; a `value` of None was not provided, which is not zero.

    A number of a period says which; without one it counts from the beginning of the medium or the account.
    """

    metric: str
    value: float | None
    captured_at: datetime
    source: Source = Source.API
    breakdown: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None

    @property
    def name(self) -> str:
        """The metric, and its part where it is broken down: `navigation.tap_forward`."""
        return f"{self.metric}.{self.breakdown}" if self.breakdown else self.metric


@dataclass(frozen=True, slots=True)
class Known:
    """The last number that was provided for a metric."""

    value: float
    captured_at: datetime
    source: Source


@dataclass(frozen=True, slots=True)
class Visits:
    """When an account was visited for what, until when it rests, and what the trouble was."""

    account_id: str
    captured_at: datetime | None = None
    stories_at: datetime | None = None
    paused_until: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What one pass over the due media did."""

    read: int = 0
    failed: int = 0
    accounts: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """An engagement rate in percent, what it was computed from, and whether that was known."""

    value: float
    basis: str
    status: str


@dataclass(frozen=True, slots=True)
class PostNumbers:
    """What is known of a post: the documented keys as numbers, 0 where unknown, and `raw` with None there.

    `captured_at` is the moment of the oldest of these numbers, or of the last read when there is none; None before it.
    """

    likes: int
    comments: int
    shares: int
    reach: int
    impressions: int
    saved: int
    engagement_rate: float
    engagement_rate_basis: str
    engagement_rate_status: str
    impressions_source: str | None
    captured_at: datetime | None
    raw: Mapping[str, float | None] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A measured medium with its numbers."""

    target: Target
    numbers: PostNumbers


@dataclass(frozen=True, slots=True)
class DayPoint:
    """A number of one day; None is unknown, and then nobody measured it."""

    day: date
    value: float | None = None
    source: Source | None = None
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountSeries:
    """An account day by day. Reach counts people once a day: its days must not be added up to a period's reach.

    `delay_hint` is how late Instagram's own numbers may be; the last days can therefore still change. `problem` says why
    nothing new came lately, if nothing did.
    """

    account_id: str
    since: date
    until: date
    followers: tuple[DayPoint, ...]
    followers_net: tuple[DayPoint, ...]
    reach: tuple[DayPoint, ...]
    views: tuple[DayPoint, ...]
    captured_at: datetime | None
    next_due: datetime | None
    delay_hint: timedelta
    problem: str | None = None


def product_of(media: Media) -> Product | None:
    """Return what a medium is measured as; None for what has no numbers (ads, broadcasts, the unknown)."""
    if media.product in (MediaProduct.AD, MediaProduct.LIVE) or media.kind is MediaKind.OTHER:
        return None
    if media.product is MediaProduct.STORY:
        return Product.STORY
    if media.product is MediaProduct.REELS:
        return Product.REELS
    return Product.CAROUSEL if media.kind is MediaKind.CAROUSEL_ALBUM else Product.FEED


def measurable(account: Account) -> bool:
    """Tell whether Instagram would tell us numbers of an account: it is connected, and did not withhold that permission."""
    granted = not account.scopes or not set(account.scopes).isdisjoint(INSIGHT_SCOPES[account.login])
    return account.state is State.CONNECTED and granted


def share(name: str) -> float:
    """Return a number from 0 to 1 that belongs to a name, by which things named otherwise are done apart."""
    return hashlib.sha256(name.encode()).digest()[0] / 256


def next_due(product: Product, published_at: datetime, read_at: datetime | None, apart: float = 0.0) -> datetime | None:
    """Return when a medium is to be read after `read_at` (None: never read so far), None when it is not any more.

    The moments belong to the medium and not to the reads: one that was missed for hours is read once and not once for
    each, and half an interval at least lies between two.
    """
    stages = STORY_CADENCE if product is Product.STORY else CADENCE
    after = read_at if read_at is not None and read_at > published_at else published_at
    age = after - published_at
    every = next((every for until, every in stages if age < until), None)
    if every is None:
        return None
    offset = every * JITTER * apart
    turns = (age + every / 2 - offset) // every + 1
    due = published_at + turns * every + offset
    end = published_at + stages[-1][0]
    if due < end:
        return due
    return end if end - after >= every / 2 else None


def never_read(target: Target) -> Target:
    """Return a new medium with the moment at which it is due; one that has passed means at once."""
    return replace(target, next_due=next_due(target.product, target.published_at, None, share(target.media_id)))


def was_read(target: Target, now: datetime) -> Target:
    """Return a medium that was read now, with the moment at which it is due again."""
    due = next_due(target.product, target.published_at, now, share(target.media_id))
    return replace(target, read_at=now, next_due=due, tries=0)


def failed(target: Target, now: datetime, *, refused: bool) -> Target:
    """Return a medium that could not be read now: tried again, later from time to time, or gone in the end."""
    tries = target.tries + 1
    if refused and tries >= GONE_AFTER:
        return replace(target, tries=tries, next_due=None, ended=End.GONE)
    pause = RETRY[0] if target.product is Product.STORY else RETRY[min(target.tries, len(RETRY) - 1)]
    return replace(target, tries=tries, next_due=None if vanished(target, now) else now + pause)


def vanished(target: Target, now: datetime) -> bool:
    """Tell whether a story is over, and with it the numbers that Instagram would tell."""
    return target.product is Product.STORY and now >= target.published_at + STORY_LIFE


def readable(target: Target, now: datetime) -> bool:
    """Tell whether it makes sense to ask Instagram about a medium."""
    return target.ended is None and not vanished(target, now)


def slot_of(account_id: str, now: datetime) -> datetime:
    """Return the last moment at which an account's day was to be captured: each account has one of its own a day."""
    moment = DAY_BEGINS + DAY_SPREAD * share(account_id)
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    slot = midnight + moment
    return slot if slot <= now else slot - DAY


def day_due(visits: Visits, now: datetime) -> bool:
    """Tell whether an account's day is to be captured: once a day, and once after days of downtime."""
    return visits.captured_at is None or visits.captured_at < slot_of(visits.account_id, now)


def stories_due(visits: Visits, now: datetime) -> bool:
    """Tell whether it is time to look for stories that were made elsewhere."""
    return visits.stories_at is None or now - visits.stories_at >= STORIES_EVERY


def resting(visits: Visits, now: datetime) -> bool:
    """Tell whether Instagram asked us to leave an account alone for now."""
    return visits.paused_until is not None and visits.paused_until > now


def visit_due(visits: Visits, now: datetime) -> bool:
    """Tell whether an account is to be visited now."""
    return not resting(visits, now) and (day_due(visits, now) or stories_due(visits, now))
