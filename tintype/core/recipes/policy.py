"""How patient the recipe queue is: every span of it in one place, chosen at the roof."""

from dataclasses import dataclass
from datetime import timedelta

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The spans and counts that the queue keeps to."""

    lease: timedelta = 7 * SECOND  # a process that says nothing for so long is dead, and its items go on elsewhere
    losses: int = 3  # processes that may die with an item before it is suspected of killing them
    # Before an unhealthy item is tried again by itself; after the last one only a person tries it again.
    gaps: tuple[timedelta, ...] = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, *(DAY,) * 7)
    pauses: tuple[timedelta, ...] = (SECOND, 3 * SECOND)  # between tries at once, before an item is called unhealthy
    probed: timedelta = 10 * SECOND  # how long a probe's answer is taken for all items that wait for the same thing
    at_once: int = 8  # items that one process works at a time
    idle: timedelta = 2 * SECOND  # the longest sleep between two looks for due items
    review_below: float | None = (
        None  # a recipe of which its parser is less sure waits for a person before it is put away
    )
    log_age: timedelta = DAY  # how long changes can be replayed
    log_lines: int = 10_000
    batch: int = 500  # links in one request
    cover_bytes: int = 16 * 1024 * 1024
    cover_seconds: float = 30.0
    look_seconds: float = 60.0  # for a post's files, where a parser wants them
