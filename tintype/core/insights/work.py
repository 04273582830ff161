"""The background work of insights: which jobs there are, and when the clock starts them. Each may run twice."""

from collections.abc import Sequence

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.insights.insights import Insights


def jobs(insights: Insights) -> Sequence[Job]:
    """Return the jobs of insights."""

    async def collect() -> Result:
        done = await insights.collect_due()
        return {"read": done.read, "failed": done.failed, "accounts": done.accounts}

    async def daily() -> Result:
        return {"queued": [await insights.queue_visit(account) for account in await insights.due()]}

    async def visit(account_id: str) -> Result:
        return {"new": await insights.visit(account_id)}

    async def track(account_id: str, media_id: str) -> Result:
        return {"tracked": (await insights.notice(account_id, media_id)).media_id}

    async def thin() -> Result:
        return {"thinned": await insights.thin(), "expired": await insights.expire()}

    return (
        Job("insights.collect", collect),
        Job("insights.daily", daily),
        Job("insights.visit", visit),
        Job("insights.track", track),
        Job("insights.thin", thin),
    )


def schedules(insights: Insights) -> Sequence[Schedule]:
    """Return when the jobs of insights start by themselves."""
    thinning = Schedule("insights.thin", "insights.thin", "53 3 * * *")
    if not insights.policy.collects:
        return (thinning,)
    return (
        Schedule("insights.collect", "insights.collect", "*/10 * * * *"),
        # It only looks every hour: each account has a moment of the day of its own, as `day_due` says.
        Schedule("insights.daily", "insights.daily", "29 * * * *"),
        thinning,
    )
