"""Engagement rates: four ways to compute one, each with its name beside it, because every single number is arguable."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tintype.core.insights.model import METRICS, Formula, Known, PostNumbers, Rate, Target

OK = "ok"
PARTIAL = "partial"  # some of the interactions were not provided, so the rate is a lower bound
NO_DENOMINATOR = "no_denominator"
NO_INTERACTIONS = "no_interactions"  # none of the interactions was provided

_ALL = ("likes", "comments", "shares", "saved")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Way:
    interactions: tuple[str, ...]
    denominator: str
    basis: str


WAYS: Mapping[Formula, _Way] = {
    Formula.REACH: _Way(_ALL, "reach", "interactions/reach"),
    Formula.VIEWS: _Way(_ALL, "views", "interactions/views"),
    Formula.FOLLOWERS: _Way(_ALL, "followers", "interactions/followers"),
    Formula.LIKES_COMMENTS_FOLLOWERS: _Way(("likes", "comments"), "followers", "likes+comments/followers"),
}


def engagement(formula: Formula, given: Mapping[str, float | None]) -> Rate:
    """Return the rate in percent, to two decimals, halves upwards; 0 when what it needs is unknown.

    Interactions that were not provided count as none, which `status` tells.
    """
    way = WAYS[formula]
    known = [value for name in way.interactions if (value := given.get(name)) is not None]
    below = given.get(way.denominator)
    if not below or below < 0:
        return Rate(0.0, way.basis, NO_DENOMINATOR)
    if not known:
        return Rate(0.0, way.basis, NO_INTERACTIONS)
    above = sum((Decimal(str(value)) for value in known), Decimal(0))
    percent = (100 * above / Decimal(str(below))).quantize(_CENT, ROUND_HALF_UP)
    return Rate(float(percent), way.basis, OK if len(known) == len(way.interactions) else PARTIAL)


def numbers_of(target: Target, known: Mapping[str, Known], followers: float | None, formula: Formula) -> PostNumbers:
    """Return the numbers of a medium, given the last that was provided for each metric."""
    asked: dict[str, float | None] = dict.fromkeys(METRICS[target.product])
    raw = asked | {name: one.value for name, one in known.items()}
    views = next((name for name in ("views", "impressions") if raw.get(name) is not None), None)
    rate = engagement(formula, {**raw, "views": raw.get(views or ""), "followers": followers})
    return PostNumbers(
        likes=_whole(raw, "likes"),
        comments=_whole(raw, "comments"),
        shares=_whole(raw, "shares"),
        reach=_whole(raw, "reach"),
        impressions=_whole(raw, views),
        saved=_whole(raw, "saved"),
        engagement_rate=rate.value,
        engagement_rate_basis=rate.basis,
        engagement_rate_status=rate.status,
        impressions_source=views,
        captured_at=min((one.captured_at for one in known.values()), default=target.read_at),
        raw=raw,
    )


def _whole(raw: Mapping[str, float | None], name: str | None) -> int:
    return round(raw.get(name or "") or 0)
