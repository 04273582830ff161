"""The background work of telling: what is due is sent at once when it was announced, and again by the minute."""

from collections.abc import Mapping, Sequence

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.notifications.notifier import DELIVER, Notifier, Source


def jobs(notifier: Notifier, sources: Mapping[str, Source]) -> Sequence[Job]:
    """Return the jobs of notifications; `sources` are logs that are read before anything is sent."""

    async def deliver() -> Result:
        announced = 0
        for name, source in sources.items():
            announced += await notifier.catch_up(name, source)
        report = await notifier.see_through()
        return {"announced": announced, **{outcome.value: count for outcome, count in report.counts.items()}}

    return (Job(DELIVER, deliver),)


def schedules() -> Sequence[Schedule]:
    """Return when the jobs of notifications start by themselves."""
    return (Schedule(DELIVER, DELIVER, "* * * * *"),)
