"""When a message is tried again: moments after its first attempt, never after the last one, so that they are known beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tintype.errors import Invalid

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

CUSTOM = "custom"
MOST_ATTEMPTS = 20
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments of all attempts, counted from the first; the first is at once."""

    name: str
    delays: tuple[timedelta, ...]

    @classmethod
    def of(cls, name: str, seconds: Sequence[int] = ()) -> "Schedule":
        """Return a named schedule, or with the name `custom` one of so many seconds after the first attempt.

        Raises `Invalid`.
        """
        if name in PRESETS:
            return cls(name, PRESETS[name])
        if name != CUSTOM:
            raise Invalid(f"schedule must be one of {', '.join((*PRESETS, CUSTOM))}")
        delays = (timedelta(0), *(timedelta(seconds=one) for one in seconds))
        if len(delays) > MOST_ATTEMPTS or any(later <= sooner for sooner, later in pairwise(delays)):
            raise Invalid(
                f"delays must be up to {MOST_ATTEMPTS - 1} numbers of seconds after the first attempt, growing"
            )
        if delays[-1] > LONGEST:
            raise Invalid(f"delays must end within {LONGEST.days} days of the first attempt")
        return cls(CUSTOM, delays)

    @property
    def seconds(self) -> tuple[int, ...]:
        """The moments of the attempts behind the first, in seconds after it."""
        return tuple(int(delay.total_seconds()) for delay in self.delays[1:])

    def next(self, first: datetime, attempts: int, now: datetime, jitter: timedelta) -> datetime | None:
        """Return when to try again after so many attempts; None: that was the last one.

        A moment that passed while nobody could try is made up for after the schedule's shortest pause, so that a
        receiver that is away does not use up all its attempts at once.
        """
        if attempts >= len(self.delays):
            return None
        planned = first + self.delays[attempts]
        return (planned if planned > now else now + self.delays[1]) + jitter


PRESETS = {
    "filestack-2016": (timedelta(0), 5 * MINUTE, HOUR, 12 * HOUR),  # promised by seed 1
    "filestack-2026": (timedelta(0), 5 * MINUTE, 30 * MINUTE, 12 * HOUR),
    "standard": (
        timedelta(0),
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)),
    ),
    "once": (timedelta(0),),
}
DEFAULT = "filestack-2016"
