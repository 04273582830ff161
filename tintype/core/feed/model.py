"""Words of the feed and its pure rules: what an item is, how it looks, what may be dropped, what is stale."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from tintype.core.accounts import State, share

SIZES = (320, 640, 1080)
FORMATS = ("avif", "webp", "jpeg")

# Deleting everything because Instagram had a bad hour is the one mistake nobody forgives: this much at most per pass.
DROP_SHARE = 0.2

NIGHTLY = timedelta(hours=20)  # a deep pass is due this long after the last one, so that a nightly one never slips
RENEW = timedelta(hours=2)  # an Instagram address that is shown on purpose is replaced this long before it ends
RELATIVE = timedelta(minutes=10)  # a sync that changed nothing is noted at most this often
GAP = 0.05  # the part of the interval that lies between two syncs at least, whoever asked for the first
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)  # of all rounds; which moment it is does not matter
# Of the interval, from one moment of an account to its next: what was synced just after one is in time as well.
ROUND = 0.99 - GAP

Kind = Literal["IMAGE", "VIDEO", "CAROUSEL_ALBUM"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the feed is kept: newest posts per account, videos copied or not, and the spacing of removal checks."""

    max_items: int = 500
    copy_videos: bool = True
    removal_spacing: timedelta = timedelta(hours=1)
    grace: timedelta = timedelta(days=1)  # how long an unreferenced copy stays: pages out there still show it
    interval: timedelta | None = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Asset:
    """An own copy, named by the SHA-256 of its bytes; colour and ThumbHash are there for pictures only."""

    digest: str
    format: str
    bytes: int
    width: int | None
    height: int | None
    colour: str | None = None
    thumbhash: str | None = None
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One post, or one child of a carousel, as the feed keeps it.

    `picture` is the own copy of the picture or the video's poster, `video` that of the video; where one is missing the
    Instagram address is kept beside it as a fallback together with its expiry. `picture_name` and `video_name` are the
    parts of those addresses that stay the same as long as the file does. `tries` counts the copies in a row that failed
    for a reason which time seldom mends (too large, damaged), the last of them at `tried_at`.
    """

    id: str
    kind: Kind
    product: str
    caption: str
    permalink: str
    posted_at: datetime
    alt_text: str | None = None
    picture_name: str | None = None
    video_name: str | None = None
    picture: Asset | None = None
    video: Asset | None = None
    picture_fallback: str | None = field(default=None, repr=False)
    video_fallback: str | None = field(default=None, repr=False)
    fallback_until: datetime | None = None
    tries: int = 0
    tried_at: datetime | None = None
    children: tuple["Item", ...] = ()
    account_id: str = ""  # whose it is; known of stored items only


@dataclass(frozen=True, slots=True)
class Suspect:
    """A stored item that a pass which should have shown it did not show; `confirmed_at` is the last direct read."""

    id: str
    confirmed: int = 0
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about an account's syncs."""

    account_id: str
    synced_at: datetime | None = None
    deep_at: datetime | None = None
    failed_at: datetime | None = None
    problem: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Departures:
    """Items that go for good in this pass, and those that were found missing once and have to be so once more."""

    removed: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A workspace's feed, newest first, with the moment it was last compared and the reason when it is stale."""

    items: tuple[Item, ...]
    synced_at: datetime | None
    stale: str | None
    revision: str


def ends_soon(until: datetime | None, policy: Policy, now: datetime) -> bool:
    """Tell whether the Instagram addresses that an item shows may end before there is another chance to renew them."""
    return until is None or until - now < max(RENEW, 2 * (policy.interval or RENEW))


def resting(tries: int, tried_at: datetime | None, now: datetime) -> bool:
    """Tell whether what could not be copied is left alone for now: it is tried twice, then after 1, 2, 4 … 24 hours."""
    if tries < 2 or tried_at is None:
        return False
    return now - tried_at < timedelta(hours=min(2 ** min(tries - 2, 5), 24))


def looks(item: Item | None) -> Item | None:
    """Return an item without what nobody sees, to tell whether two of them look the same."""
    if item is None:
        return None
    return replace(
        item,
        tries=0,
        tried_at=None,
        account_id="",  # known of stored items only
        children=tuple(replace(one, tries=0, tried_at=None, account_id="") for one in item.children),
    )


def droppable(confirmed: Iterable[str], held: int) -> tuple[str, ...]:
    """Return which of the items that are surely gone may be dropped in one pass, out of `held` items."""
    return tuple(confirmed)[: drop_limit(held)]


def drop_limit(held: int) -> int:
    """Return how many of `held` items may be dropped in one pass: a fifth, and one in any case."""
    return max(1, int(held * DROP_SHARE))


def confirm_due(suspect: Suspect, now: datetime, spacing: timedelta) -> bool:
    """Tell whether a missing item should be read directly once more: twice in all, spaced."""
    return suspect.confirmed_at is None or now - suspect.confirmed_at >= spacing


def stale_reason(standing: Standing | None, state: State, now: datetime, interval: timedelta | None) -> str | None:
    """Return why an account's part of the feed is older than it should be, or None when it is fresh."""
    if state in (State.RECONNECT, State.DISCONNECTED):
        return state.value
    if standing is None or standing.synced_at is None:
        return "never-synced"
    if standing.failed_at and standing.failed_at > standing.synced_at:
        return "sync-failed"
    # Notes of unchanged syncs may lag by RELATIVE; three missed rounds are not a lag any more.
    if interval and now - standing.synced_at > 3 * interval + RELATIVE:
        return "overdue"
    return None


def sync_due(standing: Standing | None, account_id: str, now: datetime, interval: timedelta) -> bool:
    """Tell whether it is time for an account's next sync: one of its own moments has come since the last.

    The moments belong to the account and not to its syncs, so those that were synced at one moment are not due again at one.
    None waits for longer than the interval.
    """
    moments = [moment for moment in (standing.synced_at, standing.failed_at) if moment] if standing else []
    if not moments:
        return True
    last, own = max(moments) + GAP * interval, share(account_id)
    return last < now and _rounds(now, interval, own) > _rounds(last, interval, own)


def _rounds(moment: datetime, interval: timedelta, own: float) -> int:
    return math.floor((moment - _BEGINNING) / (ROUND * interval) - own)


def noting(interval: timedelta | None) -> timedelta:
    """Return how old the last note of a sync must be before one that changed nothing is noted again."""
    return min(RELATIVE, GAP * interval) if interval else RELATIVE


def deep_due(standing: Standing, now: datetime) -> bool:
    """Tell whether it is time to read the whole account again."""
    return standing.deep_at is None or now - standing.deep_at >= NIGHTLY


def first_sentence(caption: str) -> str | None:
    """Return a caption's first sentence without hashtags: what stands in for a missing alt text."""
    text = " ".join(word for word in caption.split() if not word.startswith("#"))
    if not text:
        return None
    found = re.match(r".+?[.!?…](?=\s|$)", text)
    sentence = found.group(0) if found else text
    return sentence if len(sentence) <= 200 else sentence[:199].rstrip() + "…"
