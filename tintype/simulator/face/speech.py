"""Moments, spans and counts in words that a person reads at a glance."""

import time

from tintype.simulator.model import DAY, HOUR

MINUTE = 60


def ago(seconds: float) -> str:
    """How long since: `just now`, `5 minutes ago`, `3 days ago`."""
    if seconds < 0:
        return f"in {span(-seconds)}"
    return "just now" if seconds < MINUTE else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """A stretch of time in its largest unit: `40 seconds`, `3 hours`, `59 days`."""
    for size, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {word}{'' if number == 1 else 's'}"
    return "0 seconds"


def moment(seconds: float) -> str:
    """`27 Nov 2026, 14:03 UTC`."""
    return time.strftime("%-d %b %Y, %H:%M UTC", time.gmtime(seconds))


def count(number: float) -> str:
    """`18,420`; numbers with a fraction keep one digit of it."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
