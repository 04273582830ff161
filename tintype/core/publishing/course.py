"""What a post does next, decided without doing anything: gaps between looks, retries, and what a read container proves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tintype.core.publishing.model import Draft, Failure, ItemKind, Post
from tintype.core.publishing.policy import HOUR, MINUTE, SECOND, Policy
from tintype.errors import Kind
from tintype.instagram import ContainerState

PICTURE_GAP = 0.15 * SECOND
SURE_GAP = 0.05 * SECOND  # of a picture that is likely finished by now
VIDEO_GAP = SECOND
LONGEST_GAP = 30 * SECOND
GROWTH = (
    0.12  # of the time waited beyond the usual: whatever Instagram takes, we learn of it a little later and ask seldom
)

RETRY_GAPS = (2 * SECOND, 5 * SECOND, 15 * SECOND, 45 * SECOND, 2 * MINUTE, 5 * MINUTE)
SEARCH_GAPS = (SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE)
CARE_GAPS = (SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR)

SPAM = (4, 2207051)
QUOTA_FULL = (9, 2207042)
UNREADABLE = (100, 33)  # said of what is not there, and of what was just made (graph-api.md I4)
NOT_READY = (9007, 2207027)
GONE = frozenset({(24, 2207006), (24, 2207008), (-2, 2207020)})  # Instagram does not find a container, or it is too old
GONE_GAP = 30 * SECOND  # before the one call that is worth repeating then (graph-api.md 5.3)
GONE_READS = 4  # of a container that can neither be published nor be read, before it is given up


def has_video(draft: Draft) -> bool:
    """Tell whether Instagram has a video to work on."""
    return any(item.kind is ItemKind.VIDEO for item in draft.items)


def poll_gap(waited: timedelta, *, video: bool, usual: timedelta = timedelta(0)) -> timedelta:
    """Return how long to wait before a container is read again, after so much waiting: nothing before the first look.

    What containers `usual`ly take at least does not count as waiting.
    """
    if waited <= timedelta(0):
        return timedelta(0)
    least = VIDEO_GAP if video else SURE_GAP if usual else PICTURE_GAP
    return min(max(least, max(waited - usual, timedelta(0)) * GROWTH), LONGEST_GAP)


def poll_budget(draft: Draft, policy: Policy) -> timedelta:
    """Return how long Instagram may work on a post's containers."""
    return policy.video_budget if has_video(draft) else policy.picture_budget


def gap(gaps: tuple[timedelta, ...], tries: int) -> timedelta:
    """Return the pause after so many tries; the last one goes on."""
    return gaps[min(max(tries, 1), len(gaps)) - 1]


class Proof(StrEnum):
    """What the container of a doubtful publish proves."""

    LIVE = "live"  # find the medium
    UNUSED = "unused"  # it was not published: it may be again
    REFUSED = "refused"  # it was not published, and what Instagram answered stands
    SPENT = "spent"  # it was not published and never will be: it needs a new one
    OPEN = "open"  # nobody knows yet


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is proven, and when to look again while nothing is."""

    proof: Proof
    again_at: datetime | None = None


def judge(state: ContainerState | None, post: Post, now: datetime, policy: Policy) -> Verdict:
    """Judge a publish in doubt by its container (publishing.md 2.4, rule 5).

    FINISHED proves nothing before the settle time: the lost call may still be on its way.
    """
    started = post.publish_started_at or now
    match state:
        case ContainerState.PUBLISHED:
            return Verdict(Proof.LIVE)
        case ContainerState.ERROR | ContainerState.EXPIRED:
            return Verdict(Proof.SPENT)
        case ContainerState.FINISHED if is_plain(post.doubt) or now - started >= policy.settle:
            if is_gone(post.doubt) and post.publishes > 1:
                return Verdict(Proof.SPENT)  # Instagram shows it, and cannot find it when it is to be published
            return Verdict(Proof.REFUSED if stands(post.doubt) else Proof.UNUSED)
        case ContainerState.FINISHED:
            return Verdict(Proof.OPEN, started + policy.settle)
        case _:
            return Verdict(Proof.OPEN, now + gap(RETRY_GAPS, post.tries + 1))


def is_plain(doubt: Failure | None) -> bool:
    """Tell whether Instagram's answer itself says that nothing was published, so that no settle time is needed."""
    return (
        doubt is not None
        and doubt.kind is not Kind.UNREACHABLE
        and (doubt.code, doubt.subcode) not in (SPAM, QUOTA_FULL)
    )


def stands(doubt: Failure | None) -> bool:
    """Tell whether what Instagram answered holds for any container of the post, and at any time."""
    return doubt is not None and not may_pass(doubt) and not is_gone(doubt)


def is_gone(failure: Failure | None) -> bool:
    """Tell whether Instagram says that the container is not there any more, so that only a new one helps."""
    return failure is not None and (failure.code, failure.subcode) in GONE


def is_full(doubt: Failure | None) -> bool:
    """Tell whether Instagram had no place for the post, whatever was counted here: it holds none since."""
    return doubt is not None and (doubt.code, doubt.subcode) == QUOTA_FULL


def may_pass(doubt: Failure) -> bool:
    """Tell whether the same publish may succeed at another time."""
    return doubt.retryable or doubt.kind in (Kind.UNREACHABLE, Kind.BUSY, Kind.UNAVAILABLE)
