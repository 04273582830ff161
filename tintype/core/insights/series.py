"""An account day by day, from its samples: what was measured, what follows from it, and nothing that does not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tintype.core.insights.days import LATE, ended_by
from tintype.core.insights.model import DAY, AccountSeries, DayPoint, Sample, Source, Visits, slot_of
from tintype.errors import Invalid
from tintype.instagram import Profile

LONGEST = 400  # days that one question may span
FIRST, LAST = date(1970, 1, 1), date(2100, 12, 31)  # outside, days cannot be reckoned with, and nothing was measured

FOLLOWERS = "followers_count"
DAILY = ("reach", "views")


def is_day(day: date) -> bool:
    """Tell whether something could have been measured on a day."""
    return FIRST <= day <= LAST


def check_days(since: date, until: date) -> None:
    """Raise `Invalid` when days are in the wrong order, too many, or outside of this calendar."""
    for name, day in (("since", since), ("until", until)):
        if not is_day(day):
            raise Invalid(f"{name} must be a day from {FIRST} to {LAST}")
    if since > until:
        raise Invalid("since must not be after until")
    if (until - since).days >= LONGEST:
        raise Invalid(f"since and until may lie {LONGEST} days apart at most")


def series_of(visits: Visits, samples: Iterable[Sample], since: date, until: date) -> AccountSeries:
    """Return the days from `since` to `until`, both included; `samples` begin a day earlier."""
    found = [sample for sample in samples if sample.value is not None]
    by_metric = {name: _last_of_days(found, name) for name in (FOLLOWERS, *DAILY)}
    days = [since + DAY * at for at in range((until - since).days + 1)]
    followers = by_metric[FOLLOWERS]
    shown = [point for points in by_metric.values() for day, point in points.items() if since <= day <= until]
    return AccountSeries(
        account_id=visits.account_id,
        since=since,
        until=until,
        followers=_filled(followers, days),
        followers_net=tuple(_net(followers, day) for day in days),
        reach=_filled(by_metric["reach"], days),
        views=_filled(by_metric["views"], days),
        captured_at=max((point.captured_at for point in shown if point.captured_at), default=None),
        next_due=_next_due(visits),
        delay_hint=LATE,
        problem=visits.problem,
    )


def day_of(sample: Sample) -> date:
    """Return the day a sample of an account speaks of."""
    return ended_by(sample.period_end) if sample.period_end else sample.captured_at.astimezone(UTC).date()


def counts_of(profile: Profile, now: datetime) -> Sequence[Sample]:
    """Return an account's absolute counts as they are now."""
    counts = {
        FOLLOWERS: profile.followers_count,
        "follows_count": profile.follows_count,
        "media_count": profile.media_count,
    }
    return [Sample(name, value, now) for name, value in counts.items()]


def known_days(samples: Iterable[Sample], metric: str) -> Mapping[date, "Sample"]:
    """Return the latest sample of each day, also where Instagram provided nothing."""
    mine = sorted((one for one in samples if one.metric == metric), key=lambda one: one.captured_at)
    return {day_of(one): one for one in mine}


def _last_of_days(samples: Iterable[Sample], metric: str) -> Mapping[date, DayPoint]:
    return {
        day: DayPoint(day, one.value, one.source, one.captured_at) for day, one in known_days(samples, metric).items()
    }


def _filled(points: Mapping[date, DayPoint], days: Sequence[date]) -> tuple[DayPoint, ...]:
    return tuple(points.get(day, DayPoint(day)) for day in days)


def _net(followers: Mapping[date, DayPoint], day: date) -> DayPoint:
    now, before = followers.get(day), followers.get(day - timedelta(days=1))
    if now is None or before is None or now.value is None or before.value is None:
        return DayPoint(day)
    return replace(now, value=now.value - before.value, source=Source.DERIVED)


def _next_due(visits: Visits) -> datetime | None:
    return slot_of(visits.account_id, visits.captured_at) + DAY if visits.captured_at else None
