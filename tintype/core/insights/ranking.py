"""Posts in the order of a number. A post of which the number is unknown has no place: it is neither best nor worst."""

from collections.abc import Iterable, Sequence
from typing import Literal

from tintype.core.insights.model import METRICS, Post
from tintype.core.insights.rates import NO_DENOMINATOR, NO_INTERACTIONS
from tintype.errors import Invalid

Order = Literal["desc", "asc"]

RATE = "engagement_rate"
IMPRESSIONS = "impressions"
RANKABLE = (*dict.fromkeys(name for names in METRICS.values() for name in names), IMPRESSIONS, RATE)


def check_metric(metric: str) -> None:
    """Raise `Invalid` when posts cannot be put in the order of a metric."""
    if metric not in RANKABLE:
        raise Invalid(f"metric {metric[:64]!r} is not known; it is one of {', '.join(RANKABLE)}")


def value_of(post: Post, metric: str) -> float | None:
    """Return a post's number by the metric's name; None when it is unknown."""
    numbers = post.numbers
    if metric == RATE:
        unknown = numbers.engagement_rate_status in (NO_DENOMINATOR, NO_INTERACTIONS)
        return None if unknown else numbers.engagement_rate
    return numbers.raw.get((numbers.impressions_source or metric) if metric == IMPRESSIONS else metric)


def ranked(posts: Iterable[Post], metric: str, order: Order, limit: int) -> Sequence[Post]:
    """Return the first posts in the order of a metric, the newer one first where two are equal."""
    check_metric(metric)
    placed = [(value, post) for post in posts if (value := value_of(post, metric)) is not None]
    placed.sort(key=lambda pair: (pair[0] if order == "asc" else -pair[0], -pair[1].target.published_at.timestamp()))
    return [post for _, post in placed[: max(0, limit)]]
