"""The feed's background work: which jobs there are, and when the clock starts them. Each may run twice."""

from collections.abc import Sequence
from datetime import timedelta

from tintype.backends.engine import Job, Result, Schedule
from tintype.core.feed.feed import Feed, Report
from tintype.core.feed.renditions import Renditions


def jobs(feed: Feed, renditions: Renditions) -> Sequence[Job]:
    """Return the feed's jobs."""

    async def sync(account_id: str, deep: str = "") -> Result:
        return _said(await feed.sync(account_id, deep=bool(deep)))

    async def sync_workspace(workspace_id: str) -> Result:
        return _said(await feed.sync_workspace(workspace_id))

    async def sync_all() -> Result:
        return {"queued": [await feed.queue(account) for account in await feed.due()]}

    async def refresh() -> Result:
        return {"refreshed": await feed.accounts.refresh_due()}

    async def render() -> Result:
        return {"rendered": await renditions.render_all()}

    async def collect() -> Result:
        for workspace_id in await feed.accounts.left_behind():
            await feed.leave(workspace_id)
            await feed.accounts.forget(workspace_id)
        taken = await feed.hosting.collect(feed.policy.grace)
        lost = await feed.hosting.find_lost()
        collected = await renditions.collect(feed.policy.grace)
        return {"collected": collected, "taken_from_cloud": taken, "lost_by_cloud": lost}

    async def host() -> Result:
        return {"hosted": await feed.hosting.tend()}

    return (
        Job("feed.sync", sync),
        Job("feed.sync_workspace", sync_workspace),
        Job("feed.sync_all", sync_all),
        Job("feed.render", render),
        Job("feed.collect", collect),
        Job("feed.host", host),
        Job("accounts.refresh", refresh),
    )


def _said(report: Report) -> Result:
    return {
        "photos": report.photos,
        "stored": report.stored,
        "removed": report.removed,
        "synced_at": report.synced_at.isoformat(),
    }


def schedules(feed: Feed) -> Sequence[Schedule]:
    """Return when the feed's jobs start by themselves."""
    found = [
        Schedule("accounts.refresh", "accounts.refresh", "17 * * * *"),
        Schedule("feed.collect", "feed.collect", "41 3 * * *"),
    ]
    if feed.hosting.cloud:
        found.append(Schedule("feed.host", "feed.host", "*/5 * * * *"))
    if feed.policy.interval:
        # A clock's line cannot say "every 45 minutes", so this one only looks; whose time has come is said by `sync_due`.
        often = feed.policy.interval % timedelta(minutes=5) == timedelta(0)
        found.append(Schedule("feed.sync_all", "feed.sync_all", "*/5 * * * *" if often else "* * * * *"))
    return found
