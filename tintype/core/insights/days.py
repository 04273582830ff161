"""Meta's days: they end at midnight in California, come up to two days late, and are kept for a month or three."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tintype.core.insights.model import DAY
from tintype.instagram import LIMITS

LATE = timedelta(seconds=LIMITS.insights_media_delay.value)
BACK = int(LIMITS.insights_span.value // DAY.total_seconds())  # days that one question may span
PACIFIC = "America/Los_Angeles"


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return when a day begins and ends, in UTC; it has 23 or 25 hours when the clocks change."""
    zone = ZoneInfo(PACIFIC)
    start, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + DAY))
    return start, end


def ended_by(end: datetime) -> date:
    """Return the day that a number's `end_time` closes; an hour more or less does not matter."""
    return (end - DAY / 2).astimezone(ZoneInfo(PACIFIC)).date()


def last_day(now: datetime) -> date:
    """Return the last day that is over."""
    return now.astimezone(ZoneInfo(PACIFIC)).date() - DAY


def wanted(known: Mapping[date, datetime], now: datetime) -> Sequence[date]:
    """Return the days to ask for, oldest first, given when each known one was captured last.

    They are those of the last month that nobody captured, or that were captured before their numbers had settled.
    """
    last = last_day(now)
    month = [last - DAY * back for back in reversed(range(BACK))]
    return [day for day in month if day not in known or known[day] < bounds(day)[1] + LATE]


def spans(days: Sequence[date]) -> Sequence[tuple[date, date]]:
    """Return days, oldest first, as spans (first and last day) that Instagram answers in one piece."""
    if not days:
        return ()
    if (days[-1] - days[0]).days < BACK - 1:
        return ((days[0], days[-1]),)
    middle = days[0] + DAY * (BACK // 2)
    early, late = [day for day in days if day < middle], [day for day in days if day >= middle]
    return (*spans(early), *spans(late))
