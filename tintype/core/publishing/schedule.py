"""When a post is due: an instant, or a wall clock's time in somebody's zone. Pure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tintype.core.publishing.model import Moment
from tintype.errors import Invalid
from tintype.zones import zone_named

LATE = timedelta(seconds=60)  # a moment this long ago still counts as now
FARTHEST = timedelta(days=366 * 2)

# A day alone is no time: nobody wants to publish at midnight because a form left the hour out.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE | re.ASCII)


def moment_of(text: str, timezone: str | None, now: datetime) -> Moment:
    """Return when `text` (RFC 3339, or a local time together with an IANA zone) is.

    Of a time that a clock shows twice the earlier one is meant. Raises `Invalid` for a time that a clock skips, for one
    without any zone, for an unknown zone, for the past and for the far future.
    """
    zone = None if timezone is None else zone_named(timezone)
    given = _read(text.strip())
    if given.tzinfo is None:
        if zone is None:
            raise Invalid("scheduled_at has no zone; end it with Z or an offset, or name a timezone like Europe/Berlin")
        given = _local(given, zone)
    try:
        at = given.astimezone(UTC)
    except OverflowError:
        raise Invalid(f"scheduled_at: {text[:40]!r} is not a time of this calendar") from None
    if at < now - LATE:
        raise Invalid(
            f"scheduled_at: {text[:40]} has passed; give a time in the future, or leave it out to publish now"
        )
    if at > now + FARTHEST:
        raise Invalid("scheduled_at is more than two years away")
    return Moment(at, timezone)


def moved(moment: Moment, timezone: str, now: datetime) -> Moment:
    """Return when the clocks of another zone show what those of the moment's own zone, or of UTC, show at the moment.

    The second of two equal times stays the second where they show it twice as well. Raises `Invalid` as `moment_of` does.
    """
    zone = zone_named(moment.timezone) if moment.timezone else UTC
    shown = moment.at.astimezone(zone)
    there = moment_of(shown.replace(tzinfo=None).isoformat(), timezone, now)
    return replace(there, at=shown.replace(tzinfo=zone_named(timezone)).astimezone(UTC)) if shown.fold else there


def _read(text: str) -> datetime:
    if not text:
        raise Invalid("scheduled_at is empty; leave it out to publish now, or write it like 2026-05-01T09:00:00Z")
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass  # the 31st of a short month, or 25:00
    raise Invalid(f"scheduled_at: {text[:40]!r} is not a time; write it like 2026-05-01T09:00:00Z")


def _local(given: datetime, zone: ZoneInfo) -> datetime:
    local = given.replace(tzinfo=zone, fold=0)
    try:
        back = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return local
    if back != given:
        raise Invalid(
            f"scheduled_at: the clocks of {zone.key} skip {given:%H:%M} on {given:%Y-%m-%d}, as when summer time "
            f"begins; {back:%H:%M} is the time they show instead"
        )
    return local
